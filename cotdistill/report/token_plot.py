"""One drawing: accuracy over the teacher's tokens, an arm a point, the arms of the line joined."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from cotdistill.report._svg import drawing, tag
from cotdistill.report.axes import Axis, log_axis, round_axis
from cotdistill.report.data import ReportData
from cotdistill.report.plots import AXIS_PX, TITLE_PX, TOP_PX, Look, axis_titles, levels, x_numbers
from cotdistill.report.wording import count, percent

PLOT_PX = 260


class TokenPoint(NamedTuple):
    """An arm's place."""

    name: str
    tokens: int
    accuracy: float
    look: Look
    line: int | None
    """The seed's number, of an arm that makes the line; None of any other."""


def token_points(data: ReportData, looks: Mapping[str, Look]) -> list[TokenPoint]:
    """Return the arms that took tokens of a teacher and were asked the task; none where they are fewer than two."""
    books = data.books
    found = []
    for arm in data.arms:
        spent = books.arms[arm.name].teacher_tokens if arm.name in books.arms else 0
        tally = arm.scores.tasks.get(books.task) if arm.scores else None
        if spent and tally is not None and tally.accuracy is not None:
            line = (arm.seed or 0) if arm.name in books.line else None
            found.append(TokenPoint(arm.name, spent, tally.accuracy, looks[arm.name], line))
    return found if len({point.tokens for point in found}) > 1 else []


def token_plot(points: Sequence[TokenPoint], *, task: str) -> Markup:
    """Return the drawing."""
    across = log_axis(min(p.tokens for p in points), max(p.tokens for p in points))
    up = round_axis(min(0.0, *(100 * p.accuracy for p in points)), max(100 * p.accuracy for p in points), about=5)
    seeds = dict.fromkeys(point.line for point in points if point.line is not None)
    lines = Markup("").join(_line([p for p in points if p.line == seed], across, up) for seed in seeds)
    plot = tag("svg", lines, y=TOP_PX, width="100%", height=PLOT_PX, viewBox="0 0 1 1", preserveAspectRatio="none")
    dots = [_dot(point, across, up) for point in points]
    numbers = x_numbers(across, within=across, height=PLOT_PX)
    titles = axis_titles("teacher tokens, logarithmic", "accuracy, %", PLOT_PX)
    described = "; ".join(f"{p.name}: {percent(p.accuracy)} for {count(p.tokens)}" for p in points)
    height = TOP_PX + PLOT_PX + AXIS_PX + TITLE_PX
    title = f"Accuracy in {task} over teacher tokens"
    return drawing(
        [*levels(up, PLOT_PX), plot, *dots, *numbers, *titles], height=height, title=title, text=described, classes=""
    )


def _line(points: Sequence[TokenPoint], across: Axis, up: Axis) -> Markup:
    ordered = sorted(points, key=lambda point: point.tokens)
    places = " ".join(f"{across.share(p.tokens):.4f},{1 - up.share(100 * p.accuracy):.4f}" for p in ordered)
    return tag("polyline", class_="curve arm-0 dash-0", points=places, vector_effect="non-scaling-stroke")


def _dot(point: TokenPoint, across: Axis, up: Axis) -> Markup:
    height = f"{TOP_PX + PLOT_PX * (1 - up.share(100 * point.accuracy)):.1f}"
    said = tag("title", f"{point.name}: {percent(point.accuracy)}, {count(point.tokens)} tokens")
    place = {"cx": across.percent(point.tokens), "cy": height, "r": "4" if point.line is None else "3"}
    return tag("circle", said, class_=f"dot {point.look.classes}", **place)
