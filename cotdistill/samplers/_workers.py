"""The workers of a session: one here where there is one device, else a process for each."""

import asyncio
import functools
import logging
import multiprocessing
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from cotdistill.errors import UserError
from cotdistill.samplers._desk import Desk
from cotdistill.samplers._local_model import LocalText, Source
from cotdistill.samplers._worker_process import Job

log = logging.getLogger(__name__)

PARTING_S = 10.0
"""How long a worker may take to notice that it is the end: a step, or the batch that it is in."""


def visible_devices() -> tuple[str, ...]:
    """Return every accelerator that this process sees, by torch's name; `cpu` where there is none."""
    import torch

    if not torch.accelerator.is_available():
        return ("cpu",)
    kind = torch.accelerator.current_accelerator()
    return tuple(f"{kind.type if kind else 'cpu'}:{n}" for n in range(torch.accelerator.device_count()))


def at_work(
    desk: Desk, text: LocalText, source: Source, *, devices: Sequence[str], batch_size: int
) -> AbstractAsyncContextManager[None]:
    """Return the context in which workers take from the desk; it opens when all weights are loaded.

    Raises: UserError where they cannot be.
    """
    if len(devices) == 1:
        return _here(desk, text, source, device=devices[0], batch_size=batch_size)
    return _in_processes(desk, [Job(source, device, batch_size) for device in devices])


@asynccontextmanager
async def _here(desk: Desk, text: LocalText, source: Source, *, device: str, batch_size: int) -> AsyncIterator[None]:
    from cotdistill.samplers._worker import Worker

    make = functools.partial(Worker, device=device, batch_size=batch_size, is_closed=lambda: desk.is_closed)
    worker = await asyncio.to_thread(make, source, text.endings)
    log.info("loaded %s on %s", source.name, device)
    thread = _start(desk, lambda: worker.serve(functools.partial(desk.exchange, 0)))
    try:
        yield
    finally:
        desk.close()
        await asyncio.to_thread(thread.join, PARTING_S)


@asynccontextmanager
async def _in_processes(desk: Desk, jobs: Sequence[Job]) -> AsyncIterator[None]:
    processes: list[_Process] = []
    try:
        processes += [_Process(job) for job in jobs]
        for process in processes:
            await asyncio.to_thread(process.wait_until_ready)
        log.info("loaded %s on %s", jobs[0].source.name, ", ".join(job.device for job in jobs))
        for number, process in enumerate(processes):
            _start(desk, functools.partial(process.pass_on, desk, number))
        yield
    finally:
        desk.close()
        for process in processes:
            await asyncio.to_thread(process.end)


def _start(desk: Desk, work: Callable[[], None]) -> threading.Thread:
    """Work in a thread; what stops it goes to those who wait for answers."""

    def run() -> None:
        try:
            work()
        except BaseException as error:  # it is raised where an answer is waited for
            desk.fail(error)

    # It must not keep an interrupted run alive: what it computes is nobody's any more.
    thread = threading.Thread(target=run, name="answering", daemon=True)
    thread.start()
    return thread


class _Process:
    """A worker process and the pipe to it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.pipe, theirs = multiprocessing.Pipe()
        command = [sys.executable, "-m", "cotdistill.samplers._worker_process", str(theirs.fileno())]
        self.child = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()
        self.pipe.send(job)

    def wait_until_ready(self) -> None:
        """Return when the weights are loaded. Raises: UserError."""
        self._read()

    def pass_on(self, desk: Desk, number: int) -> None:
        """Let the process take from the desk until that closes. Raises: UserError where the process ends before."""
        while True:
            _, said, room, is_idle = self._read()
            orders = desk.exchange(number, said, room, is_idle=is_idle)
            if orders.is_closed:
                return
            self.pipe.send(orders)

    def end(self) -> None:
        """End the process at once: what it still computes is nobody's."""
        self.child.kill()
        self.child.wait()
        self.pipe.close()

    def _read(self) -> tuple[Any, ...]:  # Any: see `_worker_process`
        try:
            message: tuple[Any, ...] = self.pipe.recv()
        except (EOFError, ConnectionError):
            code = self.child.wait()
            raise UserError(
                f"the process that answers on {self.job.device} ended with code {code}",
                hint="its own lines stand above; what is answered is stored, and the same command goes on",
            ) from None
        if message[0] == "fault":
            raise UserError(*message[1:])
        return message
