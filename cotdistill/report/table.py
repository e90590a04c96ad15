"""The comparison of the arms as a table: for the terminal and for Markdown."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich import box
from rich.console import Group
from rich.markup import escape
from rich.table import Table

from cotdistill.filters import REASON_ORDER
from cotdistill.report.data import ArmReport, ReportData, Tally
from cotdistill.report.wording import (
    UNKNOWN,
    count,
    p_value,
    percent,
    percent_range,
    points,
    points_range,
    shortened,
)

HEAD_CHARS = 14
"""An interval's width: a longer name above it would push the table over 80 columns."""
FILTERS_TITLE = "What the filter dropped"
FILTERS_CHARS = 60
"""What 80 columns leave beside the reasons for the names of the arms."""


class Cell(NamedTuple):
    """A number and its interval."""

    text: str
    interval: str = ""


Row = tuple[Cell, ...]


class Section(NamedTuple):
    """Rows that belong together, under a title where there are several sections."""

    title: str
    rows: Sequence[Row]


def table(data: ReportData) -> Group:
    """Return the comparison for a terminal of 80 columns or more, and below it what the filters dropped."""
    return Group(_comparison(data), *([_dropped(data)] if any(stage.reasons for stage, _ in data.filters) else []))


def _comparison(data: ReportData) -> Table:
    """Return a row per arm: intervals stand below their numbers."""
    shown = Table(
        box=box.SIMPLE_HEAD,
        title=escape(f"{data.name}: accuracy and its 95% interval"),
        title_justify="left",
        pad_edge=False,
        collapse_padding=True,
    )
    arm, *numbers = _heads(data)
    shown.add_column(arm, overflow="fold")
    for head in numbers:
        shown.add_column(escape("\n".join(head.split(" ", 1))), justify="right", no_wrap=True)
    for section in _sections(data):
        if section.title:
            shown.add_row(escape(section.title), style="bold")
        for row in section.rows:
            shown.add_row(*(escape("\n".join(part for part in cell if part)) for cell in row))
        shown.add_section()
    return shown


def _dropped(data: ReportData) -> Table:
    """Return a column per filter: rows answered, rows lost to each reason in the order asked, rows kept."""
    shown = Table(
        box=box.SIMPLE_HEAD,
        title=FILTERS_TITLE,
        title_justify="left",
        min_width=len(FILTERS_TITLE),
        pad_edge=False,
        collapse_padding=True,
    )
    shown.add_column("rows", no_wrap=True)
    losses = []
    width = max(HEAD_CHARS, FILTERS_CHARS // len(data.filters) - 2)
    for stage, arms in data.filters:
        shown.add_column(escape(shortened(", ".join(arms), width)), justify="right", no_wrap=True)
        losses.append({drop.reason: drop.rows for drop in stage.waterfall})
    found = {reason for lost in losses for reason in lost}
    reasons = [*(reason for reason in REASON_ORDER if reason in found), *sorted(found - set(REASON_ORDER))]
    shown.add_row("answered", *(count(stage.rows_in) for stage, _ in data.filters))
    for reason in reasons:
        shown.add_row(escape(reason), *(f"-{lost[reason]:,}" if reason in lost else "" for lost in losses))
    shown.add_row("kept", *(count(stage.rows_out) for stage, _ in data.filters))
    return shown


def markdown_table(data: ReportData) -> str:
    """Return the comparison as a Markdown table, ending in a newline."""
    heads = _heads(data)
    lines: list[Sequence[str]] = [heads, ("---", *("---:" for _ in heads[1:]))]
    for section in _sections(data):
        if section.title:
            lines.append((f"**{_markdown(section.title)}**", *("" for _ in heads[1:])))
        for row in section.rows:
            lines.append([_markdown(c.text) + (f" ({c.interval})" if c.interval else "") for c in row])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _heads(data: ReportData) -> tuple[str, ...]:
    against = f"vs {shortened(data.baseline, HEAD_CHARS)}" if data.baseline else "difference"
    return ("arm", "accuracy", "n", against, "p", "trained", "tokens", "no answer")


def _sections(data: ReportData) -> Iterator[Section]:
    """Yield the rows over all tasks, then those of each task where there are several."""
    tasks = data.tasks if len(data.tasks) > 1 else ()
    yield Section("all tasks" if tasks else "", [_arm_row(arm) for arm in data.arms])
    for task in tasks:
        asked = [arm for arm in data.arms if arm.scores and task in arm.scores.tasks]
        yield Section(task, [_task_row(arm.name, arm.scores.tasks[task]) for arm in asked if arm.scores])


def _arm_row(arm: ArmReport) -> Row:
    trained = Cell(count(arm.trained_rows))
    if arm.scores is None:
        state = Cell("pending" if "evaluate" in arm.stages else UNKNOWN)
        unknown = Cell(UNKNOWN)
        return (Cell(arm.name), state, unknown, unknown, unknown, trained, unknown, unknown)
    total = arm.scores.total
    return (Cell(arm.name), *_accuracy(total), *_difference(arm), trained, *_answers(total))


def _task_row(name: str, tally: Tally) -> Row:
    return (Cell(name), *_accuracy(tally), Cell(""), Cell(""), Cell(""), *_answers(tally))


def _accuracy(tally: Tally) -> Row:
    if tally.ci95 is None:
        return (Cell(UNKNOWN), Cell("0"))
    return (Cell(percent(tally.accuracy), percent_range(tally.ci95)), Cell(count(tally.n)))


def _difference(arm: ArmReport) -> Row:
    if arm.to_baseline is None:
        return (Cell(UNKNOWN), Cell(UNKNOWN))
    paired = arm.to_baseline.paired
    return (Cell(points(paired.difference), points_range(paired.ci95)), Cell(p_value(paired.mcnemar_p)))


def _answers(tally: Tally) -> Row:
    return (Cell(count(tally.mean_tokens)), Cell(percent(tally.share(tally.unanswered))))


def _markdown(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
