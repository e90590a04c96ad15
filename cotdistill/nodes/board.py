"""The board of notes that node 0 keeps, and the way to it from another node."""

import contextlib
import json
import logging
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from cotdistill.errors import TryAgainLater, UserError
from cotdistill.nodes.cluster import Cluster

log = logging.getLogger(__name__)

Notes = dict[str, Any]  # Any: JSON values
Exchange = Callable[[Notes], Notes]
"""Leaves notes on the board and returns all that are there. Raises: TryAgainLater."""

ANSWER_S = 5.0
"""Longest wait for an answer of the board, which has all of them at hand."""
RETRY_S = 0.5
KEEP_ALIVE = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
"""A machine that lost its power is noticed after half a minute; one whose process ends, at once."""


class Board(socketserver.ThreadingTCPServer):
    """Notes of all nodes, under `<rank> <name>`; a node that leaves without an `end` is noted as `gone`."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, run: str, nodes: int) -> None:
        super().__init__(("", port), _Reader)
        self.run, self.nodes = run, nodes
        self.here: set[int] = set()
        """Nodes that have come."""
        self._notes: Notes = {}
        self._lock = threading.Lock()

    def exchange(self, notes: Notes) -> Notes:
        """Leave notes and return all."""
        with self._lock:
            self._notes |= notes
            return dict(self._notes)

    def admit(self, asked: dict[str, Any]) -> str | None:  # Any: JSON values
        """Return why a node cannot join; None: it has."""
        if asked.get("run") != self.run:
            return f"node 0 trains run `{self.run}`, node {asked.get('rank')} `{asked.get('run')}`"
        if asked.get("nodes") != self.nodes:
            return f"NNODES is {self.nodes} on node 0 and {asked.get('nodes')} on node {asked.get('rank')}"
        with self._lock:
            if asked["rank"] in (0, *self.here):
                return f"NODE_RANK={asked['rank']} is taken by another node"
            self.here.add(asked["rank"])
        return None


class _Reader(socketserver.StreamRequestHandler):
    """Answers one node, for as long as it is connected."""

    server: Board

    def handle(self) -> None:
        """Read a line, answer a line; what is no line of ours ends the connection."""
        _keep_alive(self.connection)
        rank: int | None = None
        try:
            for line in self.rfile:
                asked = json.loads(line)
                if rank is None:
                    if refusal := self.server.admit(asked):
                        self._answer({"refused": refusal})
                        return
                    rank = asked["rank"]
                self._answer({"notes": self.server.exchange(asked["notes"])})
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            log.debug("a connection ended: %s", error)
        finally:
            if rank is not None and f"{rank} end" not in self.server.exchange({}):
                self.server.exchange({f"{rank} gone": True})

    def _answer(self, said: Notes) -> None:
        self.wfile.write(json.dumps(said).encode() + b"\n")


@contextlib.contextmanager
def serve(cluster: Cluster, run: str, *, end: float, timeout_s: float) -> Iterator[Board]:
    """Open the board at the cluster's port. Raises: TryAgainLater."""
    while fault := _unresolved(cluster):
        _wait_or_raise(fault, end=end, timeout_s=timeout_s)
    try:
        board = Board(cluster.port, run, cluster.nodes)
    except OSError as error:
        raise TryAgainLater(
            f"port {cluster.port} of this machine cannot be listened at: {error.strerror}",
            "MASTER_PORT",
            "end what listens there, or name another port on every node",
        ) from None
    with board:
        threading.Thread(target=board.serve_forever, daemon=True).start()
        try:
            yield board
        finally:
            board.shutdown()


@contextlib.contextmanager
def connect(cluster: Cluster, run: str, *, end: float, timeout_s: float) -> Iterator[Exchange]:
    """Open the way to node 0's board. Raises: TryAgainLater, UserError where it is of another training."""
    hello = {"run": run, "nodes": cluster.nodes, "rank": cluster.rank}
    place = f"{cluster.address}:{cluster.port}"
    while True:
        fault = _unresolved(cluster)
        if fault is None:
            try:
                wire = socket.create_connection((cluster.address, cluster.port), timeout=ANSWER_S)
            except OSError as error:
                fault = f"node 0 cannot be reached at {place}: {error.strerror or error}"
            else:
                with wire, wire.makefile("rwb") as lines:
                    _keep_alive(wire)
                    exchange = _over(lines, hello)
                    try:
                        exchange({})
                    except TryAgainLater:
                        fault = f"what listens at {place} does not answer as node 0"
                    else:
                        yield exchange
                        return
        _wait_or_raise(fault, end=end, timeout_s=timeout_s)


def _over(lines: Any, hello: Notes) -> Exchange:  # Any: a file of a socket
    """Return how notes are exchanged over a connection."""

    def exchange(notes: Notes) -> Notes:
        try:
            lines.write(json.dumps(hello | {"notes": notes}).encode() + b"\n")
            lines.flush()
            said = json.loads(lines.readline() or b"null")
            if "refused" in said:
                raise UserError(said["refused"], "environment", "every node runs the same command")
            answer: Notes = said["notes"]
        except (OSError, ValueError, TypeError, KeyError):
            raise TryAgainLater(
                "node 0 is gone: it was killed, or cannot be reached", hint="the same command on every node goes on"
            ) from None
        return answer

    return exchange


def _unresolved(cluster: Cluster) -> str | None:
    try:
        socket.getaddrinfo(cluster.address, cluster.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return f"MASTER_ADDR {cluster.address} does not resolve to an address"
    return None


def _wait_or_raise(fault: str, *, end: float, timeout_s: float) -> None:
    """Wait for a while for what may come yet. Raises: TryAgainLater after the time-out."""
    if time.monotonic() > end:
        raise TryAgainLater(f"{fault} (tried for {timeout_s:.0f} s)", hint="`--node-timeout` waits longer")
    time.sleep(RETRY_S)


def _keep_alive(wire: socket.socket) -> None:
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEP_ALIVE.items():
        if hasattr(socket, name):
            wire.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
