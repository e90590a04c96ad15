"""What a file holds that no registry names, told by the columns of its first rows.

{"question": …, "gold": …} -> problems      {"question": …, "reasoning": …, "answer": …} -> traces
{"messages": [… user, assistant]} -> openai      {"prompt": …, "completion": …} -> alpaca
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from cotdistill.data.readers import JsonRow
from cotdistill.data.row_layouts import ANSWERS, GOLDS, PROMPTS, QUESTIONS, REASONINGS, SAID, SYSTEMS, TURNS, value_at

Named = tuple[tuple[str, str], ...]
"""Roles and their columns, or tags and their names."""
ASSISTANTS = ("assistant", "gpt")
FLAGS = frozenset(["on", "off", "true", "false", "yes", "no", "none", "auto", "minimal", "low", "medium", "high"])
"""Words of a column `reasoning` that says how a teacher was asked, and is no rationale."""

_PLAIN = frozenset([str, int, float, bool, type(None)])


class Guess(NamedTuple):
    """How a row can be read."""

    formatting: str
    columns: Named = ()
    """Columns that have no usual name, or that the layout does not look for by itself."""
    tags: Named = ()


@dataclass(frozen=True)
class Recognition:
    """What the rows of a file are, and what tells a row that is of another kind."""

    guess: Guess
    flags: frozenset[str] = frozenset()
    """Columns with the name of a rationale that say how a teacher was asked."""
    ready: tuple[Guess, ...] = ()

    def fault(self, row: JsonRow) -> str:
        """Return what is wrong with a row that can be read and is of another kind than the others; empty otherwise."""
        found = self._guess(row)
        if found is None or found.formatting == self.guess.formatting:
            return ""
        keys = ", ".join(map(str, row))
        return f"expected a row of {self.guess.formatting}, as the others are, found one of {found.formatting}: {keys}"

    def _guess(self, row: JsonRow) -> Guess | None:
        """Return how a row can be read; rows of texts and numbers alone differ in names and types."""
        types = tuple(map(type, row.values()))
        if not _PLAIN.issuperset(types):
            return _guess(row, self.flags, self.ready)
        shape = tuple(row), types
        if shape not in self._known:
            self._known[shape] = _guess(row, self.flags, self.ready)
        return self._known[shape]

    @cached_property
    def _known(self) -> dict[object, Guess | None]:
        """By the names and types of a row without lists and objects."""
        return {}


def recognise(rows: Sequence[JsonRow], ready: Iterable[Mapping[str, str]] = ()) -> Recognition | None:
    """Return what most of these rows are, the first ones where it is even; None where no columns are known.

    `ready` are the columns, by role, of registered sets of traces, whose names are no usual ones.
    """
    usual = {*QUESTIONS, *REASONINGS, *ANSWERS, *GOLDS, *TURNS}
    known = tuple(
        Guess("traces", tuple(columns.items())) for columns in ready if any(c not in usual for c in columns.values())
    )
    flags = frozenset(name for name in REASONINGS if _is_flag(name, rows))
    guesses = [guess for row in rows if (guess := _guess(row, flags, known)) is not None]
    if not guesses:
        return None
    formatting = Counter(guess.formatting for guess in guesses).most_common(1)[0][0]
    best = Counter(guess for guess in guesses if guess.formatting == formatting).most_common(1)[0][0]
    return Recognition(best, flags, known)


def _is_flag(name: str, rows: Sequence[JsonRow]) -> bool:
    values = [row[name] for row in rows if isinstance(row.get(name), str)]
    return bool(values) and all(value.strip().lower() in FLAGS for value in values)


def _guess(row: JsonRow, flags: frozenset[str], ready: tuple[Guess, ...]) -> Guess | None:
    for known in ready:
        if all(row.get(column) is not None for _, column in known.columns):
            return known
    if isinstance(row.get("problem"), dict) and "completion" in row:
        return Guess("traces")
    if isinstance(row.get("generations"), list):
        return Guess("traces")
    reasoning = _first_text(row, tuple(name for name in REASONINGS if name not in flags))
    if (turns := _first_turns(row)) is not None:
        return _guess_of_turns(row, turns, reasoning)
    return _guess_of_texts(row, reasoning) or _guess_of_names(row)


def _guess_of_names(row: JsonRow) -> Guess | None:
    """Return the guess for a row whose values have no known shape: reading it says what is wrong with them."""
    if "conversations" in row:
        return Guess("sharegpt")
    if "messages" in row:
        return Guess("openai", (("messages", "messages"),))
    return Guess("problems") if any(name in row for name in QUESTIONS) else None


def _guess_of_turns(row: JsonRow, key: str, reasoning: str | None) -> Guess | None:
    last = row[key][-1]
    if reasoning and _first_text(row, ANSWERS):
        return Guess("traces", (("messages", key),) if key not in TURNS else ())
    is_sharegpt = "from" in last
    if last.get("from" if is_sharegpt else "role") in ASSISTANTS:
        return _conversation(row, key, is_sharegpt=is_sharegpt)
    said = next((name for name in SAID if name != key and _is_said(row.get(name))), None)
    if said:
        return _conversation(row, key, is_sharegpt=is_sharegpt, response=said)
    if key in PROMPTS or _gold(row):
        return Guess("problems", (("question", key),))
    return _conversation(row, key, is_sharegpt=is_sharegpt)


def _conversation(row: JsonRow, key: str, *, is_sharegpt: bool, response: str | None = None) -> Guess:
    """Return the guess for a list of turns, and for the answer where it stands beside them."""
    system = _first_text(row, SYSTEMS)
    columns = [("messages", key)] + ([("response", response)] if response else [])
    if system:
        columns.append(("system", system))
    if is_sharegpt:
        return Guess("sharegpt", tuple(columns))
    if system or key == "conversations":
        return Guess("sharegpt", tuple(columns), (("role_tag", "role"), ("content_tag", "content")))
    return Guess("openai", tuple(columns))


def _guess_of_texts(row: JsonRow, reasoning: str | None) -> Guess | None:
    asked = _first_text(row, QUESTIONS)
    if asked is None:
        return None
    rest = {name: value for name, value in row.items() if name != asked}
    if reasoning and _first_text(rest, ANSWERS):
        return Guess("traces")
    if said := _first_text(rest, SAID):
        if _gold(row):
            return Guess("traces", (("answer", said),))
        return _guess_of_pair(row, said)
    return Guess("alpaca" if asked == "instruction" and not _gold(row) else "problems")


def _guess_of_pair(row: JsonRow, said: str) -> Guess:
    """Return the guess for a prompt and its answer, which are learned as they are."""
    prompt = next(name for name in ("instruction", *QUESTIONS) if isinstance(row.get(name), str))
    more = next((name for name in ("input", "context") if name != prompt and isinstance(row.get(name), str)), None)
    system = _first_text(row, SYSTEMS)
    named = [("prompt", prompt, "instruction"), ("query", more, "input"), ("response", said, "output")]
    named.append(("system", system, "system"))
    return Guess("alpaca", tuple((role, column) for role, column, usual in named if column and column != usual))


def _gold(row: JsonRow) -> str | None:
    return next((name for name in GOLDS if value_at(row, name) is not None), None)


def _first_text(row: JsonRow, names: tuple[str, ...]) -> str | None:
    """Return the first of these columns that holds a text."""
    return next((name for name in names if isinstance(row.get(name), str)), None)


def _first_turns(row: JsonRow) -> str | None:
    """Return the first column that holds a list of turns."""
    for name in (*TURNS, *PROMPTS):
        found = row.get(name)
        if isinstance(found, list) and found and all(isinstance(turn, dict) for turn in found):
            return name
    return None


def _is_said(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))
