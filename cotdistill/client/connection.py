"""One connection pool to one OpenAI-compatible server: one attempt at a time, and what its failure means.

The openai package makes the requests; what it hides is done here and in `response_reader`: the stream and the clocks.
Measured with openai 3.52, it takes an empty 200, a stream that was cut and `choices: null` for answers, lets a
trickle of keep-alives defeat its timeout, and sends the prompt on to where a redirect points.
"""

import asyncio
import contextlib
import importlib
import importlib.util
import ipaddress
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cotdistill.client.refusals import RefusedReply, raise_status
from cotdistill.client.response_reader import ResponseReader, Timeouts
from cotdistill.client.retries import Transient, Unreachable, Unresolved, causes, said, shortened, status_error
from cotdistill.client.sse import JsonRow
from cotdistill.errors import UserError

if TYPE_CHECKING:
    from openai import AsyncOpenAI

INSTALL_HINT = "pip install 'openai[aiohttp]'"


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where a server is, and what it wants."""

    base_url: str
    api_key: str | None = field(default=None, repr=False)
    model: str | None = None
    """The model's name there, where it is not the request's."""

    @property
    def host(self) -> str:
        """Host and port, for messages."""
        return urlsplit(self.base_url).netloc


class Connection:
    """Connections to one server, for any number of requests at a time."""

    def __init__(
        self,
        server: Server,
        *,
        connect_timeout_s: float,
        timeouts: Timeouts,
        is_streamed: bool,
        use_proxy: bool = False,
    ) -> None:
        """`use_proxy`: send through the proxy that the environment names."""
        self.server = server
        self._use_proxy = use_proxy
        self._connect_timeout_s = connect_timeout_s
        self._timeouts = timeouts
        self._is_streamed = is_streamed
        self._is_known = False
        """Whether it was ever there."""

    def open(self) -> None:
        """Make the connection pool; nothing is sent yet."""
        self._sdk = _sdk(self.server, self._connect_timeout_s, use_proxy=self._use_proxy)
        self._attempt_errors = _attempt_errors()

    async def close(self) -> None:
        """Close every connection."""
        await self._sdk.close()

    async def attempt(
        self, body: JsonRow, *, broke: Callable[[str, JsonRow], None], on_content: Callable[[], None]
    ) -> ResponseReader:
        """Send a request once; return the complete answer.

        `broke` is called with the reason and with what came of an answer that is billed and lost, `on_content` with
        the first content of a stream.
        Raises: Transient, Unreachable, NoAnswer, AccessRefused, UserError.
        """
        if self.server.model is not None:
            body = {**body, "model": self.server.model}
        arguments = _arguments(body, is_streamed=self._is_streamed)
        reading = ResponseReader(self._timeouts, is_streamed=self._is_streamed, secret=self.server.api_key)
        reading.on_content = on_content
        try:
            async with asyncio.timeout(None) as timer:
                reading.start(timer)
                async with self._sdk.chat.completions.with_streaming_response.create(**arguments) as reply:
                    self._is_known = True
                    is_delimited = bool({"content-length", "transfer-encoding"} & set(reply.headers))
                    await reading.read(reply.iter_bytes(), is_delimited=is_delimited)
        except self._attempt_errors as error:
            # What goes wrong after the last word takes nothing away from an answer that was paid for.
            if not reading.is_finished:
                raise self._failed(self._explained(error, reading.running_clock), reading, broke) from None
        except asyncio.CancelledError:
            self._failed(Transient("stopped"), reading, broke)
            raise
        try:
            reading.close()
        except Transient as error:
            raise self._failed(error, reading, broke) from None
        return reading

    def _failed(self, error: Exception, reading: ResponseReader, broke: Callable[[str, JsonRow], None]) -> Exception:
        """Return an error of an attempt, marked where the server had begun to answer: that is billed."""
        arrived = reading.arrived()
        if arrived is not None and isinstance(error, Transient):
            error.is_billed = True
            broke(error.reason, arrived)
        return error

    def _explained(self, error: Exception, running_clock: str) -> Exception:
        """Return what an error of the openai package, or of what lies below it, means."""
        import aiohttp

        if isinstance(error, Transient):
            return error
        if isinstance(error, TimeoutError):
            return Transient(running_clock)
        chain = list(causes(error))
        refused = next((e for e in chain if isinstance(e, RefusedReply)), None)
        if refused is not None:
            key = self.server.api_key
            return status_error(
                refused.status, said(refused.error, key), refused.headers, kind=refused.kind, secret=key
            )
        root = next((e for e in chain if isinstance(e, aiohttp.ClientError | OSError)), chain[-1])
        reason = shortened(f"{type(root).__name__}: {root}" if str(root) else type(root).__name__)
        if isinstance(root, aiohttp.ClientConnectorCertificateError):
            return UserError(f"the server's certificate was not accepted: {reason}", self.server.base_url)
        if not self._is_known and isinstance(root, aiohttp.ClientConnectorDNSError) and _is_no_name(root.os_error):
            return Unresolved(f"no host has this name: {reason}", self.server.base_url, "see to `base_url`")
        if isinstance(root, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            return Unreachable(reason)
        return Transient(f"the connection broke: {reason}")


def check_installed() -> None:
    """Return if the openai package can be used, without importing it.

    Raises: UserError.
    """
    for package in ("openai", "aiohttp"):
        if importlib.util.find_spec(package) is None:
            raise UserError(f"the package {package} is not installed", hint=INSTALL_HINT)


def _sdk(server: Server, connect_s: float, *, use_proxy: bool) -> "AsyncOpenAI":
    check_installed()
    import openai

    # A base_url on this machine is never meant for the proxy that the environment names.
    http_client = openai.DefaultAioHttpClient(
        follow_redirects=False,
        limits=_httpx().Limits(max_connections=0),  # aiohttp's "no limit": its caller bounds what is in flight
        trust_env=use_proxy and not _is_loopback(server.base_url),
        verify=_certificates() or True,
        event_hooks={"response": [raise_status]},
    )
    with without_variables("OPENAI_"):
        return openai.AsyncOpenAI(
            base_url=server.base_url,
            api_key=server.api_key or "none",  # servers without keys ignore it; the package insists on one
            max_retries=0,
            timeout=openai.Timeout(None, connect=connect_s, pool=connect_s),
            http_client=http_client,
        )


@contextlib.contextmanager
def without_variables(prefix: str) -> Iterator[None]:
    """Take the variables with a prefix out of the environment: they are meant for another endpoint than this one.

    OPENAI_CUSTOM_HEADERS alone would replace the key of every request.
    """
    taken = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(prefix)}
    try:
        yield
    finally:
        os.environ.update(taken)


def _certificates() -> ssl.SSLContext | None:
    """Return the certificates that SSL_CERT_FILE or SSL_CERT_DIR name; None where neither is set.

    Raises: UserError.
    """
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if not file and not folder:
        return None
    try:
        return ssl.create_default_context(cafile=file or None, capath=folder or None)
    except (OSError, ValueError) as error:
        raise UserError(f"its certificates cannot be used: {error}", f"SSL_CERT_FILE={file}") from None


def _httpx() -> Any:  # Any: a module
    """Return the HTTP package that openai stands on: httpx up to version 2, httpx2 from 3 on."""
    import openai

    return importlib.import_module(type(openai.DEFAULT_CONNECTION_LIMITS).__module__.partition(".")[0])


def _attempt_errors() -> tuple[type[Exception], ...]:
    import aiohttp
    import openai

    return (Transient, RefusedReply, openai.APIError, _httpx().HTTPError, aiohttp.ClientError, OSError)


def _is_no_name(error: OSError) -> bool:
    """Return whether the name service knows no such name, rather than no answer at the moment."""
    return isinstance(error, socket.gaierror) and error.errno in (socket.EAI_NONAME, socket.EAI_NODATA)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _arguments(body: JsonRow, *, is_streamed: bool) -> dict[str, Any]:  # Any: JSON values
    """Return the arguments of the package's `create`: everything in `extra_body`, which goes through as it is.

    Messages that are given as an argument are taken apart by type, a third of the CPU of a request (openai 3.52).
    """
    fields = {"stream_options": {"include_usage": True}, **body} if is_streamed else body
    given = {name: value for name, value in fields.items() if value is not None}
    return {"model": given["model"], "messages": [], "stream": is_streamed, "extra_body": given}
