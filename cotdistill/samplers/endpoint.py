"""endpoint: a model behind an OpenAI-compatible server, such as DeepSeek's, DashScope's or a local vLLM.

teacher: {kind: endpoint, base_url: https://api.deepseek.com/v1, model: deepseek-reasoner, api_key_env: API_KEY}
"""

import functools
import json
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from cotdistill import prompts
from cotdistill.endpoint import Client, EndpointOptions, check_installed
from cotdistill.errors import AccessRefused, UserError
from cotdistill.reading import Limits
from cotdistill.records import Message, Problem, Sampling
from cotdistill.registry import OPERATIONAL, kind
from cotdistill.retries import NoAnswer
from cotdistill.samplers import Draw, JsonRow, Reply, Request, Unanswered

OWN_FIELDS = frozenset({"model", "messages", "stream", "n"})
"""Fields of the request body that the sampler sets; two answers to one request would be paid and one lost."""


def _base_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_url = False
    if not is_url:
        raise ValueError("must be an http or https address, such as https://api.deepseek.com/v1")
    if parts.username or parts.password or parts.query:
        raise ValueError("must hold no user, password or query; name the key's variable in `api_key_env`")
    if parts.path.rstrip("/").endswith("/completions"):
        raise ValueError("must end before /chat/completions, which is added")
    return value


def _variable_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        raise ValueError("must be the name of an environment variable, not the key itself")
    return value


def _extra(value: dict[str, Any]) -> dict[str, Any]:  # Any: JSON values
    if clash := sorted(OWN_FIELDS & value.keys()):
        raise ValueError(f"must not hold {', '.join(clash)}: set by the sampler")
    return value


Seconds = Annotated[float, Field(gt=0), OPERATIONAL]


@kind
@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A model behind an OpenAI-compatible server.

    Options:
        base_url: address of the server up to and including its version, such as https://api.deepseek.com/v1
        model: name of the model, as the server knows it
        api_key_env: environment variable that holds the key; none where the server asks for none
        prompt: template file with {question} in it; without one the model is asked the bare question
        system: system prompt; none by default, as DeepSeek-R1's card advises
        extra_body: further fields of the request body, as {enable_thinking: true}; null takes one away
        stream: receive the answer while it is written; gateways cut silent connections, often after 60 s
        connect_timeout_s: seconds to connect
        first_content_timeout_s: seconds until the first content; DeepSeek queues for up to 10 minutes
        gap_timeout_s: seconds between two pieces of content; keep-alives do not count
        total_timeout_s: seconds for a whole answer
        max_attempts: how often a request is sent, each wait twice as long as the one before, up to a minute
        max_outage_s: seconds without any connection until the run stops, to go on later
    """

    base_url: Annotated[str, AfterValidator(_base_url), OPERATIONAL]
    model: Annotated[str, Field(min_length=1)]
    api_key_env: Annotated[str | None, AfterValidator(lambda v: v and _variable_name(v)), OPERATIONAL] = None
    prompt: Path | None = None
    system: str | None = None
    extra_body: Annotated[dict[str, Any] | None, AfterValidator(lambda v: v and _extra(v))] = None
    stream: Annotated[bool, OPERATIONAL] = True
    connect_timeout_s: Seconds = 20.0
    first_content_timeout_s: Seconds = 900.0
    gap_timeout_s: Seconds = 180.0
    total_timeout_s: Seconds = 3600.0
    max_attempts: Annotated[int, Field(ge=1), OPERATIONAL] = 8
    max_outage_s: Annotated[float, Field(ge=0), OPERATIONAL] = 600.0

    @property
    def identity(self) -> str:
        """The model and the request fields that change what it answers."""
        if not self.extra_body:
            return self.model
        return f"{self.model} {json.dumps(self.extra_body, sort_keys=True, separators=(',', ':'))}"

    def check(self) -> None:
        """Return if all that can be known before the first request is well.

        Raises: UserError: the key's variable is not set, the template cannot be used.
        """
        check_installed()
        self._api_key()
        _ = self._template

    def messages(self, problem: Problem, /) -> tuple[Message, ...]:
        """Return the system prompt, if there is one, and the template with the question in it."""
        asked = Message(role="user", content=prompts.render(self._template, question=problem.question))
        return (asked,) if self.system is None else (Message(role="system", content=self.system), asked)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Draw]:
        """Hold connections open for any number of draws at a time."""
        async with Client(self._options()) as client:
            yield functools.partial(self._draw, client)

    async def _draw(self, client: Client, request: Request) -> Reply:
        try:
            return await draw(client, self.model, request, self.extra_body)
        except AccessRefused as error:
            key = f"the key is read from {self.api_key_env}" if self.api_key_env else "no api_key_env is given"
            raise AccessRefused(error.message, urlsplit(self.base_url).netloc, key) from None

    @functools.cached_property
    def _template(self) -> str:
        return prompts.load(self.prompt) if self.prompt else "{question}"

    def _api_key(self) -> str | None:
        if self.api_key_env is None:
            return None
        if key := os.environ.get(self.api_key_env, "").strip():
            return key
        raise UserError(
            f"API key variable {self.api_key_env} is not set",
            hint=f"export {self.api_key_env}=… in the shell that starts the run",
        )

    def _options(self) -> EndpointOptions:
        return EndpointOptions(
            base_url=self.base_url,
            api_key=self._api_key(),
            stream=self.stream,
            connect_timeout_s=self.connect_timeout_s,
            limits=Limits(
                first_content_s=self.first_content_timeout_s,
                gap_s=self.gap_timeout_s,
                total_s=self.total_timeout_s,
            ),
            max_attempts=self.max_attempts,
            max_outage_s=self.max_outage_s,
        )


async def draw(client: Client, model: str, request: Request, extra_body: JsonRow | None = None) -> Reply:
    """Return one completion of a chat endpoint.

    Raises: Unanswered, AccessRefused, TryAgainLater.
    """
    messages = [message.model_dump() for message in request.messages]
    fields = _sampling_fields(request.sampling, request.index)
    try:
        answer = await client.complete({"model": model, "messages": messages, **fields, **(extra_body or {})})
    except NoAnswer as error:
        raise Unanswered(str(error)) from None
    return Reply(answer.response, answer.latency_s, answer.first_content_s, answer.attempts)


def _sampling_fields(sampling: Sampling, index: int) -> JsonRow:
    """Return the sampling options as request fields; each sample of a prompt has a seed of its own."""
    fields = sampling.model_dump(exclude_none=True)
    return fields if sampling.seed is None else {**fields, "seed": sampling.seed + index}
