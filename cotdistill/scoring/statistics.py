"""Intervals and tests for accuracies: values in, values out, nothing but the standard library.

Here every answer is an independent trial. Where several answers hang together, as attempts at one problem or one
question in eleven languages, `scoring/clustered.py` and `scoring/paired.py` say what may be said.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cotdistill.errors import UserError

Z95 = 1.959963984540054
"""Two-sided 95 % point of the standard normal distribution."""


class Interval(NamedTuple):
    """A 95 % confidence interval."""

    low: float
    high: float


class PairCounts(NamedTuple):
    """How two arms did on the same problems."""

    both: int
    gained: int
    """Right in this arm, not in the other."""
    lost: int
    """Right in the other arm, not in this one."""
    neither: int

    @property
    def n(self) -> int:
        """Problems that both arms were asked."""
        return sum(self)


@dataclass(frozen=True, kw_only=True)
class PairedDifference:
    """Accuracy of this arm minus that of the other, on the same problems."""

    counts: PairCounts
    difference: float
    """-1..1."""
    ci95: Interval
    mcnemar_p: float


def wilson(right: int, n: int) -> Interval:
    """Return the 95 % score interval of a proportion; (0, 1) where nothing was asked.

    Source: Wilson 1927; recommended for n of any size by Newcombe 1998, Stat. Med. 17:857, method 3.
    Raises: ValueError unless 0 <= right <= n.
    """
    if not 0 <= right <= n:
        raise ValueError(f"{right} right of {n}")
    return wilson_of_share(right / n, n) if n else Interval(0.0, 1.0)


def wilson_of_share(share: float, n: float) -> Interval:
    """Return the 95 % score interval of a proportion in 0..1 that `n` > 0 trials are worth; `n` need not be whole."""
    z2 = Z95 * Z95
    middle = share + z2 / (2 * n)
    half = Z95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    scale = 1 + z2 / n
    # At 0 and 1 the bound is exact; rounding would leave 1e-17 there.
    low = 0.0 if share == 0 else (middle - half) / scale
    high = 1.0 if share == 1 else (middle + half) / scale
    return Interval(low, high)


def mcnemar_p(gained: int, lost: int) -> float:
    """Return the exact two-sided p-value of McNemar's test; 1 where no pair is discordant.

    Source: the binomial test of `gained` of `gained + lost` against 1/2, its smaller tail doubled.
    """
    n = gained + lost
    term = tail = 1
    for i in range(1, min(gained, lost) + 1):
        term = term * (n - i + 1) // i
        tail += term
    # Whole numbers to the end: 2**n has no float from n = 1024 on, the quotient of two ints has.
    p: float = 2 * tail / 2**n
    return min(1.0, p)


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return the p-values adjusted so that one false alarm among all of them has at most the stated chance.

    In the order given. Source: Holm 1979, Scand. J. Stat. 6:65, the step-down Bonferroni test.
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, highest = [1.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = highest
    return tuple(adjusted)


def pair_up(pairs: Iterable[tuple[bool, bool]]) -> PairCounts:
    """Count pairs of (right in this arm, right in the other)."""
    both = gained = lost = neither = 0
    for here, there in pairs:
        both += here and there
        gained += here and not there
        lost += there and not here
        neither += not (here or there)
    return PairCounts(both, gained, lost, neither)


def paired_difference(counts: PairCounts) -> PairedDifference:
    """Return the paired difference of two arms with its 95 % interval and McNemar's exact test.

    The interval is Newcombe 1998, Stat. Med. 17:2635, method 10: two Wilson intervals joined by the
    correlation of the pairs; closed form, within -1..1, and of sound width where no pair is discordant
    (recommended by Fagerland, Lydersen & Laake 2014, Stat. Med. 33:2850).
    Raises: UserError where the two arms share no problem.
    """
    n = counts.n
    if n == 0:
        raise UserError("the two arms have no problem in common", hint="evaluate both on the same tasks")
    here, there = counts.both + counts.gained, counts.both + counts.lost
    difference = (counts.gained - counts.lost) / n
    phi = _correlation(counts)
    down, up = _distances(here, n), _distances(there, n)
    return PairedDifference(
        counts=counts,
        difference=difference,
        ci95=Interval(difference - _joined(down.low, up.high, phi), difference + _joined(down.high, up.low, phi)),
        mcnemar_p=mcnemar_p(counts.gained, counts.lost),
    )


def _distances(right: int, n: int) -> Interval:
    """Return how far the Wilson bounds lie below and above the proportion."""
    interval = wilson(right, n)
    return Interval(right / n - interval.low, interval.high - right / n)


def _joined(one: float, other: float, phi: float) -> float:
    # Equal distances with phi = 1 leave -1e-20 under the root.
    return math.sqrt(max(0.0, one * one - 2 * phi * one * other + other * other))


def _correlation(counts: PairCounts) -> float:
    """Return phi of the four-fold table, a positive one corrected for continuity (method 10)."""
    both, gained, lost, neither = counts
    product = (both + gained) * (lost + neither) * (both + lost) * (gained + neither)
    if product == 0:
        return 0.0
    cross = both * neither - gained * lost
    if cross > 0:
        cross_corrected = max(cross - counts.n / 2, 0.0)
        return cross_corrected / math.sqrt(product)
    return cross / math.sqrt(product)
