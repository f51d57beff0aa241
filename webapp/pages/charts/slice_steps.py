"""The figure of an imaging job: how the slices of each method fit each other along the three axes."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from core.result import Row
from webapp.pages.charts.figure import COLOURS, MUTED, SYMBOLS, TEXT, Chart, layout

AXES = ("X", "Y", "Z")
FEWEST = 2
ROW, FRAME = 34, 110
"""Pixels that a method takes, and that title and axis take."""


def slices(table: Sequence[Row]) -> Chart | None:
    """Return the slice consistency of each method of a job; None where fewer than two have it."""
    found = [(row.title, row.values["consistency"]) for row in table if row.measured("consistency")]
    ratios = [(title, values) for title, values in found if isinstance(values, tuple)]
    if len(ratios) < FEWEST:
        return None
    figure = go.Figure()
    for axis, name in enumerate(AXES):
        figure.add_scatter(
            x=[values[axis] for _, values in ratios],
            y=[title for title, _ in ratios],
            mode="markers",
            orientation="h",
            marker={"color": COLOURS[axis], "symbol": SYMBOLS[axis], "size": 11, "line": {"color": TEXT, "width": 0.5}},
            name=name,
            hovertemplate="%{y}<br>%{fullData.name}: %{x:.2f}<extra></extra>",
        )
    figure.add_vline(x=1, line={"color": MUTED, "dash": "dash", "width": 1.5})
    # marks of equal value stand one below the other
    layout(figure, FRAME + ROW * len(ratios), scattermode="group", scattergap=0.5)
    figure.update_xaxes(title={"text": "1 is natural", "font": {"size": 12}}, rangemode="tozero")
    # the first row of the table on top
    figure.update_yaxes(autorange="reversed", type="category")
    return Chart(
        "slices",
        "Slice consistency",
        "Steps between neighbouring slices along X (right), Y (front) and Z (up). Near the dashed line is natural, "
        "left of it is blur, right of it are slices that do not fit; an axis apart from the others is often that of "
        "slices made one by one.",
        figure,
        None,
    )
