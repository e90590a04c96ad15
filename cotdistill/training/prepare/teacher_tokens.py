"""The teacher's tokens with their log-probabilities, as `sample` recorded them: found by the id of the trace.

A row of 1-sample/logprobs.jsonl, in the words of the OpenAI protocol:

    {"problem_id": "p1", "key": "9f…", "index": 0, "content": [
     {"token": " 72", "bytes": [32, 55, 50], "logprob": -0.1, "top_logprobs": [{"token": " 71", …}, …]}, …]}

A server that records the thinking apart has it under `reasoning_content`; it was said before the content.
"""

import heapq
import json
import math
from pathlib import Path
from typing import Any, NamedTuple

from cotdistill.errors import UserError

Json = Any  # Any: a foreign JSON value

PARTS = ("reasoning_content", "reasoning", "content")
"""Lists of tokens in a row, in the order in which they were said."""


class TeacherToken(NamedTuple):
    """One token that the teacher said, and what it might have said."""

    text: bytes
    candidates: dict[bytes, float]
    """Probability of each token that is recorded here, its own among them."""

    def most_probable(self, k: int) -> list[tuple[bytes, float]]:
        """Return the k most probable candidates, the first one first."""
        return heapq.nlargest(k, self.candidates.items(), key=lambda candidate: candidate[1])


class TeacherTokens:
    """The recorded tokens of a file, read row by row as they are asked for."""

    def __init__(self, path: Path) -> None:
        """Raises: UserError: a line of the file is no such row."""
        self.path = path
        self._places: dict[str, int] = {}
        with path.open("rb") as file:
            place = 0
            for number, line in enumerate(file, start=1):
                self._places[_trace_id(line, f"{path}:{number}")] = place
                place += len(line)

    def find(self, trace_id: str) -> list[TeacherToken]:
        """Return the tokens of a trace; none where nothing, or nothing that can be read, is recorded of it."""
        place = self._places.get(trace_id)
        if place is None:
            return []
        with self.path.open("rb") as file:
            file.seek(place)
            row = json.loads(file.readline())
        try:
            return [_token(entry) for part in PARTS for entry in row.get(part) or ()]
        except (TypeError, KeyError, ValueError, AttributeError, OverflowError):
            # What a server sent is kept as it came, whatever it is.
            return []


def _trace_id(line: bytes, where: str) -> str:
    """Return the id of the trace that a row belongs to. Raises: UserError."""
    try:
        row = json.loads(line)
        return f"{row['problem_id']}/{row['index']}"
    except (ValueError, TypeError, KeyError):
        raise UserError(
            "is no row of log-probabilities", where, "name a logprobs.jsonl as `sample` writes it"
        ) from None


def _token(entry: Json) -> TeacherToken:
    text = _bytes(entry)
    found = {_bytes(other): math.exp(other["logprob"]) for other in entry.get("top_logprobs") or ()}
    found[text] = math.exp(entry["logprob"])
    return TeacherToken(text, found)


def _bytes(entry: Json) -> bytes:
    """Return what a token adds to the text; a part of a character has no text of its own, and bytes alone."""
    given = entry.get("bytes")
    return bytes(given) if isinstance(given, list) else str(entry["token"]).encode("utf-8", "surrogatepass")
