"""Accuracy where answers hang together: several attempts at one problem, one question in several languages.

The unit is the problem: its value is the share of its attempts that are right. Problems that are one question in
several languages are one cluster, and clusters are what is drawn at random.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from cotdistill.scoring.statistics import Interval, wilson_of_share


class ProblemResult(NamedTuple):
    """How often a problem was answered right."""

    right: int
    n: int
    """Attempts, at least 1."""
    cluster: str
    """What it shares with problems whose answers hang together; its own id where it stands alone."""

    @property
    def share(self) -> float:
        """Share of the attempts that are right."""
        return self.right / self.n


class Estimate(NamedTuple):
    """An accuracy: the mean over problems, and how sure it is."""

    accuracy: float
    ci95: Interval
    standard_error: float
    problems: int
    clusters: int
    n: int
    """Answers."""


def estimate_accuracy(results: Sequence[ProblemResult]) -> Estimate | None:
    """Return the mean over problems with its 95 % interval; None where nothing was asked.

    Wilson's interval, for the answers where each stands alone. Where they hang together it is for as many
    independent trials as have the clustered standard error (Dean & Pagano 2015, J. Surv. Stat. Methodol. 3:484),
    for as many as there are clusters where all is right or all is wrong, and never for more than there are answers.
    """
    if not results:
        return None
    answers = sum(result.n for result in results)
    clusters = len({result.cluster for result in results})
    mean = sum(result.share for result in results) / len(results)
    error = clustered_error([(result.share, result.cluster) for result in results])
    worth: float = answers
    if clusters < answers:
        spread = mean * (1 - mean)
        worth = clusters if spread == 0 else min(answers, spread / error**2) if error else answers
    return Estimate(mean, wilson_of_share(mean, worth), error, len(results), clusters, answers)


def clustered_error(values: Sequence[tuple[float, str]]) -> float:
    """Return the standard error of the mean of (value, cluster); 0 where there is one cluster.

    Source: Liang & Zeger 1986 with the correction G / (G - 1) for few clusters, as in regression on a constant.
    """
    mean = sum(value for value, _ in values) / len(values)
    sums: dict[str, float] = {}
    for value, cluster in values:
        sums[cluster] = sums.get(cluster, 0.0) + value - mean
    if len(sums) == 1:
        return 0.0
    return math.sqrt(len(sums) / (len(sums) - 1) * sum(s * s for s in sums.values())) / len(values)
