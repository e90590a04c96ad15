"""How a completion is got: one module, one sampler.

A sampler is a frozen dataclass whose fields are its options. It opens once per run and then draws many times.
Whatever it draws from, a reply holds a response in the shape of an OpenAI chat completion, stored as it is:

    {"choices": [{"message": {"content": "… 72", "reasoning_content": "…"}, "finish_reason": "stop"}], "usage": {…}}
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from cotdistill.records import Message, Problem, Sampling

JsonRow = dict[str, Any]  # Any: a foreign JSON row


@dataclass(frozen=True)
class Request:
    """One completion to draw."""

    problem: Problem
    messages: tuple[Message, ...]
    sampling: Sampling
    index: int
    """Which of the samples of this prompt, from 0."""


@dataclass(frozen=True)
class Reply:
    """What came back, as it came."""

    response: JsonRow
    latency_s: float
    first_content_s: float | None = None
    attempts: int = 1


class Unanswered(Exception):
    """This one request got no answer, for good; the run goes on and the row is counted as failed."""


Draw = Callable[[Request], Awaitable[Reply]]


class Sampler(Protocol):
    """A sampler with its options bound."""

    @property
    def identity(self) -> str:
        """What answers: the model and the options that change the distribution, part of a completion's key."""
        ...

    def messages(self, problem: Problem, /) -> tuple[Message, ...]:
        """Return what the model is asked about a problem."""
        ...

    def session(self) -> AbstractAsyncContextManager[Draw]:
        """Open connections or weights; inside, `await draw(request)` returns a reply.

        `draw` raises Unanswered for one lost request, AccessRefused or TryAgainLater for what stops the run.
        """
        ...
