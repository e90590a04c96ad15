"""Curves over an axis of steps, tokens or another amount, as inline SVG."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from cotdistill.report._svg import drawing, tag
from cotdistill.report.axes import Axis, axis_to, log_axis, round_axis
from cotdistill.report.data import LossPoint
from cotdistill.report.plots import AXIS_PX, TITLE_PX, TOP_PX, Look, axis_titles, levels, x_numbers

CURVE_PX = 260
CURVE_POINTS = 200
"""More points than this per curve are noise to the eye and weight to the page."""


class Curve(NamedTuple):
    """A curve, thinned for the eye."""

    name: str
    look: Look
    points: tuple[LossPoint, ...]


def thinned(points: Sequence[LossPoint]) -> tuple[LossPoint, ...]:
    """Return at most CURVE_POINTS points, each the mean of its neighbours'; the last one stays."""
    size = math.ceil(len(points) / CURVE_POINTS)
    groups = [points[i : i + size] for i in range(0, len(points), size or 1)]
    means = [LossPoint(round(sum(p.step for p in g) / len(g)), sum(p.loss for p in g) / len(g)) for g in groups]
    if size > 1:
        means[-1] = LossPoint(points[-1].step, means[-1].loss)
    return tuple(means)


def curves(
    series: Sequence[Curve], *, title: str, x_title: str = "optimiser step", y_title: str, is_log: bool = False
) -> Markup:
    """Return curves on one pair of axes; `is_log`: the upright one is logarithmic where all values are positive."""
    values = [point.loss for curve in series for point in curve.points]
    across = axis_to(max(1, *(point.step for curve in series for point in curve.points)))
    up = round_axis(min(0, *values), max(1e-9, *values), about=5)
    if is_log and min(values) > 0:
        up = log_axis(min(values), max(values))
        y_title += ", logarithmic"
    lines = Markup("").join(_polyline(curve, across, up) for curve in series if len(curve.points) > 1)
    # A nested viewBox of 1 x 1 stretches the curves with the page; their strokes do not scale.
    plot = tag("svg", lines, y=TOP_PX, width="100%", height=CURVE_PX, viewBox="0 0 1 1", preserveAspectRatio="none")
    ends = [_end_dot(curve, across, up) for curve in series]
    numbers = x_numbers(across, within=across, height=CURVE_PX)
    parts = [*levels(up, CURVE_PX), plot, *ends, *numbers, *axis_titles(x_title, y_title, CURVE_PX)]
    described = "; ".join(
        f"{curve.name}: {curve.points[0].loss:.3g} at {curve.points[0].step:,}, "
        f"{curve.points[-1].loss:.3g} at {curve.points[-1].step:,}"
        for curve in series
    )
    height = TOP_PX + CURVE_PX + AXIS_PX + TITLE_PX
    return drawing(parts, height=height, title=title, text=f"By {x_title}: {described}", classes="")


def _polyline(curve: Curve, across: Axis, up: Axis) -> Markup:
    places = " ".join(f"{across.share(p.step):.4f},{1 - up.share(p.loss):.4f}" for p in curve.points)
    return tag("polyline", class_=f"curve {curve.look.classes}", points=places, vector_effect="non-scaling-stroke")


def _end_dot(curve: Curve, across: Axis, up: Axis) -> Markup:
    last = curve.points[-1]
    height = f"{TOP_PX + CURVE_PX * (1 - up.share(last.loss)):.1f}"
    return tag("circle", class_=f"dot {curve.look.classes}", cx=across.percent(last.step), cy=height, r="3")
