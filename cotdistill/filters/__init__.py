"""Reasons not to learn from a trace: one module, one reason.

A row filter is a pure function that returns why a trace is dropped, empty where it stays. The reason's first word is
one of `REASON_ORDER`; it says what was found and where the limit is. `stages/filter.py` asks them in this order.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from cotdistill.records import Trace

RowFilter: TypeAlias = Callable[[Trace], str]
"""Returns the reason against a trace."""
GroupFilter: TypeAlias = Callable[[Sequence[Trace]], list[str]]
"""Returns the reason against each of the traces of one problem that are left."""

REASON_ORDER = (
    # What the teacher or its server did not finish.
    "truncated",
    "empty_reasoning",
    "empty_answer",
    "refusal",
    "content_filter",
    # What the verifier did not find right.
    "wrong",
    "unparsed",
    "error",
    # What the text itself gives away.
    "hint_leak",
    "refused",
    "format",
    "short_reasoning",
    "long_reasoning",
    "short_answer",
    "long_answer",
    "long_completion",
    "language",
    "repetition",
    "contaminated",
    # What the trace is beside others.
    "pass_rate",
    "duplicate",
    "near_duplicate",
    "surplus",
)
"""Classes of reasons in the order in which they are asked: a row is counted under the first that drops it."""
