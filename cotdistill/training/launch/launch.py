"""Starting the training worker: how many processes, where, and what becomes of them.

One process runs the worker itself; several, or several machines, run it under torchrun. A stop signal lets them save
first, a second one does not. Whatever ends this process, kill -9 included, ends the workers too: they hold the other
end of a pipe.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cotdistill.errors import Interrupted, WorkerFailed
from cotdistill.nodes.cluster import processes_here, read_cluster
from cotdistill.nodes.meeting import Meeting
from cotdistill.training.job import FAILURE, LOGS, Job
from cotdistill.training.launch.devices import CPU, Ask, ask_torch, device_variables, find_devices
from cotdistill.training.launch.reasons import why

OnProgress = Callable[[int, int], None]
"""Called with the optimiser steps done and to do."""

POLL_S = 0.2
STOP_S = 20.0
"""Time for the workers to end after a TERM signal, before they are killed."""
TERMINATED = 128 + signal.SIGTERM
"""How workers end that saved for a stop."""
DISTURBED = (1, 128 + signal.SIGABRT)
"""How workers end that lose others in the middle of a collective call."""
REASON_S = 5.0
HCCL_WAITS = {"HCCL_CONNECT_TIMEOUT": "1800", "HCCL_EXEC_TIMEOUT": "3600"}
"""Seconds; the first step of a large model compiles for longer than HCCL's default waits."""


@dataclass(frozen=True)
class World:
    """Where the training runs."""

    processes: int
    """On this machine."""
    nodes: int = 1
    node_rank: int = 0
    address: str = "127.0.0.1"
    port: int = 0
    """0: any free one."""
    device: str = CPU
    """Kind of the devices, by torch's name."""


def world(environment: Mapping[str, str], *, processes: int | None, ask: Ask = ask_torch) -> World:
    """Return where to train: on the machines that the launcher's variables name, a process per device unless told.

    Raises: UserError.
    """
    cluster = read_cluster(environment)
    wanted = processes or processes_here(environment)
    devices = find_devices(environment, ask=ask)
    here = wanted or max(1, devices.number)
    return World(here, cluster.nodes, cluster.rank, cluster.address, cluster.port, devices.kind)


@dataclass(frozen=True)
class Worker:
    """The processes of one training on this machine, which wait for their job."""

    child: "subprocess.Popen[bytes]"
    job: Path
    log: Path
    log_start: int
    """Bytes of the log that are not theirs."""

    def run(self, *, on_progress: OnProgress, meeting: Meeting | None = None) -> None:
        """Wait until they have trained as the job file says, which is there by now.

        Raises: WorkerFailed with the worker's exit code, Interrupted; what another node says of its end.
        """
        told, child = Job.model_validate_json(self.job.read_bytes()), self.child
        with _stop_signals() as stopped_by:
            known = None
            try:
                while not _has_ended(child) and not _is_over(told, stopped_by):
                    known = _pass_on(told.progress, known, on_progress)
                    if meeting is not None:
                        meeting.look()
                ended_with = child.returncode
            finally:
                _end(child)
        if stopped_by and not has_failed(ended_with):
            name = signal.Signals(stopped_by[0]).name
            raise Interrupted(f"training stopped by {name}", exit_code=128 + stopped_by[0])
        _pass_on(told.progress, known, on_progress)
        if child.returncode == TERMINATED:  # the signal reached the workers alone, and they saved
            raise Interrupted("training stopped by SIGTERM", exit_code=TERMINATED)
        if child.returncode:
            failure = _failure(told, child.returncode, self.log, self.log_start)
            if meeting is not None and failure.exit_code in DISTURBED:
                _hear_reason(meeting)
            raise failure


@contextlib.contextmanager
def started(job: Path, *, world: World, log: Path) -> Iterator[Worker]:
    """Start the workers of a training and end them with the block; their output is appended to `log`.

    The job file may come later: what they import takes as long as making the rows does.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        log_start = output.tell()
        child = subprocess.Popen(
            _command(job, world),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_environment(world),
            start_new_session=True,
        )
    try:
        yield Worker(child, job, log, log_start)
    finally:
        _end(child)


def _hear_reason(meeting: Meeting) -> None:
    """Give another node, whose end may have caused that of the workers here, the time to say so; raise what it says."""
    end = time.monotonic() + REASON_S
    while time.monotonic() < end:
        meeting.look()
        time.sleep(POLL_S)


def has_failed(ended_with: int | None) -> bool:
    """Return whether a worker that was to stop failed instead, as where a disk is full; None: it was still at work."""
    return ended_with not in (None, 0, TERMINATED)


def free_port(first: int = 0) -> int:
    """Return a port of this machine that nobody listens on: the next one from `first` on, or any."""
    for port in range(first, 65536) if first else [0]:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("" if first else "127.0.0.1", port))
            return int(probe.getsockname()[1])
    return free_port()


def _command(job: Path, world: World) -> list[str]:
    python = [sys.executable, "-m"]
    worker = ["cotdistill.training.worker.process", str(job)]
    if world.processes * world.nodes == 1:
        return [*python, *worker]
    torchrun = [
        f"--nnodes={world.nodes}",
        f"--node_rank={world.node_rank}",
        f"--nproc_per_node={world.processes}",
        f"--master_addr={world.address}",
        f"--master_port={world.port or free_port()}",
    ]
    own = [str(job.with_name(LOGS)), str(job.with_name(FAILURE))]
    return [*python, "cotdistill.training.launch.torchrun", *own, *torchrun, "-m", *worker]


def _environment(world: World) -> dict[str, str]:
    """Return this process's environment without another launch's ranks, with threads shared fairly."""
    ranks = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")
    environment = HCCL_WAITS | {name: value for name, value in os.environ.items() if name not in ranks}
    # DeepSpeed builds operators with the ninja of this interpreter's environment, activated or not.
    environment["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    threads = max(1, (os.cpu_count() or 1) // world.processes)
    # Threads that spin while they wait are a fifth faster on free cores and many times slower on busy ones: a step of
    # the demo's student takes 44 ms free and 173 ms busy with the default, 53 ms and 85 ms with this.
    tuned = {"OMP_NUM_THREADS": str(threads), "GOMP_SPINCOUNT": "1000", "TOKENIZERS_PARALLELISM": "false"}
    return tuned | environment | device_variables(environment, world.device, processes=world.processes)


def _has_ended(child: "subprocess.Popen[bytes]") -> bool:
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(POLL_S)
    return child.returncode is not None


def _is_over(job: Job, stopped_by: list[int]) -> bool:
    """Return whether to end the workers now; the first signal in a training has them end it themselves, with a save."""
    if not stopped_by:
        return False
    if len(stopped_by) > 1 or not job.progress.exists():  # before the first step there is nothing to save
        return True
    job.stop.touch()
    return False


def _end(child: "subprocess.Popen[bytes]") -> None:
    """End a child that still runs: the closed pipe ends the workers, which a TERM signal would let go on to a save."""
    assert child.stdin is not None
    child.stdin.close()
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(STOP_S)
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


@contextlib.contextmanager
def _stop_signals() -> Iterator[list[int]]:
    """Note Ctrl-C and TERM in the yielded list instead of ending this process; only a main thread can."""
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda number, _frame: received.append(number))
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _pass_on(progress: Path, known: str | None, on_progress: OnProgress) -> str | None:
    """Report progress that is not known yet, and return what now is."""
    text = progress.read_text() if progress.exists() else None
    if text is not None and text != known:
        done, total = text.split()
        on_progress(int(done), int(total))
    return text


def _failure(job: Job, returncode: int, log: Path, start: int) -> WorkerFailed:
    """Return the error for a worker that failed: in its own words, else by its signal or the last ones of its log."""
    exit_code = returncode if returncode > 0 else 128 - returncode
    said = job.failure.read_text(encoding="utf-8").splitlines() if job.failure.exists() else []
    reason, rank_log = (*said, "", "")[:2]
    if not reason:
        with log.open("rb") as file:
            file.seek(start)
            reason = why("it", returncode, file.read().decode("utf-8", "replace"))
    return WorkerFailed(
        f"the training worker failed: {reason}", exit_code=exit_code, hint=f"its output is in {rank_log or log}"
    )
