"""One answer while it arrives: streamed or whole, with the clocks that run against it."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

from pydantic_core import from_json

from cotdistill.client.retries import CUT_FINISHES, Transient, error_in_body
from cotdistill.client.sse import ChunkAccumulator, JsonRow, SSEDecoder

MAX_BODY_BYTES = 64 << 20
"""Over a hundred times the longest answer seen; a body without end would fill the memory."""

TAIL_S = 5.0
"""Wait for the token counts after the finish_reason: the answer itself is complete."""

DONE_S = 1.0
"""Wait for the end of the body after [DONE], so that the connection can be used again."""

MALFORMED = (ValueError, RecursionError)
"""What parsing or merging raises on bytes that are not of the protocol."""


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """How long an answer may take, by the monotonic clock."""

    first_content_s: float = 900.0
    """Until the first content of a stream."""
    gap_s: float = 180.0
    """Between two pieces of content, to 2 %; what carries none, such as a keep-alive, does not count."""
    total_s: float = 3600.0
    """From the request to the end of the answer."""


class ResponseReader:
    """Reads one answer. One timer stands for all clocks: it is set to the one that ends first."""

    def __init__(self, timeouts: Timeouts, *, is_streamed: bool, secret: str | None) -> None:
        """`secret` is redacted in what the server says in errors."""
        self.timeouts = timeouts
        self.is_streamed = is_streamed
        self.is_finished = False
        """Whether the answer is complete, though more of the body (token counts) may come."""
        self.running_clock = ""
        """What the timer would say if it ended now."""
        self.response: JsonRow = {}
        self.latency_s = 0.0
        self.first_content_s: float | None = None
        self._secret = secret
        self._size_bytes = 0
        self._is_done = False
        self._postpone_from_s = 0.0

    def start(self, timer: asyncio.Timeout) -> None:
        """Start the clocks; they end by `timer`."""
        self._timer = timer
        self._now = asyncio.get_running_loop().time
        self._started_s = self._now()
        if self.is_streamed:
            self._run("no content", self.timeouts.first_content_s)
        else:
            self._run("no answer", self.timeouts.total_s)

    async def read(self, content_type: str, body: AsyncIterator[bytes]) -> None:
        """Read to the end of the body.

        Raises: Transient: what came is no answer, or not all of it.
        """
        is_other = "json" in content_type or "html" in content_type
        if "event-stream" in content_type or (self.is_streamed and not is_other):
            await self._read_events(body)
        else:
            await self._read_whole(body)

    async def _read_whole(self, body: AsyncIterator[bytes]) -> None:
        parts = []
        async for chunk in body:
            self._count(chunk)
            parts.append(chunk)
        data = b"".join(parts).strip()
        if not data:
            raise Transient("an empty body")
        if data.startswith(b"<"):
            raise Transient("HTML instead of an answer")
        try:
            self._finish(self._parsed(data))
        except MALFORMED as error:
            raise Transient(f"a malformed answer: {type(error).__name__}") from None

    async def _read_events(self, body: AsyncIterator[bytes]) -> None:
        decoder, answer = SSEDecoder(), ChunkAccumulator()
        try:
            async for chunk in body:
                self._count(chunk)
                self._take(decoder.feed(chunk), answer)
            self._take(decoder.close(), answer)
        except MALFORMED as error:
            raise Transient(f"a malformed stream: {type(error).__name__}") from None
        if not self.is_finished:
            raise Transient("the stream ended before the answer (no finish_reason)")

    def _take(self, events: list[bytes], answer: ChunkAccumulator) -> None:
        """Take in events, and set the clock to what is now waited for."""
        was_finished, was_done, is_content = self.is_finished, self._is_done, False
        for data in events:
            if data == b"[DONE]":
                self._is_done = True
                continue
            is_content |= answer.add(self._parsed(data))
            if is_content and self.first_content_s is None:
                self.first_content_s = self._now() - self._started_s
            if answer.is_finished:
                self._finish(answer.response())
        if self._is_done and not was_done:
            self._run("no end after [DONE]", DONE_S)
        elif self.is_finished and not was_finished:
            self._run("no token counts", TAIL_S)
        elif is_content and not self.is_finished:
            self._content_came()

    def _content_came(self) -> None:
        """Start the gap clock anew."""
        now_s = self._now()
        if now_s >= self._postpone_from_s:
            # Moving the timer costs more than merging an event, so it is set a little late and left there meanwhile.
            slack_s = self.timeouts.gap_s / 64
            self._run("no further content", self.timeouts.gap_s, slack_s=slack_s)
            self._postpone_from_s = now_s + slack_s

    def _parsed(self, data: bytes) -> JsonRow:
        """Return a JSON object that reports no error."""
        try:
            value = from_json(data)
        except ValueError:
            # The parser of pydantic is faster, but it refuses half a character (a lone escaped surrogate).
            value = json.loads(data)
        if not isinstance(value, dict):
            raise Transient(f"a JSON {type(value).__name__} instead of an answer")
        if value.get("error") and not self.is_finished:
            raise error_in_body(value["error"], self._secret)
        return value

    def _finish(self, response: JsonRow) -> None:
        _check_choices(response)
        self.response = response
        self.latency_s = self._now() - self._started_s
        self.is_finished = True

    def _count(self, chunk: bytes) -> None:
        self._size_bytes += len(chunk)
        if self._size_bytes > MAX_BODY_BYTES:
            raise Transient(f"the answer is longer than {MAX_BODY_BYTES >> 20} MiB")

    def _run(self, clock: str, limit_s: float, *, slack_s: float = 0.0) -> None:
        """Set the timer to this clock, or to the total where that ends first."""
        ends_s, total_s = self._now() + limit_s + slack_s, self._started_s + self.timeouts.total_s
        self.running_clock = f"{clock} for {limit_s:g} s"
        if ends_s >= total_s:
            self.running_clock = f"not complete after {self.timeouts.total_s:g} s"
        self._timer.reschedule(min(ends_s, total_s))


def _check_choices(response: JsonRow) -> None:
    """Raise Transient if there is no answer in a response."""
    choices = response.get("choices")
    if not isinstance(choices, list) or not choices:
        raise Transient("no choices in the answer")
    for choice in choices:
        if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
            raise Transient("a choice without a message in the answer")
        if choice.get("finish_reason") in CUT_FINISHES:
            raise Transient(f"the server gave up: finish_reason {choice['finish_reason']}")
