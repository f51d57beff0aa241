"""Figures of accuracy: bars of every model, what a swap does, the gap that knowing the patient makes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from core.failure.recipe_means import recipes, tests_of
from core.failure.results import Diagnostic, Results
from core.failure.titles import set_title
from webapp.pages.charts.figure import COLOURS, GROUND, MUTED, SHAPES, Chart, Table, errors, layout, worded

ROW = 26
"""Height of one bar in pixels."""


def bars(results: Results, title: str = "Accuracy at home and away") -> Chart:
    """Return the accuracy of every model on every test set, with what plain classifiers and naming the commonest class
    reach."""
    found, tests = recipes(results), tests_of(results)
    figure = go.Figure()
    for index, test in enumerate(tests):
        figures = [each.accuracy(test) for each in found]
        figure.add_bar(
            x=[each.value for each in figures],
            y=[each.title for each in found],
            orientation="h",
            name=set_title(test),
            error_x=errors(figures),
            marker={"color": COLOURS[index], "pattern": {"shape": SHAPES[index], "fgcolor": GROUND, "size": 6}},
            hovertemplate="%{y}<br>%{x:.3f}<extra>%{fullData.name}</extra>",
        )
    # runs of earlier versions do not have it
    known = math.isfinite(results.data.chance)
    if known:
        figure.add_vline(x=results.data.chance, line={"color": MUTED, "dash": "dot"})
    layout(figure, 96 + ROW * len(found) * max(1, len(tests)), barmode="group", bargap=0.28)
    figure.update_xaxes(range=[0, 1.02], title="accuracy; dotted: chance" if known else "accuracy")
    figure.update_yaxes(autorange="reversed")
    rows = tuple((each.title, *(worded(each.accuracy(test)) for test in tests)) for each in found)
    common = (("Always the commonest class", results.data.chance, *([None] * (len(tests) - 1))),)
    plain = tuple(
        (f"{each.title} (plain)", *(worded(each.accuracy[test]) if test in each.accuracy else None for test in tests))
        for each in results.shallow
    )
    table = Table("Accuracy with 95 % intervals", ("Model", *map(set_title, tests)), (*rows, *plain, *common))
    only = " These data allow no test away from home." if tests == ("id",) else ""
    return Chart(
        "bars",
        title,
        "A healthy model is as good on slides of another laboratory as at home; one that leans on a shortcut is not. "
        "Chance is always naming the commonest class." + only,
        figure,
        table,
    )


def swap(results: Results) -> Chart:
    """Return where answers go when the score, the mean absorbance or the noise of another patch is put in."""
    found = [each for each in recipes(results) if math.isfinite(each.probe("swap").value)]
    sentence = (
        "One number of the mean spectrum is exchanged between two patches that the model takes for different classes: "
        "a model that looks at form keeps its answer, one that leans on the number answers as for the donor."
    )
    if not found:
        return Chart("swap", "Swap test", "The swap test needs the model itself; it was not run here.", None, None)
    figure = go.Figure()
    for index, (title, part) in enumerate((("Follows the donor", ""), ("Stays", "rest"), ("Another class", "else"))):
        figures = [each.probe("swap", part) for each in found]
        figure.add_bar(
            x=[each.value for each in figures],
            y=[each.title for each in found],
            orientation="h",
            name=title,
            marker={
                "color": (COLOURS[5], COLOURS[0], COLOURS[6])[index],
                "pattern": {"shape": ("/", "", ".")[index], "fgcolor": GROUND, "size": 6},
            },
            hovertemplate="%{y}<br>%{x:.1%}<extra>%{fullData.name}</extra>",
        )
    layout(figure, 96 + 34 * len(found), barmode="stack", bargap=0.35)
    figure.update_xaxes(range=[0, 1], title="share of the pairs", tickformat=".0%")
    figure.update_yaxes(autorange="reversed")
    probes = (
        ("swap", ""),
        ("swap", "rest"),
        ("swap", "else"),
        ("swap", "gain"),
        ("noise_floor", ""),
        ("shuffle", "logits"),
    )
    rows = tuple((each.title, *(worded(each.probe(*probe)) for probe in probes)) for each in found)
    head = ("Model", "Follows the donor", "Stays", "Another class", "Follows density", "Follows noise", "Shuffled")
    table = Table("Shares of the pairs; shuffled: share of the answers that is left without form", head, rows)
    return Chart("swap", "Swap test", sentence, figure, table)


def leaks(found: Sequence[Diagnostic]) -> Chart | None:
    """Return how much better plain classifiers look when spectra of one patient are in training and test."""
    if not found:
        return None
    # runs of earlier versions have a sentence before the classifier
    titles = [each.title.rpartition(": ")[2] for each in found]
    figure = go.Figure()
    for index, (name, part) in enumerate((("Split by spectrum", "by_spectrum"), ("Split by patient", "by_group"))):
        figures = [each.figures[part] for each in found]
        figure.add_bar(
            x=[each.value for each in figures],
            y=titles,
            orientation="h",
            name=name,
            error_x=errors(figures),
            marker={"color": COLOURS[index], "pattern": {"shape": SHAPES[index], "fgcolor": GROUND, "size": 6}},
        )
    common = found[0].figures["majority"].value
    figure.add_vline(x=common, line={"color": MUTED, "dash": "dot"})
    layout(figure, 96 + 2 * ROW * len(found), barmode="group", bargap=0.28)
    figure.update_xaxes(range=[0, 1.02], title="accuracy")
    figure.update_yaxes(autorange="reversed")
    rows = tuple(
        (title, worded(each.figures["by_spectrum"]), worded(each.figures["by_group"]), worded(each.figure))
        for title, each in zip(titles, found, strict=True)
    )
    table = Table("Accuracy in folds", ("Classifier", "Split by spectrum", "Split by patient", "Difference"), rows)
    sentence = (
        "The difference is what a classifier gains from knowing the patient; a new patient gives the lower bar. The "
        "dotted line is what always naming the commonest class would reach."
    )
    return Chart("leaks", "Patients in training and test", sentence, figure, table)
