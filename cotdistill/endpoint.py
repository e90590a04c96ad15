"""Asynchronous client of an OpenAI-compatible server that loses nothing that was paid for.

    async with Client(EndpointOptions(base_url="https://api.deepseek.com/v1", api_key=key)) as client:
        answer = await client.complete({"model": "deepseek-reasoner", "messages": [...]})

The openai package makes the requests; what it hides is done here: reading the stream, the clocks, the
retries. Measured with openai 3.52, it takes an empty 200, a stream that was cut and `choices: null` for
answers, lets a trickle of keep-alives defeat its timeout, and sends the prompt on to where a redirect points.
"""

import asyncio
import importlib
import importlib.util
import ipaddress
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from cotdistill.errors import TryAgainLater, UserError
from cotdistill.reading import Limits, Reading
from cotdistill.retries import NoAnswer, Transient, Unreachable, causes, said, shortened, status_error, wait_s
from cotdistill.sse import JsonRow

if TYPE_CHECKING:
    from openai import AsyncOpenAI

log = logging.getLogger(__name__)

INSTALL_HINT = "pip install 'openai[aiohttp]'"

LAST_PROBE = 5
"""Waits grow up to this probe of an endpoint that is down, so that its return is noticed within seconds."""


@dataclass(frozen=True, kw_only=True)
class EndpointOptions:
    """Where the server is, and how patient to be. All times by the monotonic clock."""

    base_url: str
    api_key: str | None = field(default=None, repr=False)
    stream: bool = True
    connect_timeout_s: float = 20.0
    limits: Limits = field(default_factory=Limits)
    max_attempts: int = 8
    max_outage_s: float = 600.0
    base_wait_s: float = 1.0
    """Mean wait doubles from half of this with every attempt."""
    longest_wait_s: float = 60.0


class Answer(NamedTuple):
    """A complete answer, in the shape of a chat completion that was not streamed."""

    response: JsonRow
    latency_s: float
    """Of the attempt that succeeded."""
    first_content_s: float | None
    """None where the answer was not streamed."""
    attempts: int


class Client:
    """Connections to one server, for any number of requests at a time."""

    def __init__(self, options: EndpointOptions, *, jitter: Callable[[], float] = random.random) -> None:
        """`jitter` gives the random share of each wait: numbers in [0, 1)."""
        self.options = options
        self._jitter = jitter
        self._down_since_s: float | None = None

    async def __aenter__(self) -> "Client":
        self._sdk = _sdk(self.options)
        self._attempt_errors = _attempt_errors()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._sdk.close()

    async def complete(self, body: JsonRow) -> Answer:
        """Return the answer to one chat-completion request, tried as often as it takes.

        A field of `body` that is None is left out.
        Raises: NoAnswer for this request; AccessRefused, TryAgainLater, UserError for what stops the run.
        """
        failed = probes = 0
        while True:
            try:
                reading = await self._attempt(body)
                return Answer(reading.response, reading.latency_s, reading.first_content_s, failed + 1)
            except Unreachable as error:
                self._note_outage(error)
                probes = min(probes + 1, LAST_PROBE)
                wait = self._wait_s(probes, None)
            except Transient as error:
                failed += 1
                if failed >= self.options.max_attempts:
                    raise NoAnswer(f"exhausted: {error.reason} ({failed} attempts)") from None
                wait = self._wait_s(failed, error.retry_after_s)
                log.info("attempt %d failed, next in %.1f s: %s", failed, wait, error.reason)
            await asyncio.sleep(wait)

    def _wait_s(self, failed: int, asked_s: float | None) -> float:
        options = self.options
        return wait_s(failed, asked_s, self._jitter(), base_s=options.base_wait_s, longest_s=options.longest_wait_s)

    def _note_outage(self, error: Unreachable) -> None:
        """Begin or go on with an outage, which all requests share.

        Raises: TryAgainLater: it is too long.
        """
        now_s = asyncio.get_running_loop().time()
        host = urlsplit(self.options.base_url).netloc
        if self._down_since_s is None:
            self._down_since_s = now_s
            log.warning("%s: %s; trying for %g s", host, error.reason, self.options.max_outage_s)
        if now_s - self._down_since_s >= self.options.max_outage_s:
            raise TryAgainLater(
                f"no connection for {now_s - self._down_since_s:.0f} s: {error.reason}",
                host,
                "start the server or mend base_url, then run the same command again",
            ) from None

    async def _attempt(self, body: JsonRow) -> Reading:
        """Send the request once; return the complete answer.

        Raises: Transient, Unreachable, NoAnswer, AccessRefused, UserError.
        """
        arguments = _arguments(body, is_streamed=self.options.stream)
        reading = Reading(self.options.limits, is_streamed=self.options.stream, secret=self.options.api_key)
        try:
            async with asyncio.timeout(None) as timer:
                reading.start(timer)
                async with self._sdk.chat.completions.with_streaming_response.create(**arguments) as reply:
                    self._down_since_s = None
                    await reading.read(reply.headers.get("content-type", ""), reply.iter_bytes())
        except self._attempt_errors as error:
            # What goes wrong after the last word takes nothing away from an answer that was paid for.
            if not reading.is_finished:
                raise self._explained(error, reading.running_clock) from None
        return reading

    def _explained(self, error: Exception, running_clock: str) -> Exception:
        """Return what an error of the openai package, or of what lies below it, means."""
        import aiohttp
        import openai

        if isinstance(error, Transient):
            return error
        if isinstance(error, TimeoutError):
            return Transient(running_clock)
        if isinstance(error, openai.APIStatusError):
            self._down_since_s = None
            message = said(error.body, self.options.api_key)
            return status_error(error.status_code, message, error.response.headers)
        chain = list(causes(error))
        root = next((e for e in chain if isinstance(e, aiohttp.ClientError | OSError)), chain[-1])
        reason = shortened(f"{type(root).__name__}: {root}" if str(root) else type(root).__name__)
        if isinstance(root, aiohttp.ClientConnectorCertificateError):
            return UserError(f"the server's certificate was not accepted: {reason}", self.options.base_url)
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


def _sdk(options: EndpointOptions) -> "AsyncOpenAI":
    check_installed()
    import openai

    # A base_url on this machine is never meant for the proxy that the environment names.
    http_client = openai.DefaultAioHttpClient(
        follow_redirects=False,
        limits=_httpx().Limits(max_connections=0),  # aiohttp's "no limit": its caller bounds what is in flight
        trust_env=not _is_loopback(options.base_url),
    )
    connect_s = options.connect_timeout_s
    sdk = openai.AsyncOpenAI(
        base_url=options.base_url,
        api_key=options.api_key or "none",  # servers without keys ignore it; the package insists on one
        max_retries=0,
        timeout=openai.Timeout(None, connect=connect_s, pool=connect_s),
        http_client=http_client,
    )
    # Taken from the environment by the package; they belong to another endpoint than this one.
    sdk.organization = sdk.project = None
    return sdk


def _httpx() -> Any:  # Any: a module
    """Return the HTTP package that openai stands on: httpx up to version 2, httpx2 from 3 on."""
    import openai

    return importlib.import_module(type(openai.DEFAULT_CONNECTION_LIMITS).__module__.partition(".")[0])


def _attempt_errors() -> tuple[type[Exception], ...]:
    import aiohttp
    import openai

    return (Transient, openai.APIError, _httpx().HTTPError, aiohttp.ClientError, OSError)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _arguments(body: JsonRow, *, is_streamed: bool) -> dict[str, Any]:  # Any: JSON values
    """Return the arguments of the package's `create`; what it has no parameter for goes through as it is."""
    fields = {"stream_options": {"include_usage": True}, **body} if is_streamed else body
    rest = {name: value for name, value in fields.items() if value is not None}
    named = {"model": rest.pop("model"), "messages": rest.pop("messages")}
    return {**named, "stream": is_streamed, "extra_body": rest}
