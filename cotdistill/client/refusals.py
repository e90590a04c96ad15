"""A reply that is an HTTP error or a redirect: its body is read as far as an error needs."""

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

from cotdistill.client.retries import said, status_error

if TYPE_CHECKING:
    from aiohttp import ClientResponse

MOST_BYTES = 64 << 10

PATIENCE_S = 10.0
"""Wait for an error's body: the status has said the most of it."""


async def refused_reply(reply: "ClientResponse", *, secret: str | None) -> Exception:
    """Return what a reply with a status of 300 or more means; `secret` is redacted in what the server says."""
    error = _error(await _start_of(reply))
    return status_error(reply.status, said(error, secret), reply.headers, kind=_kind(error), secret=secret)


async def _start_of(reply: "ClientResponse") -> bytes:
    """Return the first bytes of a body, unpacked; as many as came where it breaks."""
    import aiohttp

    body = b""
    with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            async for chunk in reply.content.iter_any():
                body += chunk[:MOST_BYTES]
                if len(body) >= MOST_BYTES:
                    break
    return body[:MOST_BYTES]


def _error(body: bytes) -> object:
    """Return the error in a body: the object of an `error`, the whole object, or the text."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return body.decode(errors="replace")
    return value.get("error") or value if isinstance(value, dict) else value


def _kind(error: object) -> str | None:
    """Return the server's code for an error, such as `insufficient_quota`."""
    if not isinstance(error, dict):
        return None
    return next((value for name in ("code", "type") if isinstance(value := error.get(name), str)), None)
