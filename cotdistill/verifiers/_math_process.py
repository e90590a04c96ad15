"""Math-Verify, in a process of its own that can be killed: one for each process that asks, from its first question."""

import functools
import importlib.util
from pathlib import Path

from cotdistill.engines.limited import LimitedCalls
from cotdistill.errors import UserError

calls = LimitedCalls(Path(__file__).with_name("_math_script.py"), hint="try: python -c 'import math_verify'")


def compare(gold: str, answer: str, *, timeout_s: float, memory_mb: int) -> tuple[str, str]:
    """Return what Math-Verify says about two expressions in LaTeX: an outcome, and a reason where it is no verdict.

    Raises: UserError: the process cannot start.
    """
    try:
        outcome, reason = calls(gold, answer, timeout_s=timeout_s, memory_mb=memory_mb)
    except (TimeoutError, ChildProcessError) as error:
        return "error", str(error)
    return outcome, reason


def has_math_verify() -> bool:
    """Return whether Math-Verify is installed."""
    return importlib.util.find_spec("math_verify") is not None


@functools.cache
def require_math_verify() -> None:
    """Make sure that Math-Verify is installed. Raises: UserError."""
    if not has_math_verify():
        raise UserError("Math-Verify is not installed", hint="pip install 'cotdistill[math]'")
