"""Figures of collapse: as it happens in training, by how many numbers, and whether the model knows it elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.failure.corruptions.shift_words import figure_title, title_of
from core.failure.results import Diagnostic, Line, Model
from core.failure.titles import CONTAMINATION
from webapp.pages.charts.figure import COLOURS, DASHES, SYMBOLS, Chart, Table, layout, worded

LINES = {
    "accuracy": "Accuracy",
    "one_number": "One number explains",
    "within": "One number explains, within a class",
}
NUMBERS = ("one", "two", "three")


def history(models: Sequence[Model]) -> Chart | None:
    """Return accuracy and what one number explains of the answers after every epoch, one plot a model."""
    shown = [model for model in models if model.history]
    if not shown:
        return None
    figure = _beside([model.title for model in shown])
    rows: list[tuple[str | float, ...]] = []
    for column, model in enumerate(shown, 1):
        for index, line in enumerate(model.history):
            _line(figure, column, line, LINES[line.name], index)
        for place, epoch in enumerate(model.history[0].x):
            rows.append((model.title, int(epoch), *(line.y[place] for line in model.history)))
    figure.update_xaxes(title="epoch")
    figure.update_yaxes(range=[-0.05, 1.02])
    return Chart(
        "history",
        "Collapse as it happens",
        "Where one number explains the answers from the first epochs on, the network took it as the easiest; "
        "where its share falls later, form was learnt after it.",
        figure,
        Table(
            "Of random test patches, after every epoch of the first seed",
            ("Model", "Epoch", *LINES.values()),
            tuple(rows),
        ),
    )


def numbers(models: Sequence[Model]) -> Chart | None:
    """Return what one, two and three numbers explain within a class, and the answers that follow as many."""
    found = [(model, each) for model in models for each in model.diagnostics if each.name == "few_numbers"]
    if not found:
        return None
    figure = _beside([model.title for model, _ in found])
    titles = {"explained": "Explained within a class", "swap": "Follow a swap"}
    for column, (_, each) in enumerate(found, 1):
        for index, line in enumerate(each.lines):
            _line(figure, column, line, titles[line.name], index)
    figure.update_xaxes(title="numbers of the mean spectrum", dtick=1)
    figure.update_yaxes(range=[-0.05, 1.02])
    parts = [*NUMBERS, *(f"swap_{name}" for name in NUMBERS)]
    rows = tuple((model.title, *(_figure(each, part) for part in parts)) for model, each in found)
    return Chart(
        "numbers",
        "Shortcuts of two and three numbers",
        "Where the second or third number adds much, the shortcut is not one number alone.",
        figure,
        Table("Shares with 95 % intervals", ("Model", *map(figure_title, parts)), rows),
    )


def abstention(models: Sequence[Model]) -> Chart | None:
    """Return the accuracy of the patches that are answered when a model abstains on those it is least sure of."""
    found = [
        (model, each) for model in models for each in model.diagnostics if each.name == "abstention" and each.lines
    ]
    if not found:
        return None
    figure = _beside([model.title for model, _ in found])
    rows = []
    for column, (model, each) in enumerate(found, 1):
        for index, line in enumerate(each.lines):
            _line(figure, column, line, title_of(line.name), index)
            parts = (f"{name} {line.name}" for name in ("area", "energy", "distance", "kept", "accuracy_kept"))
            rows.append((model.title, title_of(line.name), *(_figure(each, part) for part in parts), line.y[-1]))
    figure.update_xaxes(title="share answered", tickformat=".0%")
    figure.update_yaxes(range=[-0.02, 1.02])
    head = (
        "Model",
        "Patches",
        "Told by the probability",
        "Told by the energy",
        "Told by the features",
        "Answered",
        "Accuracy of the answered",
        "Accuracy of all",
    )
    return Chart(
        "abstention",
        "Does it know when the shortcut is gone?",
        "A model that knows answers fewer patches away from home and is right on those; told from home: 0.5 is no "
        "better than a coin. The threshold keeps 90 % at home.",
        figure,
        Table("Area under the ROC curve against home, and abstention", head, tuple(rows)),
    )


def contamination(found: Sequence[Diagnostic]) -> Chart | None:
    """Return accuracy with and without the planted confounder over the share of training patches that carry it."""
    if not found:
        return None
    figure = _beside([each.title for each in found])
    for column, each in enumerate(found, 1):
        for index, line in enumerate(each.lines):
            _line(figure, column, line, CONTAMINATION[line.name], index)
    figure.update_xaxes(title="contaminated", tickformat=".0%")
    figure.update_yaxes(range=[-0.02, 1.02])
    shares = [f"{share:.0%}" for share in found[0].lines[0].x]
    rows = tuple(
        (each.title, worded(each.figure), *(worded(each.figures[f"gap_{share}"]) for share in shares)) for each in found
    )
    return Chart(
        "contamination",
        "How much confounding it takes",
        "A section thickness that follows the class is planted in some of the training patches. The gap between the "
        "lines is accuracy that hangs on it; its mean over the shares is the model's sensitivity to a confounder.",
        figure,
        Table("Accuracy lost when the confounder is at random", ("Model", "Sensitivity", *shares), rows),
    )


def _beside(titles: Sequence[str]) -> go.Figure:
    figure = make_subplots(1, len(titles), subplot_titles=titles, shared_yaxes=True, horizontal_spacing=0.05)
    layout(figure, 380)
    figure.update_layout(legend={"y": -0.22, "yanchor": "top"}, margin={"b": 90})
    return figure


def _line(figure: go.Figure, column: int, line: Line, name: str, index: int) -> None:
    figure.add_scatter(
        x=list(line.x),
        y=[value if math.isfinite(value) else None for value in line.y],
        mode="lines+markers",
        line={"color": COLOURS[index % len(COLOURS)], "dash": DASHES[index % len(DASHES)]},
        marker={"symbol": SYMBOLS[index % len(SYMBOLS)], "size": 6},
        name=name,
        legendgroup=name,
        showlegend=not any(trace.name == name for trace in figure.data),
        row=1,
        col=column,
    )


def _figure(each: Diagnostic, part: str) -> str | None:
    return worded(each.figures[part]) if part in each.figures else None
