"""A run's result in a sentence or two."""

from collections.abc import Sequence
from statistics import fmean

from cotdistill.report import wording
from cotdistill.report.columns import has_exam
from cotdistill.report.data import ArmReport, ReportData
from cotdistill.scoring.paired import Paired


def headline(data: ReportData) -> str:
    """Return the run's result in a sentence or two; of trainings that differ in their seed alone, their mean's."""
    variants = {name: [arm for arm in arms if _is_trained(arm)] for name, arms in data.variants}
    trained = {name: arms for name, arms in variants.items() if arms}
    if not trained:
        return "No trained arm has been evaluated yet." if has_exam(data) else "Nothing is evaluated in this run."
    variant = max(trained, key=lambda name: fmean(map(_accuracy, trained[name])))
    best, *others = trained[variant]
    named = variant if others else best.name
    name = f"Best arm: {named}," if len(trained) > 1 else f"{named}:"
    return _of_seeds(name, [best, *others]) if others else _of_one(name, best)


def _of_seeds(name: str, arms: Sequence[ArmReport]) -> str:
    found = sorted(map(_accuracy, arms))
    of = f" of {arms[0].scores.target}" if arms[0].scores and arms[0].scores.target else ""
    span = f"{100 * found[0]:.1f}–{100 * found[-1]:.1f}"
    return f"{name} {wording.percent(fmean(found))}{of} right in the mean of {len(arms)} seeds ({span})."


def _of_one(name: str, best: ArmReport) -> str:
    assert best.scores is not None, "it is evaluated"
    target, tally = best.scores.target, best.scores.only
    if target is None or tally is None:
        mean = wording.percent(best.scores.mean_accuracy)
        return f"{name} {mean} right in the unweighted mean of {len(best.scores.taught)} tasks."
    task = f" of {target}" if len(best.scores.tasks) > 1 else ""
    said = (
        f"{name} {wording.percent(tally.accuracy)} of {tally.problems:,} questions{task} right "
        f"(95% interval {wording.percent_range(tally.ci95)})."
    )
    paired = best.to_baseline.tasks.get(target) if best.to_baseline else None
    return f"{said} {_against(best.to_baseline.against, paired)}" if best.to_baseline and paired else said


def _against(against: str, paired: Paired) -> str:
    interval = wording.points_range(paired.ci95)
    if paired.p >= 0.05:
        return f"No clear difference to {against}: {wording.points(paired.difference)} points ({interval})."
    side = "above" if paired.difference > 0 else "below"
    return f"That is {abs(100 * paired.difference):.1f} points {side} {against} ({interval})."


def _is_trained(arm: ArmReport) -> bool:
    return bool(arm.scores and arm.scores.n) and arm.kind == "trained"


def _accuracy(arm: ArmReport) -> float:
    return (arm.scores and arm.scores.mean_accuracy) or 0.0
