"""The HTTP/1.1 side of the embedded teacher: asyncio streams, keep-alive, server-sent events, and no more.

About 0.2 ms of CPU per answer, so that thousands of samples cost seconds, not minutes.
"""

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus

from cotdistill.demo.protocol import Reply, Request, Stream, Teacher, error, reply

MAX_HEAD_BYTES = 64 * 1024
MAX_BODY_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class Head:
    """Request line and headers; header names in lower case."""

    method: str
    path: str
    version: str
    headers: dict[str, str]

    @property
    def keeps_alive(self) -> bool:
        """Whether another request may follow on the connection."""
        return self.version == "HTTP/1.1" and self.headers.get("connection", "").lower() != "close"


class BadRequest(Exception):
    """The client does not speak HTTP as it is understood here; the connection ends with this reply."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.reply = error(status, message, "invalid_request")


class Site:
    """Answers connections for a teacher, each answer after `latency_s` seconds."""

    def __init__(self, teacher: Teacher, *, latency_s: float) -> None:
        self.teacher = teacher
        self.latency_s = latency_s

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer request after request; a client that goes away is no fault of ours."""
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; say whether another may follow."""
        try:
            head = await _read_head(reader)
            body = await _read_body(reader, head)
        except BadRequest as bad:
            await _send_json(writer, bad.reply, keep_alive=False)
            return False
        request = Request(head.method, head.path, head.headers.get("authorization", ""), body)
        answer = reply(request, self.teacher)
        if self.latency_s and head.method == "POST":
            await asyncio.sleep(self.latency_s)
        if isinstance(answer, Stream):
            await _send_events(writer, answer, keep_alive=head.keeps_alive)
        else:
            await _send_json(writer, answer, keep_alive=head.keeps_alive)
        return head.keeps_alive


async def _read_head(reader: asyncio.StreamReader) -> Head:
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise BadRequest(431, f"the headers are longer than {MAX_HEAD_BYTES} bytes") from None
    first, *lines = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest(400, "not an HTTP/1 request")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return Head(words[0], words[1], words[2], headers)


async def _read_body(reader: asyncio.StreamReader, head: Head) -> bytes:
    if "transfer-encoding" in head.headers:
        raise BadRequest(411, "a body needs a Content-Length")
    length = head.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise BadRequest(400, "Content-Length is not a number")
    if len(length) > 12 or int(length) > MAX_BODY_BYTES:
        raise BadRequest(413, f"the body is longer than {MAX_BODY_BYTES} bytes")
    return await reader.readexactly(int(length))


async def _send_json(writer: asyncio.StreamWriter, answer: Reply, *, keep_alive: bool) -> None:
    body = json.dumps(answer.payload).encode()
    length = f"Content-Length: {len(body)}"
    head = _head(answer.status, "application/json", length, keep_alive=keep_alive)
    writer.write(head + body)
    await writer.drain()


async def _send_events(writer: asyncio.StreamWriter, answer: Stream, *, keep_alive: bool) -> None:
    """Send one event a write, as a real server does, so that clients see them cut anywhere."""
    chunked = "Transfer-Encoding: chunked"
    writer.write(_head(200, "text/event-stream", chunked, keep_alive=keep_alive))
    for payload in answer.payloads:
        writer.write(_event(json.dumps(payload)))
    writer.write(_event("[DONE]") + b"0\r\n\r\n")
    await writer.drain()


def _event(data: str) -> bytes:
    event = f"data: {data}\n\n".encode()
    return b"%x\r\n%s\r\n" % (len(event), event)


def _head(status: int, content_type: str, length: str, *, keep_alive: bool) -> bytes:
    connection = "keep-alive" if keep_alive else "close"
    lines = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        f"Content-Type: {content_type}",
        length,
        f"Connection: {connection}",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
