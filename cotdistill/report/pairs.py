"""Arms beside each other: every pair, what was forgotten, and trainings that differ in their seed alone."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

from cotdistill.report.data import BASELINE, ArmReport
from cotdistill.report.scores import Comparison, Pair, compare
from cotdistill.scoring.paired import Paired


class Regression(NamedTuple):
    """A general task that an arm does worse than its student did before training, beyond chance."""

    arm: str
    against: str
    task: str
    paired: Paired
    of: str | None = None
    """The recipe's arm that is trained with several seeds, of which this is one."""


class Spread(NamedTuple):
    """Accuracies of trainings that differ in their seed alone."""

    n: int
    mean: float
    sd: float | None
    """Sample standard deviation; None of one training."""
    low: float
    high: float


class Seeds(NamedTuple):
    """An arm that was trained with several seeds."""

    of: str
    arms: tuple[str, ...]
    tasks: Mapping[str, Spread]


def compared(arms: Sequence[ArmReport]) -> tuple[tuple[ArmReport, ...], tuple[Pair, ...]]:
    """Return the arms with their differences, and the differences of every two of them.

    An arm is compared with its own student before training and with the first arm. Where no arm says which its
    student is, that is the arm called `baseline`, or the first one.
    """
    evaluated = {arm.name: arm for arm in arms if arm.scores and arm.scores.n}
    pairs = tuple(all_pairs(list(evaluated.values())))
    known = {(pair.arm, pair.comparison.against): pair.comparison for pair in pairs}
    first = next(iter(evaluated.values()), None)
    baseline = evaluated.get(BASELINE, first)
    done = []
    for arm in arms:
        own = evaluated.get(arm.baseline) if arm.baseline else baseline
        to_first = None if first is baseline else _comparison(arm, first, known)
        done.append(replace(arm, to_baseline=_comparison(arm, own, known), to_first=to_first))
    return tuple(done), pairs


def all_pairs(arms: Sequence[ArmReport]) -> Iterator[Pair]:
    """Yield the later arm minus the earlier one, and every arm minus what was not trained."""
    ordered = sorted(arms, key=lambda arm: not arm.is_untrained)
    for earlier, later in combinations(ordered, 2):
        found = _comparison(later, earlier, {})
        if found is not None:
            yield Pair(later.name, found)


def _comparison(
    arm: ArmReport, other: ArmReport | None, known: Mapping[tuple[str, str], Comparison]
) -> Comparison | None:
    if other is None or arm.name == other.name or arm.scores is None or other.scores is None:
        return None
    if (arm.name, other.name) in known:
        return known[arm.name, other.name]
    if (other.name, arm.name) in known:
        found = known[other.name, arm.name].tasks
        return Comparison(against=other.name, tasks={task: paired.mirrored for task, paired in found.items()})
    tasks = compare(arm.scores, other.scores)
    return Comparison(against=other.name, tasks=tasks) if tasks else None


def regressions(arms: Sequence[ArmReport]) -> tuple[Regression, ...]:
    """Return every drop against the own untrained student in a general task whose interval lies below zero."""
    untrained = {arm.name for arm in arms if arm.is_untrained}
    return tuple(
        Regression(arm.name, arm.to_baseline.against, task, paired, arm.of)
        for arm in arms
        if arm.to_baseline and arm.scores and arm.to_baseline.against in untrained
        if not arm.is_untrained and arm.kind != "teacher"
        for task, paired in arm.to_baseline.tasks.items()
        if task in arm.scores.general and paired.ci95.high < 0
    )


def seeds(arms: Sequence[ArmReport]) -> tuple[Seeds, ...]:
    """Return the arms that were trained with several seeds, with the spread of their accuracies."""
    groups: dict[str, list[ArmReport]] = {}
    for arm in arms:
        if arm.of is not None:
            groups.setdefault(arm.of, []).append(arm)
    return tuple(Seeds(of, tuple(arm.name for arm in members), _spreads(members)) for of, members in groups.items())


def _spreads(arms: Sequence[ArmReport]) -> dict[str, Spread]:
    found: dict[str, list[float]] = {}
    for arm in arms:
        for task, tally in arm.scores.tasks.items() if arm.scores else ():
            if tally.accuracy is not None:
                found.setdefault(task, []).append(tally.accuracy)
    return {task: _spread(values) for task, values in found.items()}


def _spread(values: Sequence[float]) -> Spread:
    n, mean = len(values), math.fsum(values) / len(values)
    sd = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1)) if n > 1 else None
    return Spread(n, mean, sd, min(values), max(values))
