"""replay: completions recorded earlier, served again: nothing is asked and nothing is paid.

    teacher: {kind: replay, path: traces.jsonl}

A row of the file (JSONL, or one JSON array) is a question with its answer, or a Trace:

    {"question": "Natalia sold …", "reasoning": "Okay, so …", "answer": "… **72**"}
    {"problem": {"id": "p1", "question": "Natalia sold …"}, "completion": {"text": "…", "reasoning": "…", …}}
"""

import functools
import hashlib
import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from pydantic import ValidationError

from cotdistill.data.identity import Identities
from cotdistill.data.readers import read_rows
from cotdistill.errors import UserError, first_fault, no_such_file
from cotdistill.records import Completion, Failure, Message, Problem, Trace, problem_id
from cotdistill.registry import kind
from cotdistill.samplers import Draw, JsonRow, Reply, Request, SendGate, SingleCall, Unanswered
from cotdistill.storage.keys import short_name

TEXTS = ("question", "reasoning", "answer")

ROW_HINT = "a row holds question, reasoning and answer, or is a Trace"

FINISHES = {"truncated": "length", "content_filter": "content_filter"}


class _Place(NamedTuple):
    """Where a completion is, and whose it is."""

    offset: int
    problem_id: str
    gold: str | None


class _Recorded(NamedTuple):
    """What a file holds, by hashes."""

    questions: frozenset[bytes]
    answers: Counter[int]
    """How many of each problem, by the hash of its id."""


@kind
@dataclass(frozen=True, kw_only=True)
class Replay(SingleCall):
    """Completions recorded earlier: those of the problem's own row, else of its question, in file order.

    Options:
        path: file of rows with question, reasoning and answer, or of Trace rows
    """

    path: Path

    @property
    def model(self) -> str:
        """Name of the sampler: the rows may come from several models."""
        return "replay"

    @functools.cached_property
    def identity(self) -> str:
        """The file by its content, wherever it lies.

        Raises: UserError: no such file.
        """
        self._check_path()
        with self.path.open("rb") as file:
            return f"replay sha256={hashlib.file_digest(file, 'sha256').hexdigest()}"

    def check(self) -> None:
        """Return if every row of the file can be served.

        Raises: UserError that names file, line and key.
        """
        _ = self._recorded

    def messages(self, problem: Problem, /) -> tuple[Message, ...]:
        """Return the bare question, behind the id of its row: rows of one question have completions of their own."""
        return Message(role="system", content=problem.id), *super().messages(problem)

    def count_unrecorded(self, problems: Iterable[Problem]) -> int:
        """Return how many of these questions have no completion."""
        recorded = self._recorded.questions
        return sum(_question_hash(problem.question) not in recorded for problem in problems)

    def count_unasked(self, problems: Iterable[Problem], samples: int) -> tuple[int, int]:
        """Return how many completions of these problems are further on than their first `samples`, and how many
        samples would serve them all.
        """
        recorded = self._recorded.answers
        counts = [recorded[short_name(problem.id)] for problem in problems]
        return sum(max(count - samples, 0) for count in counts), max(counts, default=0)

    @asynccontextmanager
    async def session(self, gate: SendGate, /) -> AsyncIterator[Draw]:  # noqa: ARG002
        """Hold the rows in a temporary file, so that memory stays flat."""
        with tempfile.TemporaryFile() as spool:
            places = self._spool(spool)

            async def draw(request: Request) -> Reply:
                asked = request.problem
                recorded = _own_places(asked, places.get(_question_hash(asked.question), []))
                if request.index >= len(recorded):
                    reason = f"{len(recorded)} completions of this question are recorded"
                    raise Unanswered(Failure(kind="failed", reason=reason))
                spool.seek(recorded[request.index])
                return Reply(**json.loads(spool.readline()))

            yield draw

    def _spool(self, spool: IO[bytes]) -> dict[bytes, list[_Place]]:
        """Write a reply per line; return where those of each question are."""
        places = defaultdict(list)
        self._check_path()
        for problem, reply in _read_recorded(self.path):
            places[_question_hash(problem.question)].append(_Place(spool.tell(), problem.id, problem.gold))
            spool.write(json.dumps(reply).encode("ascii") + b"\n")
        return dict(places)

    @property
    def _recorded(self) -> _Recorded:
        """What the file holds: it is read once, whoever asks. Raises: UserError that names file, line and key."""
        self._check_path()
        found = self.path.stat()
        return _count_recorded(self.path, self.path.absolute(), found.st_ino, found.st_size, found.st_mtime_ns)

    def _check_path(self) -> None:
        if not self.path.is_file():
            raise no_such_file(self.path)


@functools.lru_cache(maxsize=4)
def _count_recorded(path: Path, *_stamp: object) -> _Recorded:
    """Return what a file holds; another stamp is another file."""
    questions, answers = set[bytes](), Counter[int]()
    for problem, _ in _read_recorded(path):
        questions.add(_question_hash(problem.question))
        answers[short_name(problem.id)] += 1
    return _Recorded(frozenset(questions), answers)


def _read_recorded(path: Path) -> Iterator[tuple[Problem, JsonRow]]:
    """Yield the problem and the reply of every row."""
    identities = Identities("id")
    for where, row in read_rows(path):
        problem, reply = _from_trace(row, where) if "completion" in row else _from_texts(row, where)
        try:
            yield identities.named([problem])[0], reply
        except ValueError as error:
            key, _, message = str(error).partition(": ")
            raise UserError(message, f"{where}: {key}") from None


def _from_texts(row: JsonRow, where: str) -> tuple[Problem, JsonRow]:
    for name in TEXTS:
        if name not in row:
            raise UserError("is missing", f"{where}: {name}", ROW_HINT)
        if not isinstance(row[name], str):
            raise UserError(f"must be a text, not {type(row[name]).__name__}", f"{where}: {name}", ROW_HINT)
    message = {"role": "assistant", "content": row["answer"], "reasoning_content": row["reasoning"]}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    question, gold = row["question"], _text(row.get("gold"))
    problem = Problem(id=_text(row.get("id")) or problem_id(question), question=question, gold=gold)
    return problem, {"response": {"choices": [choice]}, "latency_s": 0.0}


def _from_trace(row: JsonRow, where: str) -> tuple[Problem, JsonRow]:
    try:
        trace = Trace.model_validate(row)
    except ValidationError as error:
        key, message = first_fault(error)
        raise UserError(message, f"{where}: {key}", ROW_HINT) from None
    completion = trace.completion
    return trace.problem, {
        "response": _response(completion),
        "latency_s": completion.latency_s,
        "first_content_s": completion.first_content_s,
        "attempts": completion.attempts,
    }


def _response(completion: Completion) -> JsonRow:
    """Return the response from which this completion is read again, its status included."""
    message: JsonRow = {"role": "assistant", "content": completion.text, "reasoning_content": completion.reasoning}
    if completion.status == "refusal":
        message["refusal"] = completion.text or "refused"
    if completion.status == "empty_reasoning":
        message["reasoning_content"] = "\n"
    finish_reason = FINISHES.get(completion.status, completion.finish_reason)
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    return {"model": completion.model, "choices": [choice], "usage": completion.usage.model_dump()}


def _text(value: object) -> str | None:
    return None if value is None else str(value).strip()


def _own_places(problem: Problem, places: Sequence[_Place]) -> list[int]:
    """Return where the completions of the problem's own row are; of a problem from elsewhere those of its gold answer,
    else all of its question.
    """
    own = [place.offset for place in places if place.problem_id == problem.id]
    if not own and problem.gold is not None:
        own = [place.offset for place in places if place.gold == problem.gold]
    return own or [place.offset for place in places]


def _question_hash(question: str) -> bytes:
    """Return what identifies a question whatever its white space."""
    return hashlib.sha256(" ".join(question.split()).encode("utf-8", "surrogatepass")).digest()[:16]
