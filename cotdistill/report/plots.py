"""The page's drawings as inline SVG, without a plotting library.

Places along the x axis are percentages and there is no viewBox, so a drawing fills any width while its text
keeps its size. Colours come from the page's style sheet: `arm-3` sets the colour, `dash-1` a curve's dashes.
"""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from cotdistill.report._svg import drawing, tag
from cotdistill.report.axes import Axis, Bins, round_axis
from cotdistill.scoring.statistics import Interval

TRACK_PX = 22
AXIS_PX = 20
STEP_PX = 12
HISTOGRAM_PX = 130
TOP_PX = 26
"""Room above a plot for what is written there."""
TITLE_PX = 18
"""Room below the numbers of an axis for its title."""


class Look(NamedTuple):
    """How an arm is drawn everywhere on the page."""

    colour: int
    dash: int

    @property
    def classes(self) -> str:
        """Names for the style sheet."""
        return f"arm-{self.colour} dash-{self.dash}"


ACCURACY = Axis(0.0, 1.0, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0))


def accuracy_bar(value: float, interval: Interval, *, look: Look, title: str) -> Markup:
    """Return a bar from 0 to 1 with its interval as a whisker."""
    grid = [_upright(ACCURACY.percent(tick), "grid") for tick in ACCURACY.ticks[1:-1]]
    bar = tag("rect", class_="bar", x="0", y="4", width=ACCURACY.percent(value), height=TRACK_PX - 8, rx="2")
    return _row([_track(), *grid, bar, *_whisker(ACCURACY, interval)], look=look, title=title)


def difference_dot(value: float, interval: Interval, *, axis: Axis, look: Look, title: str) -> Markup:
    """Return a dot with its interval, and the line of no difference."""
    middle = TRACK_PX // 2
    grid = [_upright(axis.percent(tick), "grid") for tick in axis.ticks[1:-1]]
    zero = _upright(axis.percent(0), "zero")
    dot = tag("circle", class_="dot", cx=axis.percent(value), cy=middle, r="5")
    return _row([_track(), *grid, zero, *_whisker(axis, interval), dot], look=look, title=title)


def share_bar(share: float, *, look: Look, title: str) -> Markup:
    """Return a thin bar from 0 to 1."""
    track = tag("rect", class_="track", x="0", y="0", width="100%", height="8", rx="2")
    bar = tag("rect", class_="bar", x="0", y="0", width=f"{100 * share:.2f}%", height="8", rx="2")
    return drawing([track, bar], height=8, title=title, classes=look.classes)


def waterfall_bar(before: float, after: float, *, look: Look, title: str) -> Markup:
    """Return a step of a waterfall: what is left as a bar from 0, what was lost behind it; shares 0..1."""
    track = tag("rect", class_="track", x="0", y="0", width="100%", height=STEP_PX, rx="2")
    parts = [track, tag("rect", class_="bar left", x="0", y="0", width=f"{100 * after:.2f}%", height=STEP_PX)]
    # A loss of one row in thousands stays visible.
    if before > after:
        place, width = f"{100 * after:.2f}%", f"{max(100 * (before - after), 0.4):.2f}%"
        parts.append(tag("rect", class_="lost", x=place, y="0", width=width, height=STEP_PX))
    return drawing(parts, height=STEP_PX, title=title, classes=look.classes)


def axis_line(axis: Axis, labels: Sequence[str]) -> Markup:
    """Return the numbers below rows that share an axis; screen readers have the rows' own."""
    parts = [
        tag("text", label, x=axis.percent(tick), y="14", text_anchor=_anchor(axis.share(tick)))
        for tick, label in zip(axis.ticks, labels, strict=True)
    ]
    return tag("svg", Markup("").join(parts), class_="axis", width="100%", height=AXIS_PX, aria_hidden="true")


def histogram(values: Sequence[int], bins: Bins, *, highest: int, look: Look, title: str, unit: str) -> Markup:
    """Return a histogram with its median; `highest` is the tallest bin of all histograms beside it."""
    counts = bins.counts(values)
    across = Axis(bins.start, bins.start + bins.n * bins.width, ())
    up = round_axis(0, highest, about=3)
    median = sorted(values)[len(values) // 2]
    bars = [
        tag(
            "rect",
            class_="bar",
            x=across.percent(bins.start + i * bins.width),
            width=f"{100 / bins.n:.3f}%",
            y=f"{TOP_PX + HISTOGRAM_PX * (1 - up.share(n)):.1f}",
            height=f"{HISTOGRAM_PX * up.share(n):.1f}",
        )
        for i, n in enumerate(counts)
        if n
    ]
    place = across.percent(median)
    line = tag("line", class_="median", x1=place, x2=place, y1=TOP_PX - 4, y2=TOP_PX + HISTOGRAM_PX)
    side, aside = ("end", "-5") if across.share(median) > 0.5 else ("start", "5")
    note = tag(
        "text",
        f"median {median:,}",
        class_="strong",
        x=place,
        y=TOP_PX - 6,
        dx=aside,
        text_anchor=side,
    )
    numbers = x_numbers(round_axis(across.low, across.high, about=6), within=across, height=HISTOGRAM_PX)
    parts = [*levels(up, HISTOGRAM_PX), *bars, line, note, *numbers, *axis_titles(unit, "rows", HISTOGRAM_PX)]
    described = f"{len(values):,} rows, {min(values):,} to {max(values):,} {unit}, median {median:,}."
    height = TOP_PX + HISTOGRAM_PX + AXIS_PX + TITLE_PX
    return drawing(parts, height=height, title=title, text=described, classes=look.classes)


def swatch(look: Look) -> Markup:
    """Return a piece of an arm's curve, for a legend."""
    line = tag("line", class_="curve", x1="1", x2="27", y1="6", y2="6")
    return tag("svg", line, class_=f"swatch {look.classes}", width="28", height="12", aria_hidden="true")


def levels(up: Axis, height: int) -> list[Markup]:
    """Return level grid lines with their numbers left of the plot."""
    parts = []
    for tick in up.ticks:
        y = f"{TOP_PX + height * (1 - up.share(tick)):.1f}"
        parts.append(tag("line", class_="zero" if tick == up.low else "grid", x1="0", x2="100%", y1=y, y2=y))
        parts.append(tag("text", number(tick), x="-8", y=y, dy="0.32em", text_anchor="end"))
    return parts


def x_numbers(axis: Axis, *, within: Axis, height: int) -> list[Markup]:
    """Return the numbers below a plot."""
    places = [(tick, within.share(tick)) for tick in axis.ticks if within.low <= tick <= within.high]
    return [
        tag("text", number(tick), x=within.percent(tick), y=TOP_PX + height + 16, text_anchor=_anchor(share))
        for tick, share in places
    ]


def axis_titles(x_title: str, y_title: str, height: int) -> list[Markup]:
    """Return the titles of both axes: that of the upright one above it, that of the other below its end."""
    below = TOP_PX + height + AXIS_PX + 12
    return [
        tag("text", y_title, class_="title", x="-8", y="10"),
        tag("text", x_title, class_="title", x="100%", y=below, text_anchor="end"),
    ]


def number(value: float) -> str:
    """Return a number at an axis."""
    return f"{value:,g}".replace("-", "−")


def _whisker(axis: Axis, interval: Interval) -> list[Markup]:
    """Return an interval's line with its caps, on a halo that keeps it visible before any bar."""
    middle, low, high = TRACK_PX // 2, axis.percent(interval.low), axis.percent(interval.high)
    lines = [tag("line", class_=name, x1=low, x2=high, y1=middle, y2=middle) for name in ("halo", "whisker")]
    caps = [tag("line", class_="whisker", x1=x, x2=x, y1=middle - 4, y2=middle + 4) for x in (low, high)]
    return [*lines, *caps]


def _track() -> Markup:
    return tag("rect", class_="track", x="0", y="0", width="100%", height=TRACK_PX, rx="3")


def _upright(place: str, classes: str) -> Markup:
    return tag("line", class_=classes, x1=place, x2=place, y1="0", y2=TRACK_PX)


def _row(parts: Sequence[Markup], *, look: Look, title: str) -> Markup:
    return drawing(parts, height=TRACK_PX, title=title, classes=look.classes)


def _anchor(share: float) -> str:
    """Keep the numbers at both ends of an axis inside the drawing."""
    if share < 0.02:
        return "start"
    return "end" if share > 0.98 else "middle"
