"""The second of two calls: a rationale stands before, and its final answer is asked for (Kojima et al. 2022, sec. 3.1).

user: Ben has 23 pears. …   assistant: First 23 + 9 = 32. The answer is 32.   user: Therefore, the answer is
"""

import re
from collections.abc import Sequence

_STATED = re.compile(r"answer is\s+(\w+)|答案是\s*(\w+)", re.IGNORECASE)


def final_answer(said: Sequence[str]) -> str | None:
    """Return the answer that the last of some earlier replies ends with, None where it states none."""
    stated = list(_STATED.finditer(said[-1])) if said else []
    if not stated:
        return None
    return f"{stated[-1][1] or stated[-1][2]}."
