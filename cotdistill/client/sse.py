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

PIECE_TYPES = {"content": (str, list), "refusal": (str,), "reasoning_content": (str, list)}
"""What a piece may be, where one of another type is a fault of the server; the other fields differ by server."""

NOT_FINISHED = ("", "null")
"""Servers send these as the finish_reason of every piece (SGLang, Ollama, KoboldCpp): they end nothing."""


class SSEDecoder:
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
        data = self._data
        for line in lines:
            if line[:5] == b"data:":
                data.append(line[5:].removesuffix(b"\r").removeprefix(b" "))
            elif data and (not line or line == b"\r"):
                events.append(data[0] if len(data) == 1 else b"\n".join(data))
                data.clear()
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
    last: JsonRow | None = None
    """What the part before held beside its piece: mostly the same as in the next, which then need not be read."""

    def add(self, choice: JsonRow) -> bool:
        """Take in one part, which is used up; return whether it brought content."""
        delta, logprobs = choice.pop("delta", None), choice.pop("logprobs", None)
        if choice != self.last:
            self.last = choice
            self.rest.update(
                (name, value) for name, value in choice.items() if value is not None and name != "finish_reason"
            )
            if "finish_reason" in choice:
                self._take_finish(choice["finish_reason"])
        if logprobs is not None:
            for kind, tokens in _checked(logprobs, dict).items():
                self.logprobs.setdefault(kind, []).extend(_checked(tokens or [], list))
        return delta is not None and self._add_delta(delta)

    def _take_finish(self, reason: object) -> None:
        """Keep a finish_reason that says something. Raises: ValueError: it is no text."""
        if reason is not None and _checked(reason, str) not in NOT_FINISHED:
            self.rest["finish_reason"] = reason

    def _add_delta(self, delta: object) -> bool:
        is_content = False
        for name, value in _checked(delta, dict).items():
            if name not in JOINED:
                if value is not None:
                    self.message[name] = value
            elif value:
                if name in PIECE_TYPES and not isinstance(value, PIECE_TYPES[name]):
                    raise ValueError(f"{type(value).__name__} as {name}")
                if name in self.pieces:
                    self.pieces[name].append(value)
                else:
                    self.pieces[name] = [value]
                is_content = True
        return is_content

    def whole(self) -> JsonRow:
        """Return the choice as a server that does not stream would have sent it."""
        joined = {name: _join(pieces) for name, pieces in self.pieces.items()}
        message = {"role": "assistant", "content": "", **self.message, **joined}
        logprobs = {"logprobs": dict(self.logprobs)} if self.logprobs else {}
        return {"index": 0, **self.rest, "message": message, **logprobs}


class ChunkAccumulator:
    """Puts the chunks of a streamed answer together."""

    def __init__(self) -> None:
        self.is_finished = False
        """Whether every choice that began has its finish_reason: nothing of the answer is missing."""
        self.is_continued = False
        """Whether content came after a finish_reason: this server's says nothing about the end."""
        self._top: JsonRow = {}
        self._choices: dict[int, _Choice] = {}
        self._last: JsonRow | None = None
        """What the chunk before held beside its choices."""

    def add(self, chunk: JsonRow) -> bool:
        """Take in one chunk, which is used up; return whether it brought content.

        Raises: ValueError: the chunk has not the shape of the protocol.
        """
        is_content = False
        choices = chunk.pop("choices", None)
        if chunk != self._last:
            self._last = chunk
            self._top.update((name, value) for name, value in chunk.items() if value is not None)
        if choices is not None:
            for choice in _checked(choices, list):
                number = _checked(_checked(choice, dict).get("index") or 0, int)
                state = self._choices.get(number)
                if state is None:
                    state = self._choices[number] = _Choice()
                    self.is_finished = False
                was_finished = "finish_reason" in state.rest
                came = state.add(choice)
                is_content |= came
                self.is_continued |= was_finished and came
                if "finish_reason" in state.rest:
                    self.is_finished = all("finish_reason" in other.rest for other in self._choices.values())
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
