"""Figures of robustness: accuracy under what instruments and sections do, severity by severity."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.failure.corruptions.shift_words import title_of
from core.failure.results import Corrupted, Model
from core.report.lab.result_plots import worst_physical
from webapp.pages.charts.figure import ALARM, COLOURS, MUTED, SYMBOLS, Chart, Table, layout, opaque

NOISE = ("noise", "rgb_noise", "noise_floor")


def robustness(models: Sequence[Model]) -> Chart:
    """Return accuracy over severity under every corruption, one plot a model."""
    shown = [model for model in models if model.corruptions]
    if not shown:
        return Chart("robustness", "Robustness", "Corruptions need the model itself; none was run here.", None, None)
    figure = make_subplots(
        1, len(shown), subplot_titles=[model.title for model in shown], shared_yaxes=True, horizontal_spacing=0.06
    )
    rows: list[tuple[str | float | None, ...]] = []
    levels = sorted({level for model in shown for each in model.corruptions for level in each.severities})
    for column, model in enumerate(shown, 1):
        worst = worst_physical(model)
        for each in sorted(model.corruptions, key=lambda one: one.name in worst or one.name in NOISE):
            _draw(figure, column, each, worst, len(shown) > 1)
        rows += [_row(model, each, levels) for each in model.corruptions]
    layout(figure, 460)
    figure.update_layout(legend={"y": -0.16, "yanchor": "top", "traceorder": "grouped"}, margin={"b": 110})
    figure.update_xaxes(title="severity", dtick=1)
    figure.update_yaxes(range=[0, 1.02])
    figure.update_yaxes(title="accuracy", col=1)
    head = ("Model", "Corruption", "Kind", *(f"Severity {level}" for level in levels), "Rise of ECE")
    return Chart(
        "robustness",
        "Robustness",
        "The three physical changes that hurt most stand out; thin lines are the others, dotted what is not physical, "
        "dashed noise.",
        figure,
        Table("Accuracy at each severity", head, tuple(rows)),
        "Robustness to noise is no sign of health: a model that has collapsed to one number averages noise away, and "
        "looks robust. Severities of IR and RGB cannot be compared with each other.",
    )


def _draw(figure: go.Figure, column: int, each: Corrupted, worst: tuple[str, ...], beside: bool) -> None:
    noisy, named = each.name in NOISE[:2], each.name in worst
    colour = ALARM if noisy else COLOURS[(0, 2, 4)[worst.index(each.name)]] if named else MUTED
    figure.add_scatter(
        x=each.severities,
        y=each.accuracy,
        mode="lines+markers" if noisy or named else "lines",
        line={
            "color": colour if noisy or named else opaque(MUTED, 0.55),
            "width": 2.5 if noisy or named else 1,
            "dash": "dash" if noisy else "solid" if each.physical else "dot",
        },
        marker={"symbol": "x" if noisy else SYMBOLS[worst.index(each.name)] if named else "circle", "size": 7},
        name=title_of(each.name),
        legendgroup=str(column),
        legendgrouptitle={"text": "Left" if column == 1 else "Right"} if beside else None,
        showlegend=noisy or named,
        hovertemplate="%{fullData.name}<br>severity %{x}: %{y:.3f}<extra></extra>",
        row=1,
        col=column,
    )


def _row(model: Model, each: Corrupted, levels: list[int]) -> tuple[str | float | None, ...]:
    at = dict(zip(each.severities, each.accuracy, strict=True))
    rise = max(each.ece) - each.ece[0] if each.ece else None
    kind = "physical" if each.physical else "noise or loss"
    return (model.title, title_of(each.name), kind, *(at.get(level) for level in levels), rise)
