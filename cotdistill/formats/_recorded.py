"""A row -> its problem, and the traces that it holds: where question, reasoning and answer stand in foreign sets."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import ValidationError

from cotdistill import prompts
from cotdistill.errors import first_fault
from cotdistill.formats import JsonRow
from cotdistill.formats._gold import GoldRule, Rule, gold_answer
from cotdistill.formats._options import letter_of, texts_of
from cotdistill.formats._turns import Exchange, read_answer, read_exchange
from cotdistill.records import Completion, Message, Problem, Sampling, Trace, problem_id
from cotdistill.storage.keys import completion_key
from cotdistill.think_tags import Split

QUESTIONS = ("question", "problem", "Question")
REASONINGS = ("reasoning", "Complex_CoT")
ANSWERS = ("answer", "Response")
TURNS = ("messages", "conversations")
SYSTEMS = ("system", "system_prompt")
_NAMES = re.compile(r"\{([^{}\n]+)\}")
"""Columns in a question that is built from several."""


@dataclass(frozen=True, kw_only=True)
class RowKeys:
    """Which key of a row holds what: the options of formats that are read. One that is None has its usual names."""

    question: str | tuple[str, ...] | None = None
    reasoning: str | None = None
    answer: str | None = None
    messages: str | None = None
    role_tag: str | None = None
    content_tag: str | None = None
    gold: str | None = None
    gold_rule: Rule | None = None
    gold_pattern: str | None = None
    id: str | None = None
    choices: str | tuple[str, ...] | None = None
    group: str | None = None
    system: str | None = None

    is_answered: ClassVar[bool] = False
    """Whether `answer` is what a teacher said, and not what is right."""

    def check(self) -> None:
        """Return: every key has usual names."""


@dataclass(frozen=True, kw_only=True)
class AnswerKeys(RowKeys):
    """Which key of a row holds what, where it has answers of a teacher."""

    generations: str | None = None
    source: str = ""

    is_answered: ClassVar[bool] = True


def problem_of(row: JsonRow, keys: RowKeys) -> Problem:
    """Return the problem of a row of problems or of traces.

    Raises: ValueError that names the key, what was expected and what was found.
    """
    if "completion" in row and "problem" in row:
        return _whole_trace(row).problem
    question, context = _question(row, keys)
    # In a set of traces `answer` is what a teacher said and not what is right.
    is_said = keys.is_answered or (not keys.answer and any(key in row for key in REASONINGS))
    answer_key = keys.answer or "answer"
    gold_rule = GoldRule(keys.gold, keys.gold_rule, keys.gold_pattern)
    choices = texts_of(row, keys.choices) if keys.choices else ()
    if keys.choices:
        key = keys.gold or ("gold" if is_said or row.get("gold") is not None else answer_key)
        gold = letter_of(row, key, keys.choices, choices)
    else:
        gold = gold_answer(row, gold_rule, answer_key=None if is_said else answer_key)
    row_id = row.get(keys.id or "id")
    if isinstance(row_id, dict | list):
        raise ValueError(f"{keys.id or 'id'}: expected text or a number, found {type(row_id).__name__}")
    # `Which of these is true?` is another question with other options, and `Go on.` after other turns.
    asked = "\n".join((*(message.content for message in context), question, *choices))
    own_id = problem_id(asked) if row_id is None else str(row_id)
    group = _text_or_number(row, keys.group) if keys.group else ""
    worked = row.get(answer_key) if gold is not None and not is_said else None
    solution = worked if isinstance(worked, str) and worked.strip() != gold else ""
    given = {"choices": choices, "group": group, "solution": solution, "context": context}
    return Problem.model_validate({"id": own_id, "question": question, "gold": gold, **given})


def traces_of(row: JsonRow, keys: AnswerKeys) -> Iterator[Trace]:
    """Yield the traces of a row: one, or as many as it has generations.

    Raises: ValueError that names the key, what was expected and what was found.
    """
    if "completion" in row and "problem" in row:
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
                "key": completion_key(keys.source, messages, Sampling()),
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
    own = row.get(keys.system or _first(row, SYSTEMS) or SYSTEMS[0])
    if own is not None and not isinstance(own, str):
        raise ValueError(f"{keys.system or _first(row, SYSTEMS)}: expected text, found {_kind(own)}")
    system = (Message(role="system", content=own),) if own else ()
    if isinstance(keys.question, tuple):
        return " ".join(_text(row, key).strip() for key in keys.question), system
    key = keys.question or _first(row, QUESTIONS)
    if key is not None and (names := _NAMES.findall(key)):
        return prompts.render(key, **{name: _text(row, name) for name in names}), system
    if key is None and (turns := _turns_key(row, keys)):
        said = _exchange(row, turns, keys)
        if system and said.context[:1] and said.context[0].role == "system":
            raise ValueError(f"{turns}[0]: a column is a system prompt too, and only one is read")
        return said.question, (*system, *said.context)
    return _text(row, key or QUESTIONS[0]), system


def _answers(row: JsonRow, keys: AnswerKeys) -> Iterator[Split]:
    generations = keys.generations or ("generations" if "generations" in row and not keys.answer else None)
    if generations:
        found = row.get(generations)
        if not isinstance(found, Sequence) or isinstance(found, str) or not found:
            raise ValueError(f"{generations}: expected a list of answers, found {_kind(found)}")
        for number, text in enumerate(found):
            if not isinstance(text, str):
                raise ValueError(f"{generations}[{number}]: expected text, found {_kind(text)}")
            yield read_answer(text)
        return
    reasoning, answer = keys.reasoning or _first(row, REASONINGS), keys.answer or _first(row, ANSWERS)
    turns = _turns_key(row, keys)
    if turns and not (reasoning and answer):
        yield _exchange(row, turns, keys).answer
    elif reasoning is None:
        yield read_answer(_text(row, answer or ANSWERS[0]))
    else:
        thought = _text(row, reasoning, may_be_empty=True)
        yield Split(thought, _text(row, answer or ANSWERS[0], may_be_empty=True), is_empty=not thought.strip())


def _turns_key(row: JsonRow, keys: RowKeys) -> str | None:
    return keys.messages or _first(row, TURNS)


def _exchange(row: JsonRow, key: str, keys: RowKeys) -> Exchange:
    return read_exchange(row.get(key), key, role_tag=keys.role_tag, content_tag=keys.content_tag)


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
    if key not in row:
        raise ValueError(f"{key}: is missing; keys here: {', '.join(map(str, row)) or 'none'}")
    value = row[key]
    if not isinstance(value, str):
        raise ValueError(f"{key}: expected text, found {_kind(value)}")
    if not may_be_empty and not value.strip():
        raise ValueError(f"{key}: expected text, found nothing but white space")
    return value


def _text_or_number(row: JsonRow, key: str) -> str:
    if key not in row:
        raise ValueError(f"{key}: is missing; keys here: {', '.join(map(str, row)) or 'none'}")
    if isinstance(row[key], bool | dict | list) or row[key] is None or not str(row[key]).strip():
        raise ValueError(f"{key}: expected text or a number, found {_kind(row[key])}")
    return str(row[key]).strip()


def _first(row: JsonRow, keys: tuple[str, ...]) -> str | None:
    return next((key for key in keys if key in row), None)


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__
