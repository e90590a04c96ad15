"""Equations that do not hold, in texts whose final answer may be right all the same: a student learns to write them."""

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Protocol

from cotdistill.filters import Reason
from cotdistill.records import Trace


class Stated(Protocol):
    """An equation that a text states."""

    @property
    def left(self) -> Fraction:
        """Value of what is computed."""

    @property
    def right(self) -> Fraction:
        """Value that is given for it."""

    @property
    def holds(self) -> bool:
        """Whether they agree, as far as the right one is written out."""


def reason_against_wrong_equations(trace: Trace, read: Callable[[str], Iterable[Stated]]) -> Reason | None:
    """Return which text states how many equations that do not hold; None where all hold that `read` finds in it."""
    for name, text in (("reasoning", trace.completion.reasoning), ("answer", trace.completion.text)):
        stated = list(read(text))
        wrong = [equation for equation in stated if not equation.holds]
        if wrong:
            first = f"the first says {_written(wrong[0].right)} where it is {_written(wrong[0].left)}"
            found = f"{len(wrong)} of {len(stated)} equations of the {name} do not hold (limit 0)"
            return Reason("wrong_equations", f"{found}; {first}")
    return None


def _written(value: Fraction) -> str:
    return str(value) if value.denominator == 1 else f"{float(value):.6g}"
