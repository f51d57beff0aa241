"""Figures of marks with intervals in named rows, as reader studies draw most of what they find."""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from core.measure.intervals import Estimate
from webapp.pages.charts.figure import COLOURS, MUTED, SYMBOLS, errors, layout, worded

ROW, FRAME = 30, 110
"""Pixels that a row takes, and that legend and axis take."""
WIDTH = 20
"""So many letters of a label stand in one line."""


@dataclass(frozen=True)
class Series:
    """Marks of one kind; rows: row of the plot -> what stands there."""

    name: str
    rows: Mapping[int, Estimate]


def dots(names: Sequence[str], series: Sequence[Series], axis: str, reference: float | None) -> go.Figure:
    """Return marks with intervals, one row for each of ``names``; the marks of a row stand one below the other."""
    figure, shown = go.Figure(), [one for one in series if any(map(known, one.rows.values()))]
    crowded = any(sum(row in one.rows for one in shown) > 1 for row in range(len(names)))
    lanes = len(shown) if crowded else 1
    for index, one in enumerate(shown):
        places = [row for row, each in one.rows.items() if known(each)]
        found = [one.rows[row] for row in places]
        offset = (index - (lanes - 1) / 2) * 0.7 / lanes if crowded else 0
        colour = COLOURS[index % len(COLOURS)]
        figure.add_scatter(
            x=[each.value for each in found],
            y=[row + offset for row in places],
            mode="markers",
            name=html.escape(one.name, quote=False),
            showlegend=len(shown) > 1,
            error_x=errors(found),
            marker={"color": colour, "symbol": SYMBOLS[index % len(SYMBOLS)], "size": 10},
            text=[html.escape(names[row], quote=False) for row in places],
            customdata=[[worded(each), each.n] for each in found],
            hovertemplate="%{text}<br>%{customdata[0]}<br>n = %{customdata[1]}",
        )
    if reference is not None:
        figure.add_vline(x=reference, line={"color": MUTED, "dash": "dot"})
    lines = max(label(name).count("<br>") + 1 for name in names)
    layout(figure, FRAME + max(ROW, 15 * lanes + 8, 16 * lines + 6) * len(names))
    figure.update_xaxes(range=[-0.02, 1.02], title={"text": axis, "font": {"size": 12}})
    name_rows(figure, names)
    return figure


def name_rows(figure: go.Figure, names: Sequence[str]) -> None:
    """Name the rows 0, 1 ... of a figure, the first on top; the same name may stand twice."""
    figure.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=list(map(label, names)),
        range=[len(names) - 0.4, -0.6],
        zeroline=False,
    )


def label(text: str) -> str:
    """Return ``text`` as plotly writes it letter by letter, in lines of a label's width."""
    return "<br>".join(html.escape(line, quote=False) for line in textwrap.wrap(text, WIDTH)) or "–"


def known(each: Estimate) -> bool:
    """Return whether a number could be computed."""
    return math.isfinite(each.value)
