"""The report as one JSON object, for scripts.

    {"arms": [{"name": "filtered", "kind": "trained", "accuracy": 0.967, "ci95": [0.94, 0.982], "n": 300,
               "tasks": [{"task": "gsm8k", "accuracy": 0.967, "unparsed": 0.01, "groups": {}, …}], …}, …],
     "pairs": [{"arm": "filtered", "against": "baseline", "tasks": [{"task": "gsm8k", "points": 94.3, …}]}, …], …}

Accuracies, shares and their intervals are 0..1; differences and their intervals are percentage points.
"""

from cotdistill.report.data import ArmReport, JsonRow, ReportData, StageReport, known_sum
from cotdistill.report.flips import flipped_ids
from cotdistill.report.pairs import Regression, Seeds, regressions, seeds
from cotdistill.report.scores import Comparison, Pair
from cotdistill.report.tally import Tally
from cotdistill.scoring.paired import Paired


def as_json(data: ReportData) -> JsonRow:
    """Return the report as JSON values; null where a number is not known (yet)."""
    return {
        "name": data.name,
        "created": data.created or None,
        "ended": data.ended or None,
        "command": data.command or None,
        "roles": dict(data.roles),
        "facts": {fact.label: f"{fact.value} ({fact.note})" if fact.note else fact.value for fact in data.facts},
        "spent": data.spent._asdict(),
        "baseline": data.baseline,
        "arms": [{**_arm(arm), **_book(data, arm.name)} for arm in data.arms],
        "token_line": {"task": data.books.task or None, "arms": list(data.books.line)} if data.books.line else None,
        "pairs": [{"arm": pair.arm, **comparison_json(pair.comparison)} for pair in data.pairs],
        "flipped": [_flipped(data, pair) for pair in data.pairs],
        "seeds": [_seeds(found) for found in seeds(data.arms)],
        "regressions": [regression_json(found) for found in regressions(data.arms)],
    }


def _arm(arm: ArmReport) -> JsonRow:
    names = dict.fromkeys(name for stages in arm.chains for name in stages)
    target = arm.scores.target if arm.scores else None
    only = arm.scores.only if arm.scores else None
    return {
        "name": arm.name,
        "kind": arm.kind,
        "of": arm.of,
        "seed": arm.seed,
        "overrides": None if arm.overrides is None else list(arm.overrides),
        # Of the one task that is not general; answers to several tasks are never counted together.
        "accuracy": only.accuracy if only else None,
        "ci95": list(only.ci95) if only and only.ci95 else None,
        "n": arm.scores.n if arm.scores else 0,
        "mean_accuracy": arm.scores.mean_accuracy if arm.scores else None,
        "tasks": _tasks(arm),
        "difference": _of_task(arm.to_baseline, target),
        "difference_to_first": _of_task(arm.to_first, target),
        "points": [
            {"step": point.step, "tasks": [{"task": task, **tally_json(found)} for task, found in point.tasks.items()]}
            for point in arm.points
        ],
        "funnel": {step.label: step.rows for step in arm.funnel},
        "waterfall": _waterfall(arm.filtered),
        "rejected": {name: dict(stage.reasons) for name, stage in arm.stages.items() if stage.reasons},
        "final_loss": arm.loss[-1].loss if arm.loss else None,
        "seconds": {name: known_sum(stages[name].seconds for stages in arm.chains if name in stages) for name in names},
    }


def _book(data: ReportData, arm: str) -> JsonRow:
    """Return what an arm took, and the teacher tokens that its accuracy is worth."""
    book, worth = data.books.arms.get(arm), data.books.pays_like.get(arm)
    if book is None:
        return {"books": None, "pays_like": None}
    said = {name: value for name, value in vars(book).items() if name != "rounds"}
    rounds = [{**vars(found), "kept": dict(found.kept)} for found in book.rounds]
    pays = None if worth is None else {**worth._asdict(), "times": data.books.ratio(arm)}
    return {"books": {**said, "rounds": rounds}, "pays_like": pays}


def _flipped(data: ReportData, pair: Pair) -> JsonRow:
    """Return the ids of the problems that an arm answers right and the other does not, and the other way round."""
    arms = {arm.name: arm for arm in data.arms}
    here, there = arms[pair.arm], arms[pair.comparison.against]
    found = {task: flipped_ids(here, there, task) for task in pair.comparison.tasks}
    rows = [{"task": task, "gained": gained, "lost": lost} for task, (gained, lost) in found.items()]
    return {"arm": pair.arm, "against": pair.comparison.against, "tasks": rows}


def _tasks(arm: ArmReport) -> list[JsonRow]:
    if arm.scores is None:
        return []
    to_baseline = arm.to_baseline
    return [
        {
            "task": task,
            "general": task in arm.scores.general,
            **tally_json(found),
            "groups": {group: tally_json(part) for group, part in found.groups.items()},
            "difference": difference_json(to_baseline.against, to_baseline.tasks[task])
            if to_baseline and task in to_baseline.tasks
            else None,
        }
        for task, found in arm.scores.tasks.items()
    ]


def tally_json(found: Tally) -> JsonRow:
    """Return what stands in a cell, its groups left out."""
    tokens, equations, language = found.tokens, found.equations, found.language
    return {
        "accuracy": found.accuracy,
        "ci95": list(found.ci95) if found.ci95 else None,
        "n": found.n,
        "problems": found.problems,
        "clusters": found.estimate.clusters if found.estimate else 0,
        "unparsed": found.share(found.unparsed),
        "truncated": found.share(found.truncated),
        "unclosed": found.share(found.unclosed),
        "forced": found.share(found.forced),
        "verifier_errors": found.errors,
        "tokens": tokens._asdict() if tokens else None,
        "maj_at_k": found.maj_at_k,
        "pass_at_k": {str(k): share for k, share in found.pass_at_k.items()} or None,
        "equations": equations._asdict() | {"share": equations.share} if equations else None,
        "language": language._asdict() if language else None,
        "clean": found.clean._asdict(),
    }


def comparison_json(comparison: Comparison) -> JsonRow:
    """Return a comparison with all its tasks."""
    rows = [{"task": task, **paired_json(paired)} for task, paired in comparison.tasks.items()]
    return {"against": comparison.against, "tasks": rows}


def paired_json(paired: Paired) -> JsonRow:
    """Return a difference, in percentage points."""
    smallest = paired.smallest.difference
    return {
        "points": 100 * paired.difference,
        "ci95": [100 * bound for bound in paired.ci95],
        "p": paired.p,
        "p_holm": paired.p_holm,
        "test": "sign flips of clusters" if paired.is_clustered else "McNemar, exact",
        "mcnemar_p": paired.mcnemar_p,
        "gained": paired.counts.gained if paired.counts else None,
        "lost": paired.counts.lost if paired.counts else None,
        "n": paired.n,
        "clusters": paired.clusters,
        "smallest_points": None if smallest is None else 100 * smallest,
        "smallest_from": paired.smallest.basis,
    }


def difference_json(against: str, paired: Paired) -> JsonRow:
    """Return a difference with the name of what is subtracted."""
    return {"against": against, **paired_json(paired)}


def regression_json(found: Regression) -> JsonRow:
    """Return a drop in a general task."""
    return {"arm": found.arm, "task": found.task, **difference_json(found.against, found.paired)}


def _of_task(comparison: Comparison | None, task: str | None) -> JsonRow | None:
    """Return the comparison in a task; None where there is none."""
    paired = comparison.tasks.get(task) if comparison and task else None
    return difference_json(comparison.against, paired) if comparison and paired else None


def _seeds(found: Seeds) -> JsonRow:
    rows = [{"task": task, **spread._asdict()} for task, spread in found.tasks.items()]
    return {"of": found.of, "arms": list(found.arms), "tasks": rows}


def _waterfall(filtered: StageReport | None) -> list[JsonRow] | None:
    """Return what the filter dropped, in the order in which it asked; null where it is not finished."""
    if filtered is None:
        return None
    return [{"reason": drop.reason, "dropped": drop.rows, "left": drop.left} for drop in filtered.waterfall]
