"""Figures of an augmentation study: curves, exchange rates, worth of every arm, quality of the generators."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from core.augment.arms import ALONE, OPEN, SYNTHETIC, TITLES
from core.augment.worth_results import ArmResult, WorthResults
from webapp.pages.charts.figure import (
    COLOURS,
    DASHES,
    GROUND,
    MUTED,
    SHAPES,
    SYMBOLS,
    Cell,
    Chart,
    Table,
    errors,
    layout,
    opaque,
    worded,
)

ROW = 30
# numbers below an axis of a phone do not touch from this ratio on
TICKS_APART = 1.35


def curves(results: WorthResults) -> Chart:
    """Return accuracy over all images of a training set: the fitted curve of real ones, and each arm beside it."""
    figure, points = go.Figure(), results.curve
    known = [point for point in points if point.by_seed]
    figure.add_scatter(
        x=[*(point.count for point in points), *(point.count for point in reversed(points))],
        y=[*(point.fitted.high for point in points), *(point.fitted.low for point in reversed(points))],
        fill="toself",
        fillcolor=opaque(MUTED, 0.22),
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
    )
    figure.add_scatter(
        x=[point.count for point in points],
        y=[point.fitted.value for point in points],
        mode="lines",
        line={"color": MUTED, "width": 2},
        name="real images, fitted",
    )
    figure.add_scatter(
        x=[point.count for point in known],
        y=[point.measured.value for point in known],
        mode="markers",
        error_y=errors([point.measured for point in known]),
        marker={"color": MUTED, "size": 8},
        name="real images",
    )
    drawn = [arm for arm in results.arms if arm.name != ALONE]
    for place, name in enumerate(dict.fromkeys(arm.name for arm in drawn)):
        for base in dict.fromkeys(arm.base for arm in drawn if arm.name == name):
            here = sorted((arm for arm in drawn if (arm.name, arm.base) == (name, base)), key=lambda arm: arm.added)
            _line(figure, here, place)
    layout(figure, 460)
    figure.update_layout(legend={"y": 1.04})
    ticks = _apart([point.count for point in known], sorted({arm.base + arm.added for arm in drawn}))
    figure.update_xaxes(type="log", tickvals=ticks, title="images in the training set, real and added")
    figure.update_yaxes(title="accuracy on test images")
    rows: list[tuple[Cell, ...]] = [
        (TITLES["real"], point.count, 0, worded(point.measured), worded(point.fitted)) for point in known
    ]
    rows += [(TITLES[arm.name], arm.base, arm.added, worded(arm.accuracy), None) for arm in results.arms]
    return Chart(
        "worth-curves",
        "Accuracy over the number of images",
        "Added images that were worth one real image each would lie on the grey curve; the lower below it, the less "
        "they were worth. At the height of the real images they were added to, they were worth nothing.",
        figure,
        Table(
            "Accuracy with 95 % intervals over seeds and groups",
            ("Arm", "Real", "Added", "Accuracy", "Fitted"),
            tuple(rows),
        ),
    )


def _line(figure: go.Figure, arms: Sequence[ArmResult], place: int) -> None:
    """Draw the arms of one name and base as a line over all images of their training sets."""
    colour, name = COLOURS[place % len(COLOURS)], arms[0].name
    figure.add_scatter(
        x=[arm.base + arm.added for arm in arms],
        y=[arm.accuracy.value for arm in arms],
        mode="lines+markers" if len(arms) > 1 else "markers",
        error_y=errors([arm.accuracy for arm in arms]),
        line={"color": colour, "dash": DASHES[place % len(DASHES)]},
        marker={"color": colour, "symbol": SYMBOLS[(place + 1) % len(SYMBOLS)], "size": 9},
        name=TITLES[name],
        legendgroup=name,
        showlegend=name not in {trace.legendgroup for trace in figure.data},
        text=[arm.title for arm in arms],
        hovertemplate="%{text}<br>%{y:.3f}<extra></extra>",
    )


def _apart(counts: Sequence[int], others: Sequence[int]) -> list[int]:
    """Return ``counts`` and those of ``others`` that have room beside them on a logarithmic axis."""
    kept = list(counts)
    for each in others:
        if all(max(each, one) >= TICKS_APART * min(each, one) for one in kept):
            kept.append(each)
    return sorted(kept)


def rates(results: WorthResults) -> Chart:
    """Return the exchange rate over the number of real images and of added ones."""
    arms = [arm for arm in results.arms if arm.name in (SYNTHETIC, OPEN)]
    names = list(dict.fromkeys(arm.name for arm in arms))
    bases = sorted({arm.base for arm in arms})
    multiples = sorted({arm.added / arm.base for arm in arms})
    across = [f"{multiple:g} ×" for multiple in multiples]
    down = [f"{base} real{', open set' if name == OPEN else ''}" for name in names for base in bases]
    cells = {(arm.name, arm.base, arm.added / arm.base): arm for arm in arms}
    found = [[cells.get((name, base, multiple)) for multiple in multiples] for name in names for base in bases]
    values = [[arm.rate.value if arm else math.nan for arm in row] for row in found]
    top = max(0.1, *(abs(value) for row in values for value in row if math.isfinite(value)))
    figure = go.Figure()
    figure.add_heatmap(
        x=across,
        y=down,
        z=values,
        zmin=-top,
        zmax=top,
        colorscale=[[0, "#c77700"], [0.5, "#e9edf2"], [1, "#2f8fd0"]],
        text=[[worded(arm.rate, 2) if arm else "" for arm in row] for row in found],
        texttemplate="%{text}",
        textfont={"color": "#16202c"},
        hoverinfo="skip",
        colorbar={"title": "rate"},
        xgap=2,
        ygap=2,
    )
    layout(figure, 130 + 56 * len(down))
    figure.update_xaxes(title="synthetic images, in multiples of the real ones", type="category")
    figure.update_yaxes(autorange="reversed", type="category")
    rows = tuple((arm.title, arm.base, arm.added, worded(arm.worth, 0), worded(arm.rate, 2)) for arm in arms)
    return Chart(
        "worth-rates",
        "Exchange rate",
        "How many real images one synthetic image was worth, with its 95 % interval; blue above 0, orange below. It "
        "falls along a row where more of them add less each.",
        figure,
        Table("Worth k and exchange rate k / m with 95 % intervals", ("Arm", "Real", "Added", "Worth", "Rate"), rows),
        "A rate whose interval holds 0 is not shown to differ from nothing.",
    )


def worth(results: WorthResults) -> Chart:
    """Return what the added images of every arm were worth, with intervals."""
    figure = go.Figure()
    for place, name in enumerate(dict.fromkeys(arm.name for arm in results.arms)):
        here = [arm for arm in results.arms if arm.name == name]
        figure.add_scatter(
            x=[arm.worth.value for arm in here],
            y=[arm.title for arm in here],
            mode="markers",
            error_x=errors([arm.worth for arm in here]),
            marker={"color": COLOURS[place % len(COLOURS)], "symbol": SYMBOLS[place % len(SYMBOLS)], "size": 9},
            name=TITLES[name],
        )
    figure.add_vline(x=0, line={"color": MUTED, "dash": "dot"})
    layout(figure, 110 + ROW * len(results.arms), showlegend=False)
    figure.update_xaxes(title="worth in real images beside the base; dotted: nothing")
    figure.update_yaxes(autorange="reversed")
    rows = tuple((arm.title, worded(arm.worth, 0), worded(arm.gain), arm.most) for arm in results.arms)
    return Chart(
        "worth-arms",
        "Worth of every arm",
        "Duplicates and shuffled labels are controls: the first should be worth nothing, the second nothing or less. "
        "Synthetic images alone are counted against the real images that their generator was trained on.",
        figure,
        Table("Worth in real images and gain in accuracy", ("Arm", "Worth", "Gain", "Most that can be seen"), rows),
    )


def quality(results: WorthResults) -> Chart:
    """Return precision, recall and coverage of every generator beside those of new real images."""
    figure = go.Figure()
    titles = [f"{each.base} real images" if each.base else "open set" for each in results.quality]
    for index, name in enumerate(("precision", "recall", "coverage")):
        for real in (False, True):
            figure.add_bar(
                x=titles,
                y=[getattr(each, f"real_{name}" if real else name) for each in results.quality],
                name=f"{name}{', new real images' if real else ''}",
                marker={
                    "color": opaque(COLOURS[index], 0.45) if real else COLOURS[index],
                    "pattern": {"shape": SHAPES[index], "fgcolor": GROUND, "size": 6},
                },
            )
    layout(figure, 360, barmode="group")
    figure.update_layout(legend={"y": 1.08})
    figure.update_yaxes(range=[0, 1.02])
    rows = tuple(
        (
            title,
            *(each.precision, each.recall, each.coverage),
            *(each.real_precision, each.real_recall, each.real_coverage),
            worded(each.copied),
            each.threshold,
            each.median_ratio,
            each.real_ratio,
        )
        for title, each in zip(titles, results.quality, strict=True)
    )
    head = ("Generator of", "Precision", "Recall", "Coverage", "Real: precision", "Real: recall", "Real: coverage")
    return Chart(
        "worth-quality",
        "Quality of the synthetic images",
        "Precision: how many look like real ones. Recall and coverage: how much of the variety of real ones they "
        "reach. Pale: the same for new real images, which is what could be reached.",
        figure,
        Table(
            "Quality, and distances to the nearest training image in parts of those to other real ones",
            (*head, "Copies", "Threshold", "Median", "Median of real ones"),
            rows,
        ),
    )
