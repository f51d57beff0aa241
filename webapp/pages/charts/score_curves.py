"""Figures of one model beside another: answers along the one-dimensional score, and calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from core.failure.results import Model
from core.failure.titles import set_title
from core.measure.intervals import Interval
from webapp.pages.charts.figure import COLOURS, DASHES, MUTED, SYMBOLS, Chart, Table, layout, opaque, worded

BINS = 20
FEWEST = 2 * BINS
DOTS = 250
"""So many patches are drawn as dots; the lines are of all."""


def one_number(models: Sequence[Model], classes: Sequence[str]) -> Chart:
    """Return the probability of each class along the one-dimensional score, one plot a model."""
    shown = [model for model in models if len(model.score) >= FEWEST]
    title = "Answers along one number"
    if not shown:
        return Chart("score", title, "Too few test patches to draw answers along one number.", None, None)
    titles = [f"{model.title} · R² {_r2(model)}" for model in shown]
    figure = make_subplots(1, len(shown), subplot_titles=titles, shared_yaxes=True, horizontal_spacing=0.06)
    rows: list[tuple[str | float, ...]] = []
    for column, model in enumerate(shown, 1):
        scores, chances = np.array(model.score), np.array(model.probabilities)
        middle, means = binned(scores, chances)
        rows += [(model.title, float(at), *map(float, each)) for at, each in zip(middle, means, strict=True)]
        _draw(figure, column, scores, chances, (middle, means), classes)
    layout(figure, 400)
    figure.update_layout(legend={"y": 1.1})
    figure.update_xaxes(title="score of the mean spectrum or colour")
    figure.update_yaxes(range=[-0.02, 1.02])
    figure.update_yaxes(title="probability of the class", col=1)
    return Chart(
        "score",
        title,
        "Each dot is a patch. A collapsed model is a row of smooth bumps over the score, because the score alone tells "
        "its answer; a model that looks at form is a cloud.",
        figure,
        Table("Mean probability in twenty equal parts of the score", ("Model", "Score", *classes), tuple(rows)),
    )


def binned(scores: NDArray[np.float64], values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean score (20,) and the mean of ``values`` (N, K) -> (20, K) in equal parts of the score."""
    parts = np.array_split(np.argsort(scores, kind="stable"), BINS)
    return np.array([scores[part].mean() for part in parts]), np.array([values[part].mean(axis=0) for part in parts])


def _draw(
    figure: go.Figure,
    column: int,
    scores: NDArray[np.float64],
    chances: NDArray[np.float64],
    curve: tuple[NDArray[np.float64], NDArray[np.float64]],
    classes: Sequence[str],
) -> None:
    few = slice(0, DOTS)
    for kind, name in enumerate(classes):
        colour = COLOURS[kind % len(COLOURS)]
        mark = {"color": opaque(colour, 0.45), "size": 4, "symbol": SYMBOLS[kind % len(SYMBOLS)]}
        figure.add_scatter(
            x=scores[few].round(4).tolist(),
            y=chances[few, kind].round(4).tolist(),
            mode="markers",
            marker=mark,
            hoverinfo="skip",
            showlegend=False,
            legendgroup=str(kind),
            row=1,
            col=column,
        )
        figure.add_scatter(
            x=curve[0].round(4).tolist(),
            y=curve[1][:, kind].round(4).tolist(),
            mode="lines",
            line={"color": colour, "width": 2.5, "dash": DASHES[kind % len(DASHES)]},
            name=name,
            legendgroup=str(kind),
            showlegend=column == 1,
            row=1,
            col=column,
        )


def calibration(models: Sequence[Model]) -> Chart:
    """Return reliability diagrams on every test set, one plot a model."""
    shown = [model for model in models if model.calibration]
    if not shown:
        return Chart("calibration", "Calibration", "No probabilities were kept of these models.", None, None)
    titles = [model.title for model in shown]
    figure = make_subplots(1, len(shown), subplot_titles=titles, shared_yaxes=True, horizontal_spacing=0.06)
    rows: list[tuple[str | float, ...]] = []
    for column, model in enumerate(shown, 1):
        figure.add_scatter(
            x=[0, 1],
            y=[0, 1],
            mode="lines",
            line={"color": MUTED, "dash": "dot", "width": 1},
            name="as sure as right",
            hoverinfo="skip",
            showlegend=column == 1,
            row=1,
            col=column,
        )
        for index, each in enumerate(model.calibration):
            colour = COLOURS[index % len(COLOURS)]
            figure.add_scatter(
                x=each.confidence,
                y=each.accuracy,
                mode="lines+markers",
                line={"color": colour, "dash": DASHES[index % len(DASHES)]},
                marker={"symbol": SYMBOLS[index % len(SYMBOLS)], "size": [4 + 14 * share**0.5 for share in each.share]},
                name=set_title(each.name),
                legendgroup=each.name,
                showlegend=column == 1,
                row=1,
                col=column,
            )
            rows.append((model.title, set_title(each.name), *map(worded, (each.ece, each.brier, each.nll))))
    layout(figure, 400)
    figure.update_layout(legend={"y": 1.1})
    figure.update_xaxes(range=[0, 1.02], title="how sure the model is")
    figure.update_yaxes(range=[0, 1.02])
    figure.update_yaxes(title="how often it is right", col=1)
    return Chart(
        "calibration",
        "Calibration",
        "Points below the dotted line are answers that are surer than they are right; larger points hold more patches.",
        figure,
        Table(
            "Calibration error (ECE, 15 bins), Brier score and negative log-likelihood, with 95 % intervals",
            ("Model", "Patches", "ECE", "Brier", "NLL"),
            tuple(rows),
        ),
        "Calibration at home says nothing about calibration elsewhere.",
    )


def _r2(model: Model) -> str:
    found = next((each.figure for each in model.diagnostics if each.name == "one_number"), Interval(math.nan))
    return f"{found.value:.2f}" if math.isfinite(found.value) else "–"
