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
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from cotdistill.data.readers import read_rows
from cotdistill.errors import UserError, first_fault, no_such_file
from cotdistill.records import Completion, Failure, Problem, Trace
from cotdistill.registry import kind
from cotdistill.samplers import Draw, JsonRow, Reply, Request, SendGate, SingleCall, Unanswered

TEXTS = ("question", "reasoning", "answer")

ROW_HINT = "a row holds question, reasoning and answer, or is a Trace"

FINISHES = {"truncated": "length", "content_filter": "content_filter"}


@kind
@dataclass(frozen=True, kw_only=True)
class Replay(SingleCall):
    """Completions recorded earlier, found by the text of the question; several of one question in file order.

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
        for _ in self._read_recorded():
            pass

    def count_unrecorded(self, problems: Iterable[Problem]) -> int:
        """Return how many of these questions have no completion."""
        recorded = {_question_hash(question) for question, _ in self._read_recorded()}
        return sum(_question_hash(problem.question) not in recorded for problem in problems)

    @asynccontextmanager
    async def session(self, gate: SendGate, /) -> AsyncIterator[Draw]:  # noqa: ARG002
        """Hold the rows in a temporary file, so that memory stays flat."""
        with tempfile.TemporaryFile() as spool:
            places = self._spool(spool)

            async def draw(request: Request) -> Reply:
                recorded = places.get(_question_hash(request.problem.question), [])
                if request.index >= len(recorded):
                    reason = f"{len(recorded)} completions of this question are recorded"
                    raise Unanswered(Failure(kind="failed", reason=reason))
                spool.seek(recorded[request.index])
                return Reply(**json.loads(spool.readline()))

            yield draw

    def _spool(self, spool: IO[bytes]) -> dict[bytes, list[int]]:
        """Write a reply per line; return where those of each question begin."""
        places = defaultdict(list)
        for question, reply in self._read_recorded():
            places[_question_hash(question)].append(spool.tell())
            spool.write(json.dumps(reply).encode("ascii") + b"\n")
        return dict(places)

    def _read_recorded(self) -> Iterator[tuple[str, JsonRow]]:
        """Yield question and reply of every row."""
        self._check_path()
        for where, row in read_rows(self.path):
            yield _from_trace(row, where) if "completion" in row else _from_texts(row, where)

    def _check_path(self) -> None:
        if not self.path.is_file():
            raise no_such_file(self.path)


def _from_texts(row: JsonRow, where: str) -> tuple[str, JsonRow]:
    for name in TEXTS:
        if name not in row:
            raise UserError("is missing", f"{where}: {name}", ROW_HINT)
        if not isinstance(row[name], str):
            raise UserError(f"must be a text, not {type(row[name]).__name__}", f"{where}: {name}", ROW_HINT)
    message = {"role": "assistant", "content": row["answer"], "reasoning_content": row["reasoning"]}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return row["question"], {"response": {"choices": [choice]}, "latency_s": 0.0}


def _from_trace(row: JsonRow, where: str) -> tuple[str, JsonRow]:
    try:
        trace = Trace.model_validate(row)
    except ValidationError as error:
        key, message = first_fault(error)
        raise UserError(message, f"{where}: {key}", ROW_HINT) from None
    completion = trace.completion
    return trace.problem.question, {
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


def _question_hash(question: str) -> bytes:
    """Return what identifies a question whatever its white space."""
    return hashlib.sha256(" ".join(question.split()).encode("utf-8", "surrogatepass")).digest()[:16]
