"""Server-sent events -> one chat completion, whatever the chunk borders.

    : keep-alive
    data: {"model": "r1", "choices": [{"delta": {"reasoning_content": "48 / 2"}, "finish_reason": null}]}
    data: {"model": "r1", "choices": [{"delta": {"content": "72"}, "finish_reason": "stop"}]}
    data: {"choices": [], "usage": {"prompt_tokens": 20, "completion_tokens": 9}}
    data: [DONE]

Written for answers of thousands of tokens: the openai package's own stream objects build a model per token,
which costs 74 ms of CPU per 1000 chunks.
"""

from dataclasses import dataclass, field
from typing import Any, TypeVar

JsonRow = dict[str, Any]  # Any: a foreign JSON row
T = TypeVar("T")

MAX_EVENT_BYTES = 16 << 20
"""A server that sends the whole answer as one event stays far below; a line without end does not."""

JOINED = frozenset({"content", "reasoning_content", "reasoning", "refusal", "reasoning_details", "tool_calls"})
"""Fields of a delta that carry a piece; of every other field the last value counts."""


class EventReader:
    """Cuts a byte stream into the `data` of its events; comments, names and ids of events are dropped."""

    def __init__(self) -> None:
        self._tail = b""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the data of every event that this chunk ends.

        Raises: ValueError: a line without end.
        """
        *lines, self._tail = (self._tail + chunk).split(b"\n")
        if len(self._tail) > MAX_EVENT_BYTES:
            raise ValueError(f"an event of more than {MAX_EVENT_BYTES} bytes")
        events = []
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[5:].removesuffix(b"\r").removeprefix(b" "))
            elif self._data and line in (b"", b"\r"):
                events.append(b"\n".join(self._data))
                self._data.clear()
        return events

    def close(self) -> list[bytes]:
        """Return the data of an event whose blank line was left out at the end of the stream."""
        return self.feed(b"\n\n")


@dataclass
class _Choice:
    """One choice while its pieces arrive."""

    rest: JsonRow = field(default_factory=dict)
    message: JsonRow = field(default_factory=dict)
    pieces: dict[str, list[Any]] = field(default_factory=dict)  # Any: strings, or objects of a foreign list
    logprobs: dict[str, list[Any]] = field(default_factory=dict)  # Any: foreign objects

    def add(self, choice: JsonRow) -> bool:
        """Take in one part; say whether it brought content."""
        is_content = False
        for name, value in choice.items():
            if value is None:
                continue
            if name == "delta":
                is_content = self._add_delta(value)
            elif name == "logprobs":
                for kind, tokens in _checked(value, dict).items():
                    self.logprobs.setdefault(kind, []).extend(_checked(tokens or [], list))
            else:
                self.rest[name] = value
        return is_content

    def _add_delta(self, delta: object) -> bool:
        is_content = False
        for name, value in _checked(delta, dict).items():
            if name not in JOINED:
                if value is not None:
                    self.message[name] = value
            elif value:
                self.pieces.setdefault(name, []).append(value)
                is_content = True
        return is_content

    def whole(self) -> JsonRow:
        """Return the choice as a server that does not stream would have sent it."""
        joined = {name: _join(pieces) for name, pieces in self.pieces.items()}
        message = {"role": "assistant", "content": "", **self.message, **joined}
        logprobs = {"logprobs": dict(self.logprobs)} if self.logprobs else {}
        return {"index": 0, **self.rest, "message": message, **logprobs}


class Merge:
    """Puts the chunks of a streamed answer together."""

    def __init__(self) -> None:
        self._top: JsonRow = {}
        self._choices: dict[int, _Choice] = {}

    @property
    def is_finished(self) -> bool:
        """Whether every choice that began has its finish_reason: nothing of the answer is missing."""
        return bool(self._choices) and all("finish_reason" in c.rest for c in self._choices.values())

    def add(self, chunk: JsonRow) -> bool:
        """Take in one chunk; say whether it brought content.

        Raises: ValueError: the chunk has not the shape of the protocol.
        """
        is_content = False
        for name, value in chunk.items():
            if value is None:
                continue
            if name == "choices":
                for choice in _checked(value, list):
                    number = _checked(choice, dict).get("index") or 0
                    state = self._choices.setdefault(_checked(number, int), _Choice())
                    is_content |= state.add(choice)
            else:
                self._top[name] = value
        return is_content

    def response(self) -> JsonRow:
        """Return the answer in the shape of a chat completion that was not streamed."""
        choices = [choice.whole() for _, choice in sorted(self._choices.items())]
        return {**self._top, "object": "chat.completion", "choices": choices}


def _checked(value: Any, kind: type[T]) -> T:  # Any: a foreign JSON value
    if isinstance(value, kind):
        return value
    raise ValueError(f"{type(value).__name__} instead of {kind.__name__}")


def _join(pieces: list[Any]) -> Any:  # Any: a string, or a foreign list
    if all(isinstance(piece, str) for piece in pieces):
        return "".join(pieces)
    return [item for piece in pieces for item in (piece if isinstance(piece, list) else [piece])]
