"""A rationale made shorter in its middle: what stands before and after it stays, to the letter.

The beginning says what is asked and the end what it comes to; the steps between are what a short row can do without.
"""

import re
from collections.abc import Callable, Sequence

from cotdistill.styles import Style

Count = Callable[[list[str]], Sequence[int]]
"""Texts -> how many tokens each of them has."""

UNITS = (re.compile(r"[^\n]*\n+|[^\n]+"), re.compile(r"\s*\S+\s*"))
"""What is left out whole, the first that serves: lines, then words where a line alone is too long."""


def rationale_end(answer: str, style: Style) -> int:
    """Return where an answer's rationale ends, the tag that opens it before it included; 0 where it has none."""
    rationale = style.split(answer).reasoning
    start = answer.find(rationale)
    return start + len(rationale) if rationale and start >= 0 else 0


def shortened(answer: str, rationale: str, surplus: int, count: Count) -> str | None:
    """Return the answer with about `surplus` tokens fewer, all from its rationale; None where it has not as many."""
    start = answer.find(rationale)
    if not rationale or start < 0:
        return None
    for unit in UNITS:
        parts = unit.findall(rationale)
        sizes = count(parts)
        budget = sum(sizes) - surplus
        head = _fitting(sizes, budget // 2)
        tail = _fitting(sizes[::-1], budget - sum(sizes[:head]))
        if head and tail:
            kept = "".join(parts[:head]) + "".join(parts[len(parts) - tail :])
            return answer[:start] + kept + answer[start + len(rationale) :]
    return None


def _fitting(sizes: Sequence[int], budget: int) -> int:
    """Return how many of the first parts fit into the budget."""
    for number, size in enumerate(sizes):
        budget -= size
        if budget < 0:
            return number
    return len(sizes)
