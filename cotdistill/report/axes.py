"""Scales with round numbers on them."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Axis(NamedTuple):
    """A scale from `low` to `high` with round numbers on it."""

    low: float
    high: float
    ticks: tuple[float, ...]
    is_log: bool = False
    """Whether equal ratios are equally long: a scale of positive values."""

    def percent(self, value: float) -> str:
        """Return the place of a value along the axis."""
        return f"{100 * self.share(value):.2f}%"

    def share(self, value: float) -> float:
        """Return the place of a value, 0..1."""
        if self.is_log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


class Bins(NamedTuple):
    """Equal bins of a histogram: whole numbers, from `start` on."""

    start: int
    width: int
    n: int

    def counts(self, values: Iterable[int]) -> list[int]:
        """Return how many values fall into each bin."""
        found = [0] * self.n
        for value in values:
            found[(value - self.start) // self.width] += 1
        return found


def round_axis(low: float, high: float, *, about: int = 5) -> Axis:
    """Return an axis that holds both values, with about so many ticks at 1, 2 or 5 times a power of ten."""
    step = _round_step((high - low) / about)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    ticks = tuple(round(i * step, 10) + 0.0 for i in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], ticks)


def log_axis(low: float, high: float, *, about: int = 6) -> Axis:
    """Return a logarithmic axis that holds both positive values, with about so many ticks at 1, 2 or 5 at most."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high) + 1e-9)
    marks: Sequence[float] = ()
    for factors in ((1, 2, 5), (1, 3), (1,)):
        marks = [round(factor * 10.0**power, 12) for power in range(first, last + 1) for factor in factors]
        below = [mark for mark in marks if mark <= low * (1 + 1e-9)]
        above = [mark for mark in marks if mark >= high * (1 - 1e-9)]
        start, end = below[-1], above[0]
        marks = [mark for mark in marks if start <= mark <= end]
        if len(marks) <= about + 2:
            break
    if len(marks) == 1:
        marks = [marks[0], marks[0] * 10]
    return Axis(marks[0], marks[-1], tuple(marks), is_log=True)


def axis_to(last: float) -> Axis:
    """Return an axis from 0 that ends at a value, which is its last tick."""
    found = round_axis(0, last)
    ticks = [tick for tick in found.ticks if tick < 0.91 * last]
    return Axis(0, last, (*ticks, last))


def round_bins(values: Sequence[int], *, about: int = 24) -> Bins:
    """Return bins of a round width that hold all values."""
    width = max(1, round(_round_step((max(values) - min(values)) / about)))
    start = min(values) // width * width
    return Bins(start, width, (max(values) - start) // width + 1)


def _round_step(rough: float) -> float:
    if rough <= 0:
        return 1.0
    power: float = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
