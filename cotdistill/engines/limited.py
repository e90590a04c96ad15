"""Calls that may never end or fill the memory: in a process of its own, with limits that the kernel enforces.

The process runs a script (`_limited_worker.py`) and is sent requests, of which it works on one at a time:

    [["2\\\\sqrt{3}", "\\\\sqrt{12}"], 3.0, 1024]      arguments, seconds of CPU time, MB
    [["correct", ""], 0.004]                       what the script's `main` returns, seconds

Here is only the last resort, a wall-clock limit after which the process is ended. The next call starts another.
"""

import atexit
import contextlib
import json
import os
import re
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

from cotdistill.engines._child import Child
from cotdistill.errors import UserError

_WORKER = Path(__file__).with_name("_limited_worker.py")
_START_S = 120.0
"""Loading a large package takes 0.4 s of CPU, and far longer on a busy disk."""
_PATIENCE = 10.0
"""Seconds by the clock for a call, and as many for each second of CPU: on a busy machine a process mostly waits."""
_PASSED_ON = re.compile(r"PATH|HOME|TMPDIR|LANG|LC_\w+|PYTHON\w+|LD_LIBRARY_PATH|VIRTUAL_ENV|OMP_\w+")
"""Variables that it is given: no keys, for it reads what a model wrote."""


class LimitedCalls:
    """Calls of one script's `main`: one process for each process that calls, from its first call."""

    def __init__(self, script: Path, *, hint: str) -> None:
        self.script, self.hint = script, hint
        self.spent_s = 0.0
        """CPU time of all calls so far."""
        self._lock = threading.Lock()
        self._child: Child | None = None
        """The one that waits for a call, if there is one."""
        self._owner = 0
        atexit.register(self.close)

    def __call__(self, *arguments: str, timeout_s: float, memory_mb: int) -> Any:  # Any: what JSON can say
        """Return what the script's `main` returns for these arguments.

        Raises: TimeoutError: it takes more CPU time; ChildProcessError: it ended or is silent; UserError: the script
        does not start.
        """
        with self._lock:
            # One that is interrupted is never asked again: its reply would be taken for the next one's.
            child, self._child = self._child, None
            if child is None or self._owner != os.getpid():  # after a fork it is the parent's
                child = self._start()
            request = json.dumps([arguments, timeout_s, memory_mb]).encode()
            reply = _reply(child, _PATIENCE * (1 + timeout_s), request)
            if reply is not None:
                self._child = child
                self.spent_s += reply[1]
                return reply[0]
            child.end()
            self.spent_s += timeout_s
            if child.process.returncode == -signal.SIGPROF:
                raise TimeoutError(f"takes more than {timeout_s:g} s of CPU time")
            raise ChildProcessError("its process ended or is silent")

    def close(self) -> None:
        """End the process, at once."""
        if self._child is not None and self._owner == os.getpid():
            self._child.end()
        self._child = None

    def _start(self) -> Child:
        env = {name: value for name, value in os.environ.items() if _PASSED_ON.fullmatch(name)}
        child = Child(str(_WORKER), str(self.script), env=env, output=subprocess.DEVNULL)
        self._owner = os.getpid()
        if _reply(child, _START_S) is None:
            child.end()
            raise UserError(f"{self.script.name} does not start", hint=self.hint)
        return child


def _reply(child: Child, patience_s: float, request: bytes = b"") -> Any:  # Any: JSON
    """Return what a process sends next, after a request if there is one; None where it is gone or silent."""
    with contextlib.suppress(EOFError, OSError):
        if request:
            child.connection.send_bytes(request)
        if child.connection.poll(patience_s):
            return json.loads(child.connection.recv_bytes())
    return None
