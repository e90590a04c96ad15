"""A reply that is an HTTP error or a redirect: its body is read as far as an error needs, packed ones too.

The openai package reads such bodies whole: 1 MB of gzip fills 4 GB of memory.
"""

import json
import zlib
from collections.abc import Mapping
from typing import Any

MOST_BYTES = 64 << 10


class RefusedReply(Exception):
    """A status of 300 and more, and what the server said with it."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.headers = headers
        self.error: object = _error(body)

    @property
    def kind(self) -> str | None:
        """The server's code for it, such as `insufficient_quota`."""
        if not isinstance(self.error, dict):
            return None
        return next((value for name in ("code", "type") if isinstance(value := self.error.get(name), str)), None)


async def raise_status(reply: Any) -> None:  # Any: a response of the HTTP package that openai stands on
    """Raise what a reply's status says, before anyone reads its body. Raises: RefusedReply."""
    if reply.status_code < 300:
        return
    body = b""
    async for chunk in reply.aiter_raw():
        body += chunk[:MOST_BYTES]
        if len(body) >= MOST_BYTES:
            break
    body = unpacked(body[:MOST_BYTES], reply.headers.get("content-encoding", ""))
    raise RefusedReply(reply.status_code, dict(reply.headers), body)


def unpacked(body: bytes, encoding: str) -> bytes:
    """Return the first bytes of a body as it was before packing; empty where they cannot be got."""
    if encoding.strip().lower() in ("", "identity"):
        return body
    if encoding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
        return b""
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(body, MOST_BYTES)
    except zlib.error:
        return b""


def _error(body: bytes) -> object:
    """Return the error in a body: the object of an `error`, the whole object, or the text."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return body.decode(errors="replace")
    return value.get("error") or value if isinstance(value, dict) else value
