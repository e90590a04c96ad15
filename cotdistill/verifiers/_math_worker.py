"""The process that compares two expressions with Math-Verify: one request a line in, one reply a line out.

    {"id": 1, "gold": "2\\\\sqrt{3}", "answer": "\\\\sqrt{12}", "timeout_s": 3.0, "memory_mb": 1024}
    {"id": 1, "outcome": "correct", "reason": "", "cpu_s": 0.004}

It loads Math-Verify once and then forks: the fork answers requests until one of them exceeds its limits, which kills
the fork and costs a new one a few milliseconds. The kernel does the killing, so that no expression can prevent it and
none goes on when the process that asked is gone. A script of its own, it imports nothing of the package: forks of a
small process share no lock, no thread and no file with the process that asked.
"""

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any


def main() -> None:
    """Serve requests from stdin until it is closed."""
    replies = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # a library's print must not get between the replies
    import math_verify  # noqa: F401  # loaded before the first fork, shared by all of them

    os.write(replies, b'{"id": 0}\n')
    while True:
        child = os.fork()
        if child == 0:
            _serve(replies)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status == 0:
            return
        _reply(replies, id=-1, outcome="error", reason=_died_of(status))


def _serve(replies: int) -> None:
    """Answer requests one after the other; an exception ends this fork, which is an answer too."""
    for line in _lines(0):
        request = json.loads(line)
        _limit(request["timeout_s"], request["memory_mb"])
        started = time.process_time()
        outcome, reason = compare(request["gold"], request["answer"])
        signal.setitimer(signal.ITIMER_PROF, 0)
        _reply(replies, id=request["id"], outcome=outcome, reason=reason, cpu_s=time.process_time() - started)


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


def _lines(descriptor: int) -> Iterator[bytes]:
    """Yield lines as they come, with no more of them taken than were there: the next fork reads on."""
    rest = b""
    while chunk := os.read(descriptor, 1 << 16):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines


def _died_of(status: int) -> str:
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGPROF:
        return "out of time"
    return f"Math-Verify ended with status {os.waitstatus_to_exitcode(status)}"


def _reply(descriptor: int, **fields: str | float) -> None:
    os.write(descriptor, json.dumps(fields).encode() + b"\n")


if __name__ == "__main__":
    sys.setrecursionlimit(3000)
    main()
