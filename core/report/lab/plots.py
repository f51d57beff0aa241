"""Plots as shapes in pixels, which a template draws as SVG; titles and legends stand beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.measure.intervals import Interval

# the hues of Okabe and Ito (2008), each at least 3 to 1 on the light ground and on the dark one
COLOURS = ("#2f8fd0", "#c77700", "#139b7c", "#c0609b", "#9a8a00", "#e0603a", "#7d8b9b", "#8f78c8")
DASHES = ("", "7 4", "2 3", "8 3 2 3", "12 4", "12 3 2 3")
ALARM, MUTED = "#e0603a", "#7d8b9b"
WIDTH, HEIGHT = 470, 270
LEFT, RIGHT, TOP, BOTTOM = 66, 12, 8, 40
# of a chart of rows: place of the names, and height of each mark
NAMES, MARK, GAP, WHOLE = 300, 15, 9, 960
LETTERS = 44
MOST_POINTS = 400


@dataclass(frozen=True)
class Axis:
    """One axis. low may lie above high: wavenumbers fall from left to right. whole: ticks at whole numbers."""

    title: str
    low: float
    high: float
    whole: bool = False

    def share(self, value: float) -> float:
        """Return where ``value`` lies, 0 at ``low`` and 1 at ``high``."""
        return (value - self.low) / ((self.high - self.low) or 1.0)

    def ticks(self) -> list[float]:
        """Return round values, four to seven of them."""
        span = abs(self.high - self.low) or 1.0
        raw = span / 5
        size = 10 ** math.floor(math.log10(raw))
        step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= raw * 0.99)
        step = max(1.0, round(step)) if self.whole else step
        low, high = sorted((self.low, self.high))
        first = math.ceil(low / step - 1e-6)
        return [number * step for number in range(first, math.floor(high / step + 1e-6) + 1)]


@dataclass(frozen=True)
class Curve:
    """A line of a plot, or single dots (``dots``) or bars from 0 (``bars``). faint: behind the others."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    colour: str
    dash: str = ""
    marks: bool = False
    faint: bool = False
    dots: bool = False
    bars: bool = False


@dataclass(frozen=True)
class Plot:
    """Curves over one pair of axes; title: what stands above the drawing."""

    title: str
    curves: tuple[Curve, ...]
    x: Axis
    y: Axis
    height: int = HEIGHT


@dataclass(frozen=True)
class Figure:
    """Plots side by side with one legend. legend: (name, colour, dash) of what has to be named."""

    name: str
    title: str
    sentence: str
    plots: tuple[dict[str, object], ...]
    legend: tuple[tuple[str, str, str], ...]
    warning: str = ""


def figure(name: str, title: str, sentence: str, plots: Sequence[Plot], warning: str = "") -> Figure:
    """Return ``plots`` as shapes, with the legend of all curves that are not faint."""
    shown = [each for plot in plots for each in plot.curves if each.name and not each.faint]
    legend = tuple({each.name: (each.name, each.colour, each.dash) for each in shown}.values())
    return Figure(name, title, sentence, tuple(shapes(plot) for plot in plots), legend, warning)


def span(values: Sequence[float], margin: float = 0.05) -> tuple[float, float]:
    """Return the range of the finite ``values`` with a margin; 0 to 1 without any."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    room = (high - low) * margin or abs(high) * margin or 0.5
    return low - room, high + room


def shapes(plot: Plot) -> dict[str, object]:
    """Return the shapes of one plot, in pixels from the upper left corner."""
    right, bottom = WIDTH - RIGHT, plot.height - BOTTOM

    def across(value: float) -> float:
        return round(LEFT + plot.x.share(value) * (right - LEFT), 1)

    def down(value: float) -> float:
        return round(bottom - plot.y.share(value) * (bottom - TOP), 1)

    lines, dots, bars = [], [], []
    for curve in sorted(plot.curves, key=lambda each: not each.faint):
        points = [
            (across(x), down(y))
            for x, y in zip(curve.x, curve.y, strict=True)
            if math.isfinite(x) and math.isfinite(y) and 0 <= plot.y.share(y) <= 1 + 1e-9
        ][:MOST_POINTS]
        if curve.bars:
            bars += [(x, min(y, down(0)), abs(down(0) - y), curve.colour) for x, y in points]
            continue
        if not curve.dots:
            lines.append((" ".join(f"{x},{y}" for x, y in points), curve.colour, curve.dash, curve.faint))
        if curve.dots or curve.marks:
            dots += [(x, y, curve.colour, curve.dots) for x, y in points]
    return {
        "title": plot.title,
        "width": WIDTH,
        "height": plot.height,
        "frame": (LEFT, TOP, right, bottom),
        "columns": [(across(tick), _worded(tick)) for tick in plot.x.ticks()],
        "rows": [(down(tick), _worded(tick)) for tick in plot.y.ticks()],
        "lines": lines,
        "dots": dots,
        "bars": bars,
        "bar": max(1.0, round(0.6 * (right - LEFT) / max(1, len(bars)), 1)),
        "x": plot.x.title,
        "y": plot.y.title,
        "middle": ((LEFT + right) / 2, (TOP + bottom) / 2),
    }


def rows_chart(
    names: Sequence[str], series: Sequence[tuple[str, Sequence[Interval]]], axis: Axis, reference: float
) -> dict[str, object]:
    """Return a chart of marks with intervals, one row for each of ``names``, the marks of a row below each other.

    series: (name, one figure a row). reference: where the dotted line stands.
    """
    right, height = WHOLE - RIGHT, len(series) * MARK + GAP
    bottom = TOP + len(names) * height

    def across(value: float) -> float:
        return round(NAMES + min(1.0, max(0.0, axis.share(value))) * (right - NAMES), 1)

    marks = [
        {
            "y": TOP + row * height + GAP / 2 + MARK * (index + 0.5),
            "x": across(each.value),
            "low": across(each.low if math.isfinite(each.low) else each.value),
            "high": across(each.high if math.isfinite(each.high) else each.value),
            "colour": COLOURS[index % len(COLOURS)],
            "shape": index % 3,
            "text": f"{each.value:.2f}",
        }
        for index, (_, figures) in enumerate(series)
        for row, each in enumerate(figures)
        if math.isfinite(each.value)
    ]
    return {
        "width": WHOLE,
        "height": bottom + BOTTOM,
        "frame": (NAMES, TOP, right, bottom),
        "names": [
            (TOP + (row + 0.5) * height + 4, name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…")
            for row, name in enumerate(names)
        ],
        "stripes": [(TOP + row * height, height) for row in range(1, len(names), 2)],
        "columns": [(across(tick), _worded(tick)) for tick in axis.ticks()],
        "marks": marks,
        "reference": across(reference),
        "x": axis.title,
        "middle": (NAMES + right) / 2,
        "legend": [(name, COLOURS[index % len(COLOURS)], index % 3) for index, (name, _) in enumerate(series)],
    }


def _worded(value: float) -> str:
    return f"{value:.6g}".replace("-", "−")
