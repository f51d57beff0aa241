"""The figure of a scale: answers to the left and right of its middle, method by method."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from core.measure.findings import ScaleResult
from webapp.pages.charts.dots import FRAME, name_rows
from webapp.pages.charts.figure import GROUND, TEXT, Cell, Chart, Table, layout, worded
from webapp.pages.kit.text import number

# from the low end of a scale over its middle to the high end; their lightness orders them without colour
LOW_END, MIDDLE, HIGH_END = (213, 94, 0), (201, 209, 217), (86, 180, 233)


def likert(found: ScaleResult) -> Chart:
    """Return the answers to one scale, method by method, to the left and right of its middle."""
    name, shown = f"likert-{found.question}", [one for one in found.methods if one.n]
    if not shown:
        return Chart(name, found.title, "Nobody has answered this yet.", None, None)
    figure = go.Figure()
    shares = [[count / one.n for count in one.counts] for one in shown]
    for level, part in _order(found.levels):
        column = [share[level - 1] for share in shares]
        _level(figure, found, level, column, part)
    layout(figure, FRAME + 38 * len(shown), barmode="relative", bargap=0.3)
    figure.update_layout(legend={"traceorder": "normal"}, uniformtext={"minsize": 10, "mode": "hide"})
    figure.add_vline(x=0, line={"color": TEXT, "width": 1})
    figure.update_xaxes(
        title={"text": "share of answers", "font": {"size": 12}},
        range=[-1.02, 1.02],
        tickvals=[-1, -0.5, 0, 0.5, 1],
        ticktext=["100 %", "50 %", "0", "50 %", "100 %"],
    )
    name_rows(figure, [one.method for one in shown])
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (one.method, one.n, *one.counts, worded(one.mean, 2), number(one.median, 1)) for one in shown
    )
    levels = (_level_title(found, level) for level in range(1, found.levels + 1))
    head = ("Method", "Answers", *levels, "Mean", "Median")
    ends = f"1: {found.low or 'lowest'}, {found.levels}: {found.high or 'highest'}."
    middle = " The middle answer stands half on each side." if found.levels % 2 else ""
    return Chart(name, found.title, ends + middle, figure, Table(f"{found.title}; mean with 95 % interval", head, rows))


def _order(levels: int) -> list[tuple[int, float]]:
    """Return (level, share of it on this side, negative to the left) in the order in which bars grow."""
    half = levels // 2
    middle = [(half + 1, -0.5), (half + 1, 0.5)] if levels % 2 else []
    left = [(level, -1.0) for level in range(half, 0, -1)]
    return middle + left + [(level, 1.0) for level in range(levels - half + 1, levels + 1)]


def _level(figure: go.Figure, found: ScaleResult, level: int, shares: Sequence[float], part: float) -> None:
    split = abs(part) < 1
    figure.add_bar(
        x=[share * part for share in shares],
        y=list(range(len(shares))),
        orientation="h",
        name=str(level),
        legendrank=level,
        legendgroup=str(level),
        showlegend=part != 0.5,
        marker={"color": _colour(level, found.levels), "line": {"color": GROUND, "width": 1}},
        text=["" if split or share < 0.08 else f"{level}" for share in shares],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        textfont={"color": GROUND},
        customdata=[f"{100 * share:.0f} %" for share in shares],
        hovertemplate="%{customdata}",
    )


def _level_title(found: ScaleResult, level: int) -> str:
    word = {1: found.low, found.levels: found.high}.get(level, "")
    return f"{level}: {word}" if word else str(level)


def _colour(level: int, levels: int) -> str:
    """Return the colour of a level between the ends and the middle of a scale."""
    at = 2 * (level - 1) / max(1, levels - 1) - 1
    end = LOW_END if at < 0 else HIGH_END
    mixed = [round(middle + (far - middle) * abs(at)) for middle, far in zip(MIDDLE, end, strict=True)]
    return f"#{''.join(f'{one:02x}' for one in mixed)}"
