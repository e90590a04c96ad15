"""Compares two expressions with Math-Verify; a script for a process of its own, it imports nothing of the package."""

import sys
from typing import Any

from math_verify import LatexExtractionConfig, parse, verify
from sympy import Basic, MatrixBase

sys.setrecursionlimit(3000)


def main(gold: str, answer: str) -> tuple[str, str]:
    """Return outcome and reason for two expressions in LaTeX."""
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
