"""Completions of a model on this machine, in batches: how the student is asked."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field

from cotdistill.registry import NOT_IN_KEY, kind
from cotdistill.samplers import Draw, JsonRow, Reply, Request, SendGate, SingleCall
from cotdistill.samplers._local_model import LocalModel, load_model
from cotdistill.storage.keys import weights_fingerprint
from cotdistill.storage.origin import Origin


@kind
@dataclass(frozen=True, kw_only=True)
class Local(SingleCall):
    """A model on this machine, on its accelerator where there is one.

    Options:
        model: folder as `save_pretrained` writes it, an adapter's included, or hub name.
        batch_size: requests answered at a time, as many as the device's memory holds.
        revision: branch, tag or commit of the hub's repository; default: the newest of its main branch.
        trust_remote_code: whether Python code that comes with the model may run: from a folder, or at a `revision`
            that is a whole commit.
    """

    model: Annotated[str, Field(min_length=1)]
    batch_size: Annotated[int, Field(ge=1), NOT_IN_KEY] = 64
    revision: Annotated[str | None, Field(min_length=1)] = None
    trust_remote_code: Annotated[bool, NOT_IN_KEY] = False

    @property
    def origin(self) -> Origin:
        """What of the model's repository is read."""
        return Origin(self.revision, self.trust_remote_code)

    def check(self) -> None:
        """Return unless the model's code may run and nothing says which it is. Raises: UserError."""
        self.origin.check_revision(self.model)
        self.origin.check_code(self.model)

    @property
    def identity(self) -> str:
        """The hub name, or what tells the weights in a folder from others."""
        folder = Path(self.model)
        return weights_fingerprint(folder) if folder.is_dir() else self.origin.named(self.model)

    @asynccontextmanager
    async def session(self, gate: SendGate, /) -> AsyncIterator[Draw]:  # noqa: ARG002
        """Load the weights; requests that wait together are answered together.

        Raises: UserError where there is no such model.
        """
        queue = _BatchQueue(await asyncio.to_thread(load_model, self.model, self.origin), self.batch_size)
        serving = asyncio.create_task(queue.serve())
        try:
            yield queue.draw
        finally:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving


class _Pending(NamedTuple):
    """A request with its prompt as tokens, and where its reply goes."""

    request: Request
    prompt: list[int]
    reply: "asyncio.Future[Reply]"


class _BatchQueue:
    """Gathers requests into batches and answers one batch at a time."""

    def __init__(self, model: LocalModel, batch_size: int) -> None:
        self.model = model
        self.batch_size = batch_size
        self.waiting: list[_Pending] = []
        self.has_waiting = asyncio.Event()

    async def draw(self, request: Request) -> Reply:
        """Return the reply to one request, in the company of others. Raises: Unanswered."""
        prompt = self.model.encode(request.messages)
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.waiting.append(_Pending(request, prompt, reply))
        self.has_waiting.set()
        return await reply

    async def serve(self) -> None:
        """Answer batches until cancelled; what one batch raises goes to its own requests."""
        while True:
            await self.has_waiting.wait()
            # Every caller that can run now asks before the batch is closed.
            await asyncio.sleep(0)
            batch = self._take_batch()
            start = time.monotonic()
            answering = asyncio.to_thread(self.model.answer, [w.prompt for w in batch], [w.request for w in batch])
            responses: list[JsonRow] | BaseException
            (responses,) = await asyncio.gather(answering, return_exceptions=True)
            latency_s = time.monotonic() - start
            for number, waiting in enumerate(batch):
                if waiting.reply.done():
                    continue
                if isinstance(responses, BaseException):
                    waiting.reply.set_exception(responses)
                else:
                    waiting.reply.set_result(Reply(responses[number], latency_s))

    def _take_batch(self) -> list[_Pending]:
        """Take requests of one sampling and of like length: little padding, and no one waits for a long prompt."""
        sampling = self.waiting[0].request.sampling
        fitting = [w for w in self.waiting if w.request.sampling == sampling]
        fitting.sort(key=lambda w: len(w.prompt))
        batch = fitting[: self.batch_size]
        taken = {id(w) for w in batch}
        self.waiting = [w for w in self.waiting if id(w) not in taken]
        if not self.waiting:
            self.has_waiting.clear()
        return batch
