"""What the nodes of a training tell each other: node 0 keeps a board of notes, the others write to it and read it.

A line of JSON each way, over one connection a node that lasts as long as the node does:
{"run": "r1", "nodes": 2, "rank": 1, "notes": {"1 0.asked": {…}}} -> {"notes": {"0 step-0": "4-train", …}}

torch's TCPStore would do, but for a port where something else listens: there it waits for ever, whatever its time-out.
"""

import contextlib
import logging
import time
from collections.abc import Iterator, Set
from typing import Any

from cotdistill.errors import Interrupted, TryAgainLater, UserError, WorkerFailed
from cotdistill.nodes.board import Board, Exchange, connect, serve
from cotdistill.nodes.cluster import Cluster

log = logging.getLogger(__name__)

Json = Any  # Any: a JSON value

POLL_S = 0.2
PARTING_S = 10.0
"""Time that node 0 waits for the others to read why it ends."""
STOPPED = (130, 143)
"""Exit codes of a node that a signal stopped."""
GO_ON = "the same command on every node goes on"


class Meeting:
    """The nodes of one run, as one of them sees them."""

    def __init__(self, exchange: Exchange, cluster: Cluster, *, guests: Set[int]) -> None:
        self.rank, self.nodes = cluster.rank, cluster.nodes
        self.shares_folder = False
        """Whether this node works in the run folder of another, which prepares everything."""
        self.has_own_folders = False
        """Whether every node has a run folder of its own."""
        self._guests = guests
        """Nodes that read this one's board."""
        self._exchange = exchange
        self._notes: dict[str, Json] = {}
        self._step = -1

    def tell(self, name: str, value: Json) -> None:
        """Leave a note for the others. Raises: TryAgainLater."""
        self._notes = self._exchange({f"{self.rank} {name}": value})

    def announce(self, step: str) -> None:
        """Say on node 0 that all nodes do this step now: what is gathered from here on is of it."""
        self._step += 1
        self.tell(f"step-{self._step}", step)

    def next_step(self) -> str | None:
        """Return what node 0 announces next; None: it is done. Raises: as `look`."""
        self._step += 1
        while True:
            self.look()
            if (step := self._notes.get(f"0 step-{self._step}")) is not None:
                return str(step)
            if "0 end" in self._notes:
                return None
            time.sleep(POLL_S)

    def gather(self, name: str, value: Json) -> list[Json]:
        """Return what every node says of something in this step, by rank. Raises: as `look`."""
        name = f"{self._step}.{name}"
        self.tell(name, value)
        return [self.wait_for(name, rank) for rank in range(self.nodes)]

    def look(self) -> None:
        """Hear from the others.

        Raises: WorkerFailed or Interrupted with the exit code of a node that failed or was stopped, TryAgainLater
        where one is gone.
        """
        self._notes = self._exchange({})
        self._raise_end_of_another()

    def _raise_end_of_another(self) -> None:
        for rank in range(self.nodes):
            if rank == self.rank:
                continue
            code, said = self._notes.get(f"{rank} end", (0, ""))
            if code in STOPPED:
                raise Interrupted(f"stopped on node {rank}: {said}", exit_code=code)
            if code:
                raise WorkerFailed(f"node {rank} failed: {said}", exit_code=code)
            if f"{rank} gone" in self._notes:
                raise TryAgainLater(f"node {rank} is gone: it was killed, or cannot be reached", hint=GO_ON)

    def wait_for(self, name: str, rank: int) -> Json:
        """Return what a node says of something. Raises: as `look`."""
        while True:
            self._notes = self._exchange({})
            if f"{rank} {name}" in self._notes:
                return self._notes[f"{rank} {name}"]
            self._raise_end_of_another()
            if f"{rank} end" in self._notes:
                raise TryAgainLater(f"node {rank} has ended already", hint=GO_ON)
            time.sleep(POLL_S)

    def part(self, code: int, said: str, *, wait_s: float) -> None:
        """Say how this node ends; node 0, which keeps the board, waits until the others know."""
        self.tell("end", [code, said])
        end = time.monotonic() + wait_s
        while time.monotonic() < end:
            self._notes = self._exchange({})
            if all(f"{rank} end" in self._notes or f"{rank} gone" in self._notes for rank in self._guests):
                return
            time.sleep(POLL_S)


@contextlib.contextmanager
def meet(cluster: Cluster, *, run: str, timeout_s: float) -> Iterator[Meeting]:
    """Meet the other nodes of a run; they are told how this one ends.

    Raises: TryAgainLater where they do not all come in time, UserError where they are not of one training.
    """
    end = time.monotonic() + timeout_s
    with _board(cluster, run, end=end, timeout_s=timeout_s) as (exchange, board):
        meeting = Meeting(exchange, cluster, guests=board.here if board else frozenset())
        try:
            _wait_for_all(meeting, board, end=end, timeout_s=timeout_s)
            yield meeting
        except BaseException as error:
            with contextlib.suppress(UserError):  # the board is gone too; what happened here counts
                meeting.part(*_how_it_ends(error), wait_s=PARTING_S)
            raise
        with contextlib.suppress(UserError):
            meeting.part(0, "", wait_s=3 * PARTING_S)


@contextlib.contextmanager
def _board(cluster: Cluster, run: str, *, end: float, timeout_s: float) -> Iterator[tuple[Exchange, Board | None]]:
    """Open the board on node 0, and the way to it elsewhere."""
    if cluster.rank:
        with connect(cluster, run, end=end, timeout_s=timeout_s) as exchange:
            yield exchange, None
    else:
        with serve(cluster, run, end=end, timeout_s=timeout_s) as board:
            yield board.exchange, board


def _wait_for_all(meeting: Meeting, board: Board | None, *, end: float, timeout_s: float) -> None:
    """Return when every node is there."""
    if board is None:
        meeting.wait_for("all", 0)
        return
    log.info("waiting for %d other nodes", meeting.nodes - 1)
    while missing := [str(rank) for rank in range(1, meeting.nodes) if rank not in board.here]:
        if time.monotonic() > end:
            raise TryAgainLater(
                f"node {', '.join(missing)} of {meeting.nodes} did not come within {timeout_s:.0f} s",
                hint="start the same command on every node; `--node-timeout` waits longer",
            )
        time.sleep(POLL_S)
    meeting.tell("all", value=True)


def _how_it_ends(error: BaseException) -> tuple[int, str]:
    """Return exit code and words of what ends this node."""
    if isinstance(error, (UserError, Interrupted)):
        return error.exit_code, str(error) or error.message
    return (130, "Ctrl-C") if isinstance(error, KeyboardInterrupt) else (1, f"{type(error).__name__}: {error}")
