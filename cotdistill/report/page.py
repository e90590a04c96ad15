"""The report as one HTML file that loads nothing: style and drawings are inside, and there is no script."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cotdistill.records import Score
from cotdistill.report import plots, wording
from cotdistill.report.axes import Axis, round_axis, round_bins
from cotdistill.report.data import BASELINE, ArmReport, Comparison, Lengths, ReportData
from cotdistill.report.plots import Curve, Look
from cotdistill.scoring.statistics import Interval
from cotdistill.storage.jsonl import write_text

COLOURS = 7
"""Colours of the style sheet beside number 0, the baseline's grey; later arms differ by dashes too."""
SAMPLE_CHARS = 6000
"""A rationale of 8,000 tokens helps no reader of a summary, and a page must stay small enough to mail."""


class Histogram(NamedTuple):
    """Lengths of the rows that one filter stage kept."""

    arms: tuple[str, ...]
    unit: str
    drawing: Markup


class Panel(NamedTuple):
    """Differences of the other arms to one arm, on one axis."""

    against: str
    rows: tuple[tuple[ArmReport, Comparison], ...]
    axis: Axis
    labels: tuple[str, ...]
    """What stands at the axis' ticks, in points."""


def write_page(data: ReportData, path: Path) -> None:
    """Write the page, whole or not at all."""
    write_text(path, page(data))


def page(data: ReportData) -> str:
    """Return the page as HTML."""
    looks = arm_looks(data)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            data=data,
            headline=headline(data),
            looks=looks,
            pending=[(stage, arms) for stage, arms in data.stages if not stage.is_finished],
            seconds=sum(stage.seconds or 0.0 for stage, _ in data.stages),
            comparisons=_comparisons(data),
            funnels=[arm for arm in data.arms if arm.funnel],
            rejecting=[(stage, arms) for stage, arms in data.stages if stage.reasons and stage.name != "filter"],
            histograms=_histograms(data, looks),
            curves=_curves(data, looks),
        )
    )


def headline(data: ReportData) -> str:
    """Return the run's result in a sentence or two."""
    trained = [arm for arm in data.arms if arm.scores and arm.scores.total.n and arm.name != BASELINE]
    best = max(trained, key=_accuracy, default=None)
    if best is None or best.scores is None:
        return "No trained arm has been evaluated yet."
    total = best.scores.total
    name = f"Best arm: {best.name}," if len(trained) > 1 else f"{best.name}:"
    said = (
        f"{name} {wording.percent(total.accuracy)} of {total.n:,} questions right "
        f"(95% interval {wording.percent_range(total.ci95)})."
    )
    return f"{said} {_against(best.to_baseline)}" if best.to_baseline else said


def _against(comparison: Comparison) -> str:
    paired = comparison.paired
    if paired.mcnemar_p >= 0.05:
        return (
            f"No clear difference to {comparison.against}: {_points(paired.difference)} points "
            f"({_points_range(paired.ci95)})."
        )
    side = "above" if paired.difference > 0 else "below"
    return (
        f"That is {abs(100 * paired.difference):.1f} points {side} {comparison.against} ({_points_range(paired.ci95)})."
    )


def arm_looks(data: ReportData) -> dict[str, Look]:
    """Return colour and dashes of every arm: grey for the baseline, the others in the order of the run."""
    looks = {BASELINE: Look(0, 0)}
    others = [arm.name for arm in data.arms if arm.name != BASELINE]
    for number, name in enumerate(others):
        looks[name] = Look(number % COLOURS + 1, number // 4 % 3)
    return looks


def _comparisons(data: ReportData) -> list[Panel]:
    """Return the panel of differences to the baseline, and the one to the first arm where that is another."""
    to_baseline = [(arm, arm.to_baseline) for arm in data.arms if arm.to_baseline]
    to_first = [(arm, arm.to_first) for arm in data.arms if arm.to_first]
    return [_panel(rows) for rows in (to_baseline, to_first) if rows]


def _panel(rows: Sequence[tuple[ArmReport, Comparison]]) -> Panel:
    bounds = [bound for _, comparison in rows for bound in comparison.paired.ci95]
    axis = round_axis(min(0.0, *bounds), max(0.0, *bounds), about=6)
    labels = (f"{100 * tick:+g}".replace("-", "−") if tick else "0" for tick in axis.ticks)
    return Panel(rows[0][1].against, tuple(rows), axis, tuple(labels))


def _histograms(data: ReportData, looks: dict[str, Look]) -> list[Histogram]:
    """Draw the lengths once per filter stage, all on the same bins."""
    found: dict[str, tuple[list[str], Lengths]] = {}
    for arm in data.arms:
        if arm.lengths and arm.lengths.values:
            found.setdefault(arm.stages["filter"].folder, ([], arm.lengths))[0].append(arm.name)
    drawn = []
    for unit in dict.fromkeys(lengths.unit for _, lengths in found.values()):
        group = [(names, lengths) for names, lengths in found.values() if lengths.unit == unit]
        bins = round_bins([value for _, lengths in group for value in lengths.values])
        highest = max(max(bins.counts(lengths.values)) for _, lengths in group)
        for names, lengths in group:
            title = f"Length of the rows kept for {', '.join(names)}, in {unit}"
            drawing = plots.histogram(
                lengths.values, bins, highest=highest, look=looks[names[0]], title=title, unit=unit
            )
            drawn.append(Histogram(tuple(names), unit, drawing))
    return drawn


def _curves(data: ReportData, looks: dict[str, Look]) -> list[Curve]:
    return [Curve(arm.name, looks[arm.name], plots.thinned(arm.loss)) for arm in data.arms if arm.loss]


def _accuracy(arm: ArmReport) -> float:
    return (arm.scores and arm.scores.total.accuracy) or 0.0


def _cut(text: str) -> str:
    """Return at most SAMPLE_CHARS characters and say how many are left out."""
    left = len(text) - SAMPLE_CHARS
    return text if left <= 0 else f"{text[:SAMPLE_CHARS]}… ({left:,} more characters)"


def _who(arms: Sequence[str], data: ReportData) -> str:
    """Return the names of the arms that share something; `all arms` where that is all that have it."""
    having = [arm.name for arm in data.arms if arm.funnel]
    return "all trained arms" if len(having) > 2 and list(arms) == having else ", ".join(arms)


def _points(difference: float) -> str:
    """Write a difference with the sign that is as wide as a plus."""
    return wording.points(difference).replace("-", "−")


def _points_range(interval: Interval) -> str:
    return wording.points_range(interval).replace("-", "−")


def _outcome(score: Score) -> str:
    """Return the verdict in a word for people."""
    words = {"correct": "right", "wrong": "wrong", "unparsed": "no answer", "error": "verifier failed"}
    return words[score.verdict.outcome]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("cotdistill", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = ("percent", "percent_range", "p_value", "count", "duration")
    environment.filters.update({word: getattr(wording, word) for word in words})
    environment.filters.update(points=_points, points_range=_points_range)
    environment.filters.update(cut=_cut, outcome=_outcome)
    environment.globals.update(plots=plots, who=_who)
    return environment
