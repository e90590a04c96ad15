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
        if self.reply(_START_S) is None:
            self.close()
            raise UserError("the process of Math-Verify does not start", hint="try: python -c 'import math_verify'")

    def reply(self, patience_s: float, *request: object) -> Comparison | None:
        """Return what it sends next, after a request if there is one; None where it is gone or silent."""
        with contextlib.suppress(EOFError, OSError):
            if request:
                self.pipe.send_bytes(json.dumps(request).encode())
            if self.pipe.poll(patience_s):
                return Comparison(*json.loads(self.pipe.recv_bytes()))
        return None

    def close(self) -> None:
        """End the process, at once."""
        if self.owner == os.getpid():
            self.process.kill()
            self.process.wait()
        self.pipe.close()


_lock = threading.Lock()
_workers: list[_Worker] = []
"""The one that waits for a question, if there is one."""
_spent_s = [0.0]
"""One number, in a list so that it can be replaced."""


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
        worker = _workers.pop() if _workers else _Worker()
        # One that is interrupted here is never asked again: its reply would be taken for the next one's.
        comparison = worker.reply(_PATIENCE * (1 + timeout_s), gold, answer, timeout_s, memory_mb)
        if comparison is not None:
            _workers.append(worker)
        else:
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
