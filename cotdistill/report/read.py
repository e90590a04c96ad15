"""Reads a run folder into a report; what is not finished is shown as pending."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from cotdistill.records import ArmKind, Checkpoint, Score
from cotdistill.report.books import read_books
from cotdistill.report.data import BASELINE, ArmReport, PointReport, ReportData
from cotdistill.report.flips import read_flips
from cotdistill.report.header import header_facts, spent_by
from cotdistill.report.overrides import overrides
from cotdistill.report.pairs import compared
from cotdistill.report.read_stage import StageFolder, read_rows, read_stage
from cotdistill.report.recipes import read_command, read_recipes, read_written, roles
from cotdistill.report.scores import summarize
from cotdistill.storage import jsonl
from cotdistill.storage.arms import ArmStages, read_arms
from cotdistill.storage.run_folder import ARMS, CHECKPOINT_ROWS, RECIPE, RESOLVED, RUN_LOG, Manifest

KINDS: Mapping[str, ArmKind] = {BASELINE: "baseline", "teacher": "teacher"}
"""What arms of these names are in runs of earlier versions."""


def read_run(run: Path) -> ReportData:
    """Return what a run folder holds so far.

    Raises: UserError that names the file where the folder is no run or a file in it is damaged.
    """
    run = run.resolve()
    arms = read_arms(run).arms
    folders = {folder: stage for arm in arms for folder, stage in arm.folders.items()}
    found = {folder: read_stage(run / folder, stage, folder) for folder, stage in folders.items()}
    manifests = sorted((f.manifest for f in found.values() if f.manifest), key=lambda manifest: manifest.started)
    recipes = read_recipes(run)
    finished = {folder: folders[folder] for folder, part in found.items() if part.manifest}
    spent = spent_by(run / folder for folder in finished)
    read = [replace(_arm(arm, found, run), overrides=overrides(recipes, arm.of or arm.name)) for arm in arms]
    compared_arms, pairs = compared(read)
    return ReportData(
        name=run.name,
        created=manifests[0].started if manifests else "",
        ended=_ended(manifests) if len(manifests) == len(found) else "",
        roles=roles(recipes),
        facts=header_facts(run, finished, recipes, spent),
        spent=spent,
        recipe=read_written(run),
        command=read_command(run),
        files=tuple(name for name in (RECIPE, RESOLVED, ARMS, RUN_LOG) if (run / name).is_file()),
        versions=manifests[-1].versions if manifests else {},
        arms=compared_arms,
        pairs=pairs,
        books=read_books(arms, compared_arms, recipes, run),
        flips=read_flips(compared_arms, run),
    )


def _ended(manifests: Iterable[Manifest]) -> str:
    """Return when the last of these stages ended, UTC, ISO 8601."""
    ends = (datetime.fromisoformat(m.started) + timedelta(seconds=m.seconds) for m in manifests)
    return max(ends).isoformat(timespec="seconds")


def _arm(arm: ArmStages, found: Mapping[str, StageFolder], run: Path) -> ArmReport:
    """Return one arm, not yet compared."""
    *earlier, parts = ({stage: found[folder] for stage, folder in stages.items()} for stages in arm.chains)
    own = parts.get("reinforce")
    return ArmReport(
        name=arm.name,
        kind=arm.kind or KINDS.get(arm.name, "trained"),
        baseline=arm.baseline,
        of=arm.of,
        seed=arm.seed,
        stages={stage: part.stage for stage, part in parts.items()},
        earlier=tuple({stage: part.stage for stage, part in round.items()} for round in earlier),
        scores=parts["evaluate"].scores if "evaluate" in parts else None,
        lengths=parts["filter"].lengths if "filter" in parts else None,
        loss=parts["train"].loss if "train" in parts else (),
        reward=own.reward if own is not None else (),
        # Behind a reward the loss says nothing: it is about 0 whatever is learned.
        divergence=own.loss if own is not None and not own.reward else (),
        points=tuple(_points(arm, parts, run)),
    )


def _points(arm: ArmStages, parts: Mapping[str, StageFolder], run: Path) -> Iterator[PointReport]:
    """Yield the results on the way through a training, and those at its end; nothing where none were asked."""
    for point in arm.steps:
        yield PointReport(point.step, summarize(read_rows(run / point.folder, Score)).tasks)
    trained = run / arm.stages.get("train", "") / CHECKPOINT_ROWS
    scores = parts["evaluate"].scores if "evaluate" in parts else None
    if arm.steps and scores is not None and trained.is_file():
        last = next(jsonl.read(trained, Checkpoint))
        if last.steps > arm.steps[-1].step:
            yield PointReport(last.steps, scores.tasks)
