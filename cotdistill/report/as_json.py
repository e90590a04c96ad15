"""The report as one JSON object, for scripts.

    {"arms": [{"name": "filtered", "accuracy": 0.967, "ci95": [0.94, 0.982], "n": 300,
               "difference": {"against": "baseline", "points": 94.3, "ci95": [90.8, 96.4], …}, …}, …], …}

Accuracies, shares and their intervals are 0..1; differences and their intervals are percentage points.
"""

from cotdistill.report.data import ArmReport, Comparison, JsonRow, ReportData, StageReport, Tally


def as_json(data: ReportData) -> JsonRow:
    """Return the report as JSON values; null where a number is not known (yet)."""
    return {
        "name": data.name,
        "created": data.created or None,
        "baseline": data.baseline,
        "arms": [_arm(arm) for arm in data.arms],
    }


def _arm(arm: ArmReport) -> JsonRow:
    scores = arm.scores
    stages = arm.stages.values()
    return {
        "name": arm.name,
        **_tally(scores.total if scores else None),
        "tasks": {task: _tally(tally) for task, tally in scores.tasks.items()} if scores else {},
        "difference": _comparison(arm.to_baseline),
        "difference_to_first": _comparison(arm.to_first),
        "funnel": {step.label: step.rows for step in arm.funnel},
        "waterfall": _waterfall(arm.filtered),
        "rejected": {stage.name: dict(stage.reasons) for stage in stages if stage.reasons},
        "final_loss": arm.loss[-1].loss if arm.loss else None,
        "seconds": {stage.name: stage.seconds for stage in stages},
    }


def _waterfall(filtered: StageReport | None) -> list[JsonRow] | None:
    """Return what the filter dropped, in the order in which it asked; null where it is not finished."""
    if filtered is None:
        return None
    return [{"reason": drop.reason, "dropped": drop.rows, "left": drop.left} for drop in filtered.waterfall]


def _tally(tally: Tally | None) -> JsonRow:
    if tally is None:
        tally = Tally(n=0, right=0, unanswered=0, truncated=0, errors=0, tokens=0)
    return {
        "accuracy": tally.accuracy,
        "ci95": list(tally.ci95) if tally.ci95 else None,
        "n": tally.n,
        "unanswered": tally.share(tally.unanswered),
        "truncated": tally.share(tally.truncated),
        "verifier_errors": tally.errors,
        "mean_tokens": tally.mean_tokens,
    }


def _comparison(comparison: Comparison | None) -> JsonRow | None:
    if comparison is None:
        return None
    paired = comparison.paired
    return {
        "against": comparison.against,
        "points": 100 * paired.difference,
        "ci95": [100 * bound for bound in paired.ci95],
        "mcnemar_p": paired.mcnemar_p,
        "gained": paired.counts.gained,
        "lost": paired.counts.lost,
        "n": paired.counts.n,
    }
