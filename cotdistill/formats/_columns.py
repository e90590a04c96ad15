"""Which columns a row of problems or traces is read from: those that options name, else the first with a usual name."""

import re
from collections.abc import Sequence
from typing import Protocol

from cotdistill.data.row_layouts import ANSWERS, GOLDS, QUESTIONS, REASONINGS, SYSTEMS, TURNS, first_of, peek
from cotdistill.formats import JsonRow

Several = str | tuple[str, ...]
"""One column, or the columns of its parts."""


class Named(Protocol):
    """The options that name columns; one that is None has its usual names."""

    @property
    def question(self) -> Several | None: ...
    @property
    def reasoning(self) -> str | None: ...
    @property
    def answer(self) -> str | None: ...
    @property
    def messages(self) -> str | None: ...
    @property
    def gold(self) -> str | None: ...
    @property
    def has_gold_rule(self) -> bool: ...


_NAMES = re.compile(r"\{([^{}\n]+)\}")


def columns_in_text(question: str) -> tuple[str, ...]:
    """Return the columns that a text with names in braces is built from; none where it is a column's name itself."""
    return tuple(_NAMES.findall(question))


def question_column(row: JsonRow, named: Named) -> Several | None:
    """Return the column of the question, or the columns that it is built from; None where only turns hold it."""
    if isinstance(named.question, str) and (names := columns_in_text(named.question)):
        return names
    return named.question or first_of(row, QUESTIONS)


def turns_column(row: JsonRow, named: Named) -> str | None:
    """Return the column of a list of turns."""
    return named.messages or first_of(row, TURNS)


def reasoning_column(row: JsonRow, named: Named) -> str | None:
    """Return the column of the rationale."""
    return named.reasoning or first_of(row, REASONINGS)


def answer_column(row: JsonRow, named: Named) -> str | None:
    """Return the column of what somebody said."""
    return named.answer or first_of(row, ANSWERS)


def gold_column(row: JsonRow, named: Named, *, answer: str | None) -> str | None:
    """Return the column of what is right; `answer` is the one of a problem's worked answer, which holds it too."""
    if named.gold:
        return named.gold
    # A rule says how the answer is found in the column that it was written for.
    usual = GOLDS[:1] if named.has_gold_rule or (named.answer and answer) else GOLDS
    return next((name for name in usual if name != answer and peek(row, name) is not None), answer)


def system_column(row: JsonRow, named: str | None) -> str | None:
    """Return the column of a system prompt; None where the row has none."""
    return named or first_of(row, SYSTEMS)


def said_of(column: Several | None) -> str | None:
    """Return a column as a report names it: `Body + Question`."""
    return column if column is None or isinstance(column, str) else " + ".join(column)


def lines_of(parts: Sequence[object], key: str) -> str:
    """Return a list of texts as a text of lines; a list in it, as a paragraph's sentences, makes one line.

    Raises: ValueError that names the key: there is nothing in it, or other things than texts.
    """
    lines = [_line(part, f"{key}[{number}]") for number, part in enumerate(parts)]
    if not any(lines):
        raise ValueError(f"{key}: expected text, found an empty list")
    return "\n".join(line for line in lines if line)


def _line(part: object, place: str) -> str:
    sentences: list[str] = []
    for sentence in part if isinstance(part, list | tuple) else [part]:
        if not isinstance(sentence, str):
            raise ValueError(f"{place}: expected text, found {type(sentence).__name__}")
        sentences.append(sentence.strip())
    return " ".join(filter(None, sentences))


def keys_here(row: JsonRow) -> str:
    """Return the names of a row's columns, for messages."""
    return ", ".join(map(str, row)) or "none"
