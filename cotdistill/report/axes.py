"""Scales with round numbers on them."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Axis(NamedTuple):
    """A scale from `low` to `high` with round numbers on it."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def percent(self, value: float) -> str:
        """Return the place of a value along the axis."""
        return f"{100 * self.share(value):.2f}%"

    def share(self, value: float) -> float:
        """Return the place of a value, 0..1."""
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
