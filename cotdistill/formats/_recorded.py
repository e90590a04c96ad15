"""A row -> its problem, and the traces that it holds: where question, reasoning and answer stand in foreign sets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import ValidationError

from cotdistill import prompts
from cotdistill.data.row_layouts import QUESTIONS, has_column, peek, value_at
from cotdistill.errors import first_fault
from cotdistill.formats import JsonRow
from cotdistill.formats._columns import (
    Several,
    answer_column,
    columns_in_text,
    gold_column,
    keys_here,
    lines_of,
    question_column,
    reasoning_column,
    said_of,
    system_column,
    turns_column,
)
from cotdistill.formats._gold import GoldRule, Rule, gold_answer
from cotdistill.formats._options import letter_of, texts_of
from cotdistill.formats._turns import Exchange, read_answer, read_asked, read_exchange
from cotdistill.records import Completion, Message, Problem, Sampling, Trace, problem_id
from cotdistill.storage.keys import completion_key
from cotdistill.think_tags import Split

UNKNOWN = Sampling()
"""How recorded answers were sampled."""
THOUGHT = ("reasoning", "Complex_CoT")
"""Columns beside which `answer` is what somebody said and not what is right."""


@dataclass(frozen=True, kw_only=True)
class RowKeys:
    """Which key of a row holds what: the options of formats that are read. One that is None has its usual names."""

    question: Several | None = None
    reasoning: str | None = None
    answer: str | None = None
    messages: str | None = None
    role_tag: str | None = None
    content_tag: str | None = None
    gold: str | None = None
    gold_rule: Rule | None = None
    gold_pattern: str | None = None
    id: str | None = None
    choices: Several | None = None
    group: str | None = None
    system: str | None = None

    is_answered: ClassVar[bool] = False
    """Whether `answer` is what a teacher said, and not what is right."""

    @property
    def has_gold_rule(self) -> bool:
        """Whether a rule says how the gold answer is found in its column."""
        return self.gold_rule is not None or self.gold_pattern is not None

    def check(self) -> None:
        """Return: every key has usual names."""

    def columns(self, row: JsonRow, /) -> dict[str, str]:
        """Return, by what they hold, the columns that a row is read from."""
        if _is_whole_trace(row):
            return {"problem": "problem", "answer": "completion"}
        question = question_column(row, self)
        read = {"question" if question else "messages": said_of(question) or turns_column(row, self)}
        read |= {"gold": _gold_column(row, self), "id": self.id or "id", "choices": said_of(self.choices)}
        if (worked := _worked_answer(row, self)) != read["gold"]:
            read["answer"] = worked
        found = {**read, "group": self.group}
        return {role: name for role, name in found.items() if name and (" + " in name or has_column(row, name))}


@dataclass(frozen=True, kw_only=True)
class AnswerKeys(RowKeys):
    """Which key of a row holds what, where it has answers of a teacher."""

    generations: Several | None = None
    source: str = ""

    is_answered: ClassVar[bool] = True

    def columns(self, row: JsonRow, /) -> dict[str, str]:
        """Return, by what they hold, the columns that a row is read from."""
        read = super().columns(row)
        if _is_whole_trace(row):
            return read
        if generations := _generations(row, self):
            return read | {"generations": said_of(generations) or ""}
        reasoning, answer = reasoning_column(row, self), answer_column(row, self)
        turns = turns_column(row, self)
        if turns and not (reasoning and answer):
            return read | {"messages": turns}
        return read | {role: column for role, column in (("reasoning", reasoning), ("answer", answer)) if column}


def problem_of(row: JsonRow, keys: RowKeys) -> Problem:
    """Return the problem of a row of problems or of traces.

    Raises: ValueError that names the key, what was expected and what was found.
    """
    if _is_whole_trace(row):
        return _whole_trace(row).problem
    question, context = _question(row, keys)
    choices = texts_of(row, keys.choices) if keys.choices else ()
    if keys.choices:
        gold = letter_of(row, _gold_column(row, keys) or "gold", keys.choices, choices)
    else:
        rule = GoldRule(keys.gold_rule, keys.gold_pattern, is_named=keys.gold is not None)
        gold = gold_answer(row, _gold_column(row, keys), rule, worked_out=_worked_answer(row, keys))
    row_id = row.get(keys.id or "id")
    if isinstance(row_id, dict | list):
        raise ValueError(f"{keys.id or 'id'}: expected text or a number, found {type(row_id).__name__}")
    # `Which of these is true?` is another question with other options, and `Go on.` after other turns.
    asked = "\n".join((*(message.content for message in context), question, *choices))
    own_id = problem_id(asked) if row_id is None else str(row_id)
    group = _text_or_number(row, keys.group) if keys.group else ""
    worked = value_at(row, _worked_answer(row, keys) or "") if gold is not None else None
    solution = worked if isinstance(worked, str) and worked.strip() != gold else ""
    given = {"choices": choices, "group": group, "solution": solution, "context": context}
    return Problem.model_validate({"id": own_id, "question": question, "gold": gold, **given})


def _worked_answer(row: JsonRow, keys: RowKeys) -> str | None:
    """Return the column of a problem's worked answer; None where `answer` is what somebody said."""
    # In a set of traces `answer` is what a teacher said and not what is right.
    is_said = keys.is_answered or (not keys.answer and any(key in row for key in THOUGHT))
    return None if is_said else keys.answer or "answer"


def _gold_column(row: JsonRow, keys: RowKeys) -> str | None:
    return gold_column(row, keys, answer=_worked_answer(row, keys))


def outline_of(row: JsonRow, keys: AnswerKeys) -> tuple[Problem, tuple[int, ...]]:
    """Return the problem of a row of traces and the numbers of its answers, which are read and not kept.

    Raises: ValueError that names the key, what was expected and what was found.
    """
    if _is_whole_trace(row):
        trace = _whole_trace(row)
        return trace.problem, (trace.completion.index,)
    return problem_of(row, keys), tuple(index for index, _ in enumerate(_answers(row, keys)))


def traces_of(row: JsonRow, keys: AnswerKeys) -> Iterator[Trace]:
    """Yield the traces of a row: one, or as many as it has generations.

    Raises: ValueError that names the key, what was expected and what was found.
    """
    if _is_whole_trace(row):
        yield _whole_trace(row)
        return
    problem = problem_of(row, keys)
    for index, said in enumerate(_answers(row, keys)):
        messages = (
            *problem.context,
            Message(role="user", content=problem.question),
            Message(role="assistant", content=f"{said.reasoning}\n{said.text}"),
        )
        status = "ok"
        if not said.text.strip():
            status = "empty_answer"
        elif said.is_empty:
            status = "empty_reasoning"
        completion = Completion.model_validate(
            {
                "key": completion_key(keys.source, messages, UNKNOWN),
                "index": index,
                "text": said.text.strip(),
                "reasoning": said.reasoning.strip(),
                "status": status,
                "model": keys.source,
            }
        )
        yield Trace(problem=problem, completion=completion)


def _question(row: JsonRow, keys: RowKeys) -> tuple[str, tuple[Message, ...]]:
    """Return the question of a row and what stands before it."""
    beside = system_column(row, keys.system)
    own = value_at(row, beside) if beside else None
    if own is not None and not isinstance(own, str):
        raise ValueError(f"{beside}: expected text, found {_kind(own)}")
    system = (Message(role="system", content=own),) if own else ()
    if isinstance(keys.question, tuple):
        return " ".join(_text(row, key).strip() for key in keys.question), system
    if keys.question is not None and (names := columns_in_text(keys.question)):
        return prompts.render(keys.question, **{name: _part(row, name) for name in names}), system
    key = question_column(row, keys) or turns_column(row, keys)
    if not isinstance(key, str) or not isinstance(peek(row, key), list):
        return _text(row, str(key or QUESTIONS[0])), system
    said = read_asked(value_at(row, key), key, role_tag=keys.role_tag, content_tag=keys.content_tag)
    if system and said.context[:1] and said.context[0].role == "system":
        raise ValueError(f"{key}[0]: a column is a system prompt too, and only one is read")
    return said.question, (*system, *said.context)


def _answers(row: JsonRow, keys: AnswerKeys) -> Iterator[Split]:
    if generations := _generations(row, keys):
        for name, text in _listed(row, generations):
            if not isinstance(text, str):
                raise ValueError(f"{name}: expected text, found {_kind(text)}")
            yield read_answer(text)
        return
    reasoning, answer = reasoning_column(row, keys), answer_column(row, keys)
    turns = turns_column(row, keys)
    if turns and not (reasoning and answer):
        yield _exchange(row, turns, keys).answer
    elif reasoning is None:
        yield read_answer(_text(row, answer or "answer"))
    else:
        thought = _text(row, reasoning, may_be_empty=True)
        yield Split(thought, _text(row, answer or "answer", may_be_empty=True), is_empty=not thought.strip())


def _generations(row: JsonRow, keys: AnswerKeys) -> Several | None:
    return keys.generations or ("generations" if "generations" in row and not keys.answer else None)


def _listed(row: JsonRow, named: Several) -> Iterator[tuple[str, object]]:
    """Yield name and value of each answer: the items of one column, or the values of several."""
    if not isinstance(named, str):
        yield from ((name, _text(row, name)) for name in named)
        return
    found = value_at(row, named)
    if not isinstance(found, Sequence) or isinstance(found, str) or not found:
        raise ValueError(f"{named}: expected a list of answers, found {_kind(found)}")
    yield from ((f"{named}[{number}]", text) for number, text in enumerate(found))


def _exchange(row: JsonRow, key: str, keys: RowKeys) -> Exchange:
    return read_exchange(value_at(row, key), key, role_tag=keys.role_tag, content_tag=keys.content_tag)


def _whole_trace(row: JsonRow) -> Trace:
    try:
        return Trace.model_validate(_plain(row))
    except ValidationError as error:
        raise ValueError(str(first_fault(error))) from None


def _plain(value: Any) -> Any:  # Any: JSON values
    """Return a value whose every key was looked at."""
    if isinstance(value, dict):
        return {key: _plain(value[key]) for key in value}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _text(row: JsonRow, key: str, *, may_be_empty: bool = False) -> str:
    if not has_column(row, key):
        raise ValueError(f"{key}: is missing; keys here: {keys_here(row)}")
    value = value_at(row, key)
    if not isinstance(value, str):
        raise ValueError(f"{key}: expected text, found {_kind(value)}")
    if not may_be_empty and not value.strip():
        raise ValueError(f"{key}: expected text, found nothing but white space")
    return value


def _part(row: JsonRow, key: str) -> str:
    """Return what a column puts into the text of a question: its text, or the lines that `lines_of` makes of a list."""
    value = value_at(row, key)
    return lines_of(value, key) if isinstance(value, list | tuple) else _text(row, key)


def _text_or_number(row: JsonRow, key: str) -> str:
    if key not in row:
        raise ValueError(f"{key}: is missing; keys here: {', '.join(map(str, row)) or 'none'}")
    if isinstance(row[key], bool | dict | list) or row[key] is None or not str(row[key]).strip():
        raise ValueError(f"{key}: expected text or a number, found {_kind(row[key])}")
    return str(row[key]).strip()


def _is_whole_trace(row: JsonRow) -> bool:
    """Return whether a row is a Trace of our own."""
    return "completion" in row and isinstance(peek(row, "problem"), dict)


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__
