"""What every figure of the page has: a title, one sentence, a table of the same values, and one look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from core.measure.intervals import Interval
from core.report.lab import plots
from webapp.pages.kit.text import number

# each colour comes with a dash and a mark
COLOURS, ALARM, MUTED = plots.COLOURS, plots.ALARM, plots.MUTED
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star", "cross", "hexagon")
SHAPES = ("", "/", "x", ".", "\\", "+")
# legible on either ground; texts and lines of axes take the page's own colours from its style sheet
TEXT = MUTED
GRID = "rgba(125, 139, 155, 0.3)"
# within and between bars
GROUND = "#0b0f14"
FONT = "IBM Plex Sans, system-ui, sans-serif"

Cell = str | float | int | None


@dataclass(frozen=True)
class Table:
    """A figure in words: ``head`` names the columns; numbers are shown to ``digits``, None as a dash."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    digits: int = 3


@dataclass(frozen=True, eq=False)
class Chart:
    """One view. sentence: how to read it; warning: what not to conclude from it. figure: None where there is nothing
    to draw, and then ``sentence`` has the reason."""

    name: str
    title: str
    sentence: str
    figure: go.Figure | None
    table: Table | None
    warning: str = ""


def layout(figure: go.Figure, height: int, **more: object) -> go.Figure:
    """Give ``figure`` the page's colours; height in pixels."""
    figure.update_layout(
        height=height,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "color": TEXT, "size": 12},
        margin={"l": 56, "r": 16, "t": 34, "b": 46},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0, "font": {"color": TEXT}},
        hoverlabel={"font": {"family": FONT}},
        colorway=list(COLOURS),
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": MUTED, "activecolor": TEXT},
        **more,
    )
    axis = {"gridcolor": GRID, "zerolinecolor": GRID, "linecolor": MUTED, "tickcolor": MUTED, "automargin": True}
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    # titles of side by side plots
    figure.update_annotations(font={"color": TEXT, "size": 12})
    return figure


def errors(found: Sequence[Interval]) -> dict[str, object]:
    """Return the intervals of ``found`` as plotly's error bars; those that are not known have none."""
    above = [max(0.0, each.high - each.value) if each.high == each.high else 0.0 for each in found]
    below = [max(0.0, each.value - each.low) if each.low == each.low else 0.0 for each in found]
    return {"type": "data", "symmetric": False, "array": above, "arrayminus": below, "color": TEXT, "thickness": 1.2}


def worded(figure: Interval, digits: int = 3) -> str:
    """Return a number with its 95 % interval, as ``0.686 (0.641 to 0.729)``."""
    middle = number(figure.value, digits)
    if figure.low != figure.low or figure.high != figure.high:
        return middle
    return f"{middle} ({number(figure.low, digits)} to {number(figure.high, digits)})"


def opaque(colour: str, share: float) -> str:
    """Return a colour ``#rrggbb`` as seen through; share: 0 to 1."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share:g})"
