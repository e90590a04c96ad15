"""The way of the rows from questions to conversations that are learned from, with what was lost on it."""

from collections.abc import Iterator
from typing import NamedTuple

from cotdistill.report.data import ArmReport, ReportData, StageReport

STAGES = ("sample", "filter", "convert", "train")
FIRST = {"sample": "asked", "filter": "read", "convert": "read", "train": "conversations"}
"""What goes into a stage that begins a chain."""
AFTER = {"sample": "answered", "filter": "kept", "convert": "written", "train": "trained on"}


class FlowStep(NamedTuple):
    """A number of rows, or what a reason took of them."""

    label: str
    rows: int | None
    """Rows that are left here; None: the stage is not finished."""
    lost: int = 0
    """Rows that the reason `label` took; 0 where it is none."""
    stage: str = ""


class Flow(NamedTuple):
    """The way of one arm's rows, and the arms that share all of it."""

    arms: tuple[str, ...]
    steps: tuple[FlowStep, ...]

    @property
    def top(self) -> int:
        """Rows at the beginning, at least 1."""
        return self.steps[0].rows or 1


def flows(data: ReportData) -> tuple[Flow, ...]:
    """Return the way of every arm that learned from rows; arms whose rows went the same way are one."""
    found: dict[tuple[tuple[str, ...], tuple[FlowStep, ...]], list[str]] = {}
    for arm in data.arms:
        if steps := tuple(_steps(arm)):
            folders = tuple(arm.stages[stage].folder for stage in STAGES[:2] if stage in arm.stages)
            found.setdefault((folders, steps), []).append(arm.name)
    return tuple(Flow(tuple(arms), steps) for (_, steps), arms in found.items())


def _steps(arm: ArmReport) -> Iterator[FlowStep]:
    # What the last of several rounds asked is not what its filter reads: the answers of all, and the student's own.
    names = STAGES[1:] if arm.earlier else STAGES
    stages = [arm.stages[stage] for stage in names if stage in arm.stages]
    for number, stage in enumerate(stages):
        if number == 0:
            yield FlowStep(FIRST[stage.name], stage.rows_in, stage=stage.name)
        yield from _losses(stage)
        # A style that has words for every row is no news.
        if stage.name != "convert" or stage.rows_out != stage.rows_in or number == len(stages) - 1:
            yield FlowStep(AFTER[stage.name], stage.rows_out, stage=stage.name)


def _losses(stage: StageReport) -> Iterator[FlowStep]:
    for drop in stage.waterfall:
        if drop.rows:
            yield FlowStep(drop.reason, drop.left, drop.rows, stage.name)
