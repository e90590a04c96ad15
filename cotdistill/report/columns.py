"""The comparison of the arms as rows and columns, for every layout of it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from cotdistill.report.data import ArmReport, ReportData
from cotdistill.report.pairs import Regression, seeds
from cotdistill.report.scores import Comparison
from cotdistill.report.tally import Tally
from cotdistill.report.wording import UNKNOWN, count, p_value, percent, percent_range, points, points_range, shortened

HEAD_CHARS = 14
"""An interval's width: a longer name above it would push the table over 80 columns."""


class Cell(NamedTuple):
    """A number and its interval."""

    text: str
    interval: str = ""


Row = tuple[Cell, ...]


class Column(NamedTuple):
    """A column of the comparison."""

    head: str
    rank: int
    """The one with the highest goes first where there is no room; 0 and 1 stay. Above 7 they need more than 80."""
    cell: Callable[[ArmReport, str], Cell]
    """Of an arm in a task."""


class Section(NamedTuple):
    """Rows that belong together, under a title where there are several sections."""

    title: str
    rows: Sequence[Row]


def has_exam(data: ReportData) -> bool:
    """Return whether anything is or will be evaluated."""
    return any("evaluate" in arm.stages for arm in data.arms)


def has_mean(data: ReportData) -> bool:
    """Return whether some arm is about several tasks, so that a mean of them says something."""
    return any(arm.scores.target is None for arm in data.arms if arm.scores)


def arm_lines(data: ReportData) -> list[str]:
    """Return a line for each arm that changes something of the recipe: `unfiltered: filter.keep: correct -> all`."""
    return [f"{name}: {', '.join(arms[0].overrides)}" for name, arms in data.variants if arms[0].overrides]


def stop_lines(data: ReportData) -> list[str]:
    """Return a line for each training that stopped by itself: `rounds: reinforce stopped by itself: 24 % …`."""
    return [
        f"{arm.name}: `{name}` stopped by itself and kept its last good checkpoint: {stage.stopped}"
        for arm in data.arms
        for stages in arm.chains
        for name, stage in stages.items()
        if stage.stopped
    ]


def regression_lines(found: Iterable[Regression]) -> list[str]:
    """Return a line for each arm that does worse in general tasks than its student did before training.

    Trainings that differ in their seed alone have one line.
    """
    groups: dict[tuple[str, str], list[Regression]] = {}
    for drop in found:
        groups.setdefault((drop.of or drop.arm, drop.against), []).append(drop)
    return [f"forgotten: {_lost(drops)} against {against}" for (_, against), drops in groups.items()]


def _lost(drops: Sequence[Regression]) -> str:
    """Return `sft lost 4.2 points of mmlu (−6.1 to −2.3)`, or `sft, 3 seeds, lost 3.9–4.4 points of mmlu`."""
    trainings = len({drop.arm for drop in drops})
    if trainings == 1:
        each = (f"{_points_lost(d)} points of {d.task} ({points_range(d.paired.ci95)})" for d in drops)
        return f"{drops[0].arm} lost {', '.join(each)}"
    tasks: dict[str, list[Regression]] = {}
    for drop in drops:
        tasks.setdefault(drop.task, []).append(drop)
    said = []
    for task, alike in tasks.items():
        by_size = sorted(alike, key=lambda drop: -drop.paired.difference)
        bounds = dict.fromkeys(map(_points_lost, (by_size[0], by_size[-1])))
        some = f" in {len(alike)} of them" if len(alike) < trainings else ""
        said.append(f"{'–'.join(bounds)} points of {task}{some}")
    return f"{drops[0].of}, {trainings} seeds, lost {', '.join(said)}"


def _points_lost(drop: Regression) -> str:
    return points(-drop.paired.difference).lstrip("+")


def spread_lines(data: ReportData) -> list[str]:
    """Return a line for each task of an arm that was trained with several seeds."""
    return [
        f"{found.of}, {spread.n} seeds, {task}: mean {percent(spread.mean)}"
        + (f", sd {100 * spread.sd:.1f}" if spread.sd is not None else "")
        + f", {100 * spread.low:.1f}–{100 * spread.high:.1f}"
        for found in seeds(data.arms)
        for task, spread in found.tasks.items()
    ]


def columns(data: ReportData, *, is_wide: bool = False) -> list[Column]:
    """Return the columns; `is_wide`: with those that 80 characters have no room for."""
    against = f"vs {shortened(data.baseline, HEAD_CHARS)}" if data.baseline else "difference"
    found = [
        Column("arm", 0, lambda arm, _: Cell(arm.name)),
        Column("accuracy", 1, _accuracy),
        Column(
            "n", 4, lambda arm, task: _of(arm, task, lambda tally: count(tally.n), none="0" if arm.scores else UNKNOWN)
        ),
        Column(against, 2, lambda arm, task: _points(arm.to_baseline, task)),
        Column("p", 3, lambda arm, task: _p(arm.to_baseline, task)),
    ]
    if is_wide and data.first:
        found += [
            Column(f"vs {shortened(data.first, HEAD_CHARS)}", 8, lambda arm, task: _points(arm.to_first, task)),
            Column("p", 9, lambda arm, task: _p(arm.to_first, task)),
        ]
    if _has_equations(data):
        found.append(Column("equations hold", 5, lambda arm, task: _of(arm, task, _equations)))
    if len(data.tasks) <= 1 and (is_wide or not _has_equations(data)):
        rank = 10 if _has_equations(data) else 5
        found.append(Column("trained", rank, lambda arm, _: Cell(count(arm.trained_rows))))
    return [
        *found,
        Column("tokens", 6, lambda arm, task: _of(arm, task, lambda tally: count(tally.mean_tokens))),
        Column("no answer", 7, lambda arm, task: _of(arm, task, lambda tally: percent(tally.share(tally.unparsed)))),
    ]


def sections(data: ReportData, shown: Sequence[Column]) -> Iterator[Section]:
    """Yield the rows of the one task; of several first the means of those that are taught."""
    if len(data.tasks) <= 1:
        task = next(iter(data.tasks), "")
        yield Section("", [tuple(column.cell(arm, task) for column in shown) for arm in data.arms])
        return
    if has_mean(data):
        yield Section("unweighted mean", [tuple(_mean(arm, column.head) for column in shown) for arm in data.arms])
    for task in data.tasks:
        asked = [arm for arm in data.arms if arm.scores and task in arm.scores.tasks]
        yield Section(task, [tuple(column.cell(arm, task) for column in shown) for arm in asked])


def _has_equations(data: ReportData) -> bool:
    return any(tally.equations for arm in data.arms if arm.scores for tally in arm.scores.tasks.values())


def _tally(arm: ArmReport, task: str) -> Tally | None:
    return arm.scores.tasks.get(task) if arm.scores else None


def _of(arm: ArmReport, task: str, text: Callable[[Tally], str], *, none: str = UNKNOWN) -> Cell:
    """Return what is said of a task; `none` where the arm was not asked it."""
    tally = _tally(arm, task)
    return Cell(none if tally is None else text(tally))


def _equations(tally: Tally) -> str:
    return percent(tally.equations.share if tally.equations else None)


def _mean(arm: ArmReport, head: str) -> Cell:
    if head == "accuracy":
        return Cell(percent(arm.scores.mean_accuracy)) if arm.scores else _state(arm)
    if head == "n":
        return Cell(count(arm.scores.n) if arm.scores else UNKNOWN)
    return Cell(arm.name if head == "arm" else "")


def _state(arm: ArmReport) -> Cell:
    return Cell("pending" if "evaluate" in arm.stages else UNKNOWN)


def _accuracy(arm: ArmReport, task: str) -> Cell:
    if arm.scores is None:
        return _state(arm)
    tally = _tally(arm, task)
    if tally is None or tally.ci95 is None:
        return Cell(UNKNOWN)
    return Cell(percent(tally.accuracy), percent_range(tally.ci95))


def _points(comparison: Comparison | None, task: str) -> Cell:
    paired = comparison.tasks.get(task) if comparison else None
    return Cell(UNKNOWN) if paired is None else Cell(points(paired.difference), points_range(paired.ci95))


def _p(comparison: Comparison | None, task: str) -> Cell:
    paired = comparison.tasks.get(task) if comparison else None
    return Cell(UNKNOWN if paired is None else p_value(paired.p_holm))
