"""Starts, asks and replaces the process that runs Math-Verify: one for each process that asks, from its first question.

The limits of a request are enforced in that process (see `_math_worker`); here is only the last resort, a wall-clock
limit after which the process is killed. The next question starts another.
"""

import atexit
import contextlib
import functools
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from multiprocessing import Pipe
from pathlib import Path
from typing import NamedTuple

from cotdistill.errors import UserError

_SCRIPT = Path(__file__).with_name("_math_worker.py")
_START_S = 120.0
"""Loading sympy takes 0.4 s of CPU, and far longer on a busy disk."""
_PATIENCE = 10.0
"""Seconds by the clock for a request, and as many for each second of CPU: on a busy machine a process mostly waits."""
_PASSED_ON = re.compile(r"PATH|HOME|TMPDIR|LANG|LC_\w+|PYTHON\w+|LD_LIBRARY_PATH|VIRTUAL_ENV|OMP_\w+")
"""Variables that it is given: no keys, for it parses what a model wrote."""


class Comparison(NamedTuple):
    """What Math-Verify says about two expressions."""

    outcome: str = ""
    reason: str = ""
    cpu_s: float = 0.0
    """CPU time that it took."""


class _Worker:
    """The process and the pipe to it."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.requests = 0
        self.pipe, theirs = Pipe()
        # -P: the folder of the script holds a math.py, which must not stand for Python's own.
        self.process = subprocess.Popen(
            [sys.executable, "-P", str(_SCRIPT), str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,  # Ctrl-C is for the process that asks
            env={name: value for name, value in os.environ.items() if _PASSED_ON.fullmatch(name)},
        )
        theirs.close()
        if self._reply(_START_S) is None:
            self.close()
            raise UserError("the process of Math-Verify does not start", hint="try: python -c 'import math_verify'")

    def ask(self, gold: str, answer: str, timeout_s: float, memory_mb: int) -> Comparison | None:
        """Return the comparison; None where the process is gone or silent."""
        self.requests += 1
        with contextlib.suppress(OSError):
            self.pipe.send_bytes(json.dumps([self.requests, gold, answer, timeout_s, memory_mb]).encode())
            return self._reply(_PATIENCE * (1 + timeout_s))
        return None

    def close(self) -> None:
        """End the process, at once."""
        if self.owner == os.getpid():
            self.process.kill()
            self.process.wait()
        self.pipe.close()

    def _reply(self, patience_s: float) -> Comparison | None:
        """Return the reply to the last request; one that is left over from an earlier one is passed over."""
        deadline = time.monotonic() + patience_s
        with contextlib.suppress(EOFError, OSError):
            while self.pipe.poll(max(0.0, deadline - time.monotonic())):
                request, *said = json.loads(self.pipe.recv_bytes())
                if request == self.requests:
                    return Comparison(*said)
        return None


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
        if _workers and _workers[0].owner != os.getpid():  # after a fork the pipe belongs to the parent
            _workers.clear()
        if not _workers:
            _workers.append(_Worker())
        comparison = _workers[0].ask(gold, answer, timeout_s, memory_mb)
        if comparison is None:
            worker = _workers.pop()
            worker.close()
            is_late = worker.process.returncode == -signal.SIGPROF
            reason = f"takes more than {timeout_s:g} s of CPU time" if is_late else "Math-Verify ended or is silent"
            comparison = Comparison("error", reason, timeout_s)
        _spent_s[0] += comparison.cpu_s
        return comparison


def has_math_verify() -> bool:
    """Return whether Math-Verify is installed."""
    return importlib.util.find_spec("math_verify") is not None


@functools.cache
def require_math_verify() -> None:
    """Make sure that Math-Verify is installed. Raises: UserError."""
    if not has_math_verify():
        raise UserError("Math-Verify is not installed", hint="pip install 'cotdistill[math]'")


@atexit.register
def _close() -> None:
    while _workers:
        _workers.pop().close()
