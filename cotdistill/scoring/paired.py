"""Two arms on the same problems: the difference, its interval, and whether chance explains it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from cotdistill.errors import UserError
from cotdistill.scoring.bootstrap import bootstrap_interval
from cotdistill.scoring.clustered import ProblemResult, clustered_error
from cotdistill.scoring.sign_flip import sign_flip_p
from cotdistill.scoring.smallest_difference import (
    SmallestDifference,
    smallest_clustered_difference,
    smallest_difference,
)
from cotdistill.scoring.statistics import Interval, PairCounts, holm, mcnemar_p, pair_up, paired_difference

SEED = 20260101
"""Of the bootstrap, always the same: a report made twice says the same."""


@dataclass(frozen=True, kw_only=True)
class Paired:
    """Accuracy of this arm minus that of the other, on the problems that both were asked."""

    difference: float
    """-1..1."""
    ci95: Interval
    p: float
    """McNemar's exact p, or the sign-flip test's over clusters where answers hang together."""
    p_holm: float
    """p adjusted for the number of tasks that the two arms are compared on; p itself where that is one."""
    n: int
    """Problems."""
    clusters: int
    counts: PairCounts | None
    """None where a problem was attempted several times: then there are no pairs."""
    mcnemar_p: float | None
    """As if every pair stood alone; None where there are no pairs."""
    smallest: SmallestDifference
    """What so many problems can show."""

    @property
    def is_clustered(self) -> bool:
        """Whether answers hang together: the interval is then a bootstrap's, the test a sign-flip test."""
        return self.counts is None or self.clusters < self.n

    @property
    def mirrored(self) -> "Paired":
        """The other arm minus this one."""
        counts = self.counts
        return replace(
            self,
            difference=0.0 - self.difference,
            ci95=Interval(0.0 - self.ci95.high, 0.0 - self.ci95.low),
            counts=PairCounts(counts.both, counts.lost, counts.gained, counts.neither) if counts else None,
        )


def compare_paired(here: Mapping[str, ProblemResult], there: Mapping[str, ProblemResult]) -> Paired:
    """Return the difference of two arms, given by problem id, on the problems that both have.

    Problems that stand alone with one attempt each: Newcombe's interval and McNemar's exact test. Otherwise the
    bootstrap over clusters, and the sign-flip test. Raises: UserError where the two share no problem.
    """
    common = [problem for problem in here if problem in there]
    if not common:
        raise UserError("the two arms have no problem in common", hint="evaluate both on the same tasks")
    is_single = all(here[p].n == there[p].n == 1 for p in common)
    counts = pair_up((here[p].right == 1, there[p].right == 1) for p in common) if is_single else None
    clusters = len({here[p].cluster for p in common})
    if counts is not None and clusters == len(common):
        plain = paired_difference(counts)
        smallest = smallest_difference(counts.n, counts.gained + counts.lost)
        difference, interval, p = plain.difference, plain.ci95, plain.mcnemar_p
    else:
        difference, interval, p, smallest = _clustered([(here[p], there[p]) for p in common], clusters)
    return Paired(
        difference=difference,
        ci95=interval,
        p=p,
        p_holm=p,
        n=len(common),
        clusters=clusters,
        counts=counts,
        mcnemar_p=mcnemar_p(counts.gained, counts.lost) if counts else None,
        smallest=smallest,
    )


def adjust(tasks: Mapping[str, Paired]) -> dict[str, Paired]:
    """Return the comparisons of two arms on several tasks with Holm's p."""
    adjusted = holm([paired.p for paired in tasks.values()])
    return {task: replace(paired, p_holm=p) for (task, paired), p in zip(tasks.items(), adjusted, strict=True)}


def _clustered(
    pairs: list[tuple[ProblemResult, ProblemResult]], clusters: int
) -> tuple[float, Interval, float, SmallestDifference]:
    sums: dict[str, tuple[Fraction, int]] = {}
    for mine, other in pairs:
        total, n = sums.get(mine.cluster, (Fraction(0), 0))
        sums[mine.cluster] = total + Fraction(mine.right, mine.n) - Fraction(other.right, other.n), n + 1
    totals = [total for total, _ in sums.values()]
    difference = float(sum(totals) / len(pairs))
    if len({(total, n) for total, n in sums.values()}) == 1:
        # Clusters that are all alike would leave an interval without width: as many pairs that agree have one.
        agreeing = round(clusters * sum(mine.share for mine, _ in pairs) / len(pairs))
        around = paired_difference(PairCounts(agreeing, 0, 0, clusters - agreeing)).ci95
        interval = Interval(max(-1.0, difference + around.low), min(1.0, difference + around.high))
    else:
        interval = bootstrap_interval([(float(total), n) for total, n in sums.values()], seed=SEED)
    error = clustered_error([(mine.share - other.share, mine.cluster) for mine, other in pairs])
    return difference, interval, sign_flip_p(totals), smallest_clustered_difference(error)
