"""Starts, asks and replaces the process that runs Math-Verify: one for each process that asks, from its first question.

A request's limits are enforced in that process (see `_math_worker`); here is only the last resort, a wall-clock limit
after which the process is killed and the next question starts another.
"""

import atexit
import functools
import importlib.util
import json
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

from cotdistill.errors import UserError

_SCRIPT = Path(__file__).with_name("_math_worker.py")
_START_S = 120.0
"""Loading sympy takes 0.4 s of CPU, and far longer on a busy disk."""
_PATIENCE = 10.0
"""Wall-clock time for a request, in multiples of its CPU time: on a busy machine a process waits more than it runs."""


_PASSED_ON = re.compile(r"PATH|HOME|TMPDIR|LANG|LC_\w+|PYTHON\w+|LD_LIBRARY_PATH|VIRTUAL_ENV|OMP_\w+")
"""Variables that it is given: no keys, for it parses what a model wrote."""


class Comparison(NamedTuple):
    """What Math-Verify says about two expressions."""

    outcome: str
    reason: str
    cpu_s: float
    """CPU time that it took."""


class _Worker:
    """The process and its two pipes."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.requests = 0
        # -P: the folder of the script holds a math.py, which must not stand for Python's own.
        self.process = subprocess.Popen(
            [sys.executable, "-P", str(_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the process that asks
            env={name: value for name, value in os.environ.items() if _PASSED_ON.fullmatch(name)},
        )
        self.buffer = b""
        if self._reply(0, time.monotonic() + _START_S) is None:
            self.close()
            raise UserError("the process of Math-Verify does not start", hint="try: python -c 'import math_verify'")

    def ask(self, gold: str, answer: str, timeout_s: float, memory_mb: int) -> Comparison | None:
        """Return the comparison; None where the process is gone or silent."""
        self.requests += 1
        request = {"id": self.requests, "gold": gold, "answer": answer, "timeout_s": timeout_s, "memory_mb": memory_mb}
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return None
        return self._reply(self.requests, time.monotonic() + _PATIENCE * timeout_s)

    def close(self) -> None:
        """End the process and its fork, at once."""
        if self.owner == os.getpid():
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def _reply(self, request: int, deadline: float) -> Comparison | None:
        """Return the reply to a request; one that is left over from an earlier request is passed over."""
        assert self.process.stdout is not None
        descriptor = self.process.stdout.fileno()
        while True:
            line, found, rest = self.buffer.partition(b"\n")
            if found:
                self.buffer = rest
                reply = json.loads(line)
                if reply["id"] in (request, -1):
                    return Comparison(reply.get("outcome", ""), reply.get("reason", ""), reply.get("cpu_s", 0.0))
                continue
            if not select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
                return None
            chunk = os.read(descriptor, 1 << 16)
            if not chunk:
                return None
            self.buffer += chunk


_lock = threading.Lock()
_workers: list[_Worker] = []
"""At most one; a list, so that it can be replaced."""
_spent_s = [0.0]
"""One number, for the same reason."""


def spent_s() -> float:
    """Return the CPU seconds that comparisons have taken so far, outside this process."""
    return _spent_s[0]


def compare(gold: str, answer: str, *, timeout_s: float, memory_mb: int) -> Comparison:
    """Return what Math-Verify says about two expressions in LaTeX.

    Raises: UserError: the process cannot start.
    """
    with _lock:
        if _workers and _workers[0].owner != os.getpid():  # after a fork the pipes belong to the parent
            _workers.clear()
        if not _workers:
            _workers.append(_Worker())
        comparison = _workers[0].ask(gold, answer, timeout_s, memory_mb)
        if comparison is None:
            _workers.pop().close()
            comparison = Comparison("error", f"no reply within {_PATIENCE * timeout_s:g} s", timeout_s)
        elif comparison.reason == "out of time":
            comparison = Comparison("error", f"takes more than {timeout_s:g} s of CPU time", timeout_s)
        _spent_s.append(_spent_s.pop() + comparison.cpu_s)
        return comparison


def has_math_verify() -> bool:
    """Return whether Math-Verify is installed."""
    return importlib.util.find_spec("math_verify") is not None


@functools.cache
def require_math_verify() -> None:
    """Make sure that Math-Verify is installed.

    Raises: UserError.
    """
    if not has_math_verify():
        raise UserError("Math-Verify is not installed", hint="pip install 'cotdistill[math]'")


@atexit.register
def _close() -> None:
    while _workers:
        _workers.pop().close()
