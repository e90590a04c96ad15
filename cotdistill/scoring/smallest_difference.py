"""The smallest difference between two arms that so many questions can show."""

import math
from typing import Literal, NamedTuple

from cotdistill.scoring.statistics import Z95, wilson

Z80 = 0.8416212335729143
"""One-sided 80 % point of the standard normal distribution: the power."""
ENOUGH = 10
"""Answers that differ, from which their share is taken as seen."""
FEWEST = 6
"""Pairs that all differ the same way, from which McNemar's exact p lies below 0.05."""

Basis = Literal["pairs that differ", "worst case", "clustered error"]


class SmallestDifference(NamedTuple):
    """A true difference that is found with 80 % power by a two-sided test at 5 %."""

    difference: float | None
    """0..1; None where no difference can be shown by so few."""
    basis: Basis
    """The share of pairs that differ as it was seen; its upper 95 % bound, where fewer than ten do; the clustered
    standard error of the difference as it was seen."""


def smallest_difference(n: int, discordant: int) -> SmallestDifference:
    """Return it for `n` pairs of which `discordant` differ.

    Source: Connor 1987, Biometrics 43:207, the sample size of McNemar's test, solved for the difference.
    """
    seen = discordant >= ENOUGH
    share = discordant / n if seen else wilson(discordant, n).high
    basis: Basis = "pairs that differ" if seen else "worst case"
    if n < FEWEST:
        return SmallestDifference(None, basis)
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        # As many pairs differ as the difference itself takes, if not more.
        low, high = (middle, high) if _pairs_needed(middle, max(share, middle)) > n else (low, middle)
    return SmallestDifference(high, basis)


def smallest_clustered_difference(standard_error: float) -> SmallestDifference:
    """Return it from the clustered standard error of the difference (Miller 2024, arXiv:2411.00640, sec. 5)."""
    difference = (Z95 + Z80) * standard_error
    return SmallestDifference(difference if 0 < difference < 1 else None, "clustered error")


def _pairs_needed(difference: float, discordant_share: float) -> float:
    if difference == 0:
        return math.inf
    spread = math.sqrt(max(0.0, discordant_share - difference**2))
    return ((Z95 * math.sqrt(discordant_share) + Z80 * spread) / difference) ** 2
