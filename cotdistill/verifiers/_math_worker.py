"""The process that compares two expressions with Math-Verify: messages of JSON over the pipe that its argument names.

    ["2\\\\sqrt{3}", "\\\\sqrt{12}", 3.0, 1024]      gold, answer, seconds, MB
    ["correct", "", 0.004]                      outcome, reason, seconds; an empty list once it is ready

A request that takes longer than its seconds or raises ends the process, and the next question starts another. The
kernel does the killing, so that no expression can prevent it and none goes on when the process that asked is gone. A
script of its own, it imports nothing of the package: it shares no lock, thread or file with the process that asked.
"""

import contextlib
import json
import resource
import signal
import sys
import time
from multiprocessing.connection import Connection
from typing import Any


def main() -> None:
    """Answer requests one after the other until the pipe is closed."""
    pipe = Connection(int(sys.argv[1]))
    import math_verify  # noqa: F401  # loaded before the first request

    said: tuple[object, ...] = ()
    with contextlib.suppress(EOFError, OSError):
        while True:
            pipe.send_bytes(json.dumps(said).encode())
            gold, answer, timeout_s, memory_mb = json.loads(pipe.recv_bytes())
            _limit(timeout_s, memory_mb)
            started = time.process_time()
            outcome, reason = compare(gold, answer)
            signal.setitimer(signal.ITIMER_PROF, 0)
            said = (outcome, reason, time.process_time() - started)


def compare(gold: str, answer: str) -> tuple[str, str]:
    """Return outcome and reason for two expressions in LaTeX."""
    from math_verify import LatexExtractionConfig, parse, verify
    from sympy import Basic, MatrixBase

    # Math-Verify's own time-outs are alarms that Python handles between two of its steps: too late for a large power.
    parsed = [
        parse(f"${text}$", [LatexExtractionConfig()], fallback_mode="no_fallback", parsing_timeout=None)
        for text in (gold, answer)
    ]
    expected, found = ([value for value in values if isinstance(value, Basic | MatrixBase)] for values in parsed)
    if not expected:
        return "error", "gold cannot be read as an expression"
    if not found:
        return "unparsed", "cannot be read as an expression"
    is_equal = verify(expected, found, timeout_seconds=None, allow_set_relation_comp=True, raise_on_error=True)
    return ("correct", "") if is_equal and _is_close(expected[0], found[0]) else ("wrong", "")


def _is_close(expected: Any, found: Any) -> bool:  # Any: sympy has no types
    """Return whether two numbers agree to six digits; Math-Verify compares six decimals, where all tiny ones agree."""
    if not (getattr(expected, "is_number", False) and getattr(found, "is_number", False)):
        return True
    difference, size = (abs(value.evalf(20)) for value in (expected - found, expected))
    return bool(difference <= 1e-6 * size)


def _limit(timeout_s: float, memory_mb: int) -> None:
    """Let the kernel end this process after some CPU time; refuse it memory past a limit."""
    signal.setitimer(signal.ITIMER_PROF, timeout_s)
    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    size_bytes = memory_mb << 20
    resource.setrlimit(resource.RLIMIT_AS, (size_bytes if most < 0 else min(size_bytes, most), most))


if __name__ == "__main__":
    sys.setrecursionlimit(3000)
    main()
