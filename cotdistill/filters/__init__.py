"""Reasons not to learn from a trace: one module, one reason.

A row filter is a pure function that returns why a trace is dropped, None where it stays. `stages/filter.py` asks them
in the order of `REASON_ORDER`.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias, get_args

from cotdistill.records import FilterKind, Trace


class Reason(NamedTuple):
    """Why a trace is dropped."""

    kind: FilterKind
    text: str
    """What was found and where the limit is: `5210 characters > 4000`."""

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


RowFilter: TypeAlias = Callable[[Trace], Reason | None]
"""Returns the reason against a trace; None where there is none."""
GroupFilter: TypeAlias = Callable[[Sequence[Trace]], list[Reason | None]]
"""Returns the reason against each of the traces of one problem that are left; None for what stays."""

REASON_ORDER: tuple[FilterKind, ...] = get_args(FilterKind)
"""Kinds of reasons in the order in which they are asked: a row is counted under the first that drops it."""
