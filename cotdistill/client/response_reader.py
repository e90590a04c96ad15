"""One answer while it arrives: streamed or whole, with the clocks that run against it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
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

MALFORMED = (ValueError, RecursionError, TypeError, KeyError, AttributeError)
"""What parsing or merging raises on bytes that are not of the protocol."""

BOM = b"\xef\xbb\xbf"

EVENT_STARTS = b"d:eir"
"""First bytes of a line of server-sent events: `data:`, a comment, `event:`, `id:`, `retry:`. No JSON value begins
with one of these."""


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
        """Whether nothing of the answer is missing, though more of the body (token counts) may come."""
        self.running_clock = ""
        """What the timer would say if it ended now."""
        self.on_content: Callable[[], None] = lambda: None
        """Called with the first content of a stream."""
        self.response: JsonRow = {}
        self.latency_s = 0.0
        self.first_content_s: float | None = None
        self._secret = secret
        self._size_bytes = 0
        self._is_done = False
        self._postpone_from_s = 0.0
        self._answer: ChunkAccumulator | None = None
        """Of a stream."""
        self._body = bytearray()
        """Of an answer that is sent whole."""
        self._billed: JsonRow = {}
        """It, where it could be read, whatever is wrong with it."""
        self._ended_s = 0.0
        """When the last of the answer itself came."""

    def start(self, timer: asyncio.Timeout) -> None:
        """Start the clocks; they end by `timer`."""
        self._timer = timer
        self._now = asyncio.get_running_loop().time
        self._started_s = self._now()
        if self.is_streamed:
            self._run("no content", self.timeouts.first_content_s)
        else:
            self._run("no answer", self.timeouts.total_s)

    async def read(self, body: AsyncIterator[bytes], *, is_delimited: bool = True) -> None:
        """Read to the end of the body; what it is, its first byte says: servers name it wrongly.

        `is_delimited`: a body that is cut raises; where its end is the connection's, a cut looks like an end.
        Raises: Transient: what came is no answer, or not all of it.
        """
        start = b""
        async for chunk in body:
            self._count(chunk)
            start = (start + chunk).removeprefix(BOM)
            if start in (BOM[:1], BOM[:2]):
                continue
            start = start.lstrip()
            if start:
                break
        if not start:
            raise Transient("an empty body")
        if start.startswith(b"<"):
            raise Transient("HTML instead of an answer")
        if start[0] in EVENT_STARTS:
            await self._read_events(start, body, is_delimited=is_delimited)
        else:
            await self._read_whole(start, body)

    def close(self) -> None:
        """Take what came as the answer. Raises: Transient: it is none."""
        if self._answer is None:
            return
        try:
            self._finish(self._answer.response())
        except MALFORMED as error:
            raise Transient(f"a malformed stream: {type(error).__name__}") from None

    def arrived(self) -> JsonRow | None:
        """Return what came of an answer that broke, for it is billed; None where nothing came.

        `usage` holds the server's own count, if that came.
        """
        with contextlib.suppress(*MALFORMED):
            if self._answer is not None:
                is_begun = self.first_content_s is not None or self._answer.is_finished
                return self._answer.response() if is_begun else None
            if self._billed:
                return self._billed
            if self._body.startswith(b'{"') and b'"choices"' in self._body:
                return _begun(bytes(self._body))
        return None

    async def _read_whole(self, start: bytes, body: AsyncIterator[bytes]) -> None:
        self._body += start
        async for chunk in body:
            self._count(chunk)
            self._body += chunk
        try:
            response = self._parsed(bytes(self._body))
            self._billed = response
            self._ended_s = self._now()
            self._finish(response)
        except MALFORMED as error:
            raise Transient(f"a malformed answer: {type(error).__name__}") from None

    async def _read_events(self, start: bytes, body: AsyncIterator[bytes], *, is_delimited: bool) -> None:
        decoder, self._answer = SSEDecoder(), ChunkAccumulator()
        try:
            self._take(decoder.feed(start), self._answer)
            async for chunk in body:
                self._count(chunk)
                self._take(decoder.feed(chunk), self._answer)
            self._take(decoder.close(), self._answer)
        except MALFORMED as error:
            raise Transient(f"a malformed stream: {type(error).__name__}") from None
        if not self._answer.is_finished:
            raise Transient("the stream ended before the answer (no finish_reason)")
        if not self.is_finished and not is_delimited:
            raise Transient("the stream ended without [DONE], and no finish_reason said where")
        self.is_finished = True

    def _take(self, events: list[bytes], answer: ChunkAccumulator) -> None:
        """Take in events, and set the clock to what is now waited for."""
        was_finished, was_done, is_content = self.is_finished, self._is_done, False
        for data in events:
            if data == b"[DONE]":
                self._is_done = True
            else:
                is_content |= answer.add(self._parsed(data))
            # Where more comes after a finish_reason, only the end of the stream is the end.
            self.is_finished = answer.is_finished and (self._is_done or not answer.is_continued)
            if is_content and self.first_content_s is None:
                self.first_content_s = self._now() - self._started_s
                self.on_content()
        if is_content or not was_finished:
            self._ended_s = self._now()
        if self._is_done and not was_done:
            self._run("no end after [DONE]", DONE_S)
        elif self.is_finished and not was_finished:
            self._run("no token counts", TAIL_S)
        elif is_content and not self.is_finished:
            if was_finished:
                self._postpone_from_s = 0.0
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
        self.latency_s = self._ended_s - self._started_s
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


def _begun(body: bytes) -> JsonRow:
    """Return what a body says that was cut off, as far as it goes; its text as the answer where it is no JSON."""
    with contextlib.suppress(ValueError):
        begun = from_json(body, allow_partial="trailing-strings")
        if isinstance(begun, dict) and begun.get("choices"):
            return begun
    return {"choices": [{"message": {"content": body.decode(errors="replace")}}]}


def _check_choices(response: JsonRow) -> None:
    """Raise Transient if there is no answer in a response."""
    choices = response.get("choices")
    if not isinstance(choices, list) or not choices:
        raise Transient("no choices in the answer")
    for choice in choices:
        if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
            raise Transient("a choice without a message in the answer")
        content, reason = choice["message"].get("content"), choice.get("finish_reason")
        if not isinstance(content, str | list | None):
            raise Transient(f"a JSON {type(content).__name__} as the content of the answer")
        if not isinstance(reason, str | None):
            raise Transient(f"a JSON {type(reason).__name__} as finish_reason")
        if reason in CUT_FINISHES:
            raise Transient(f"the server gave up: finish_reason {reason}")
