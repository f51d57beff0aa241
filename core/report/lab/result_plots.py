"""The plots of a report of the failure lab: training, corruptions, calibration, answers along one number, spectra."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from core.failure.corruptions.shift_words import title_of
from core.failure.recipe_means import Recipe, tests_of
from core.failure.results import Corrupted, Model, Results
from core.failure.titles import band_axis, set_title
from core.measure.intervals import Interval
from core.report.lab.plots import ALARM, COLOURS, DASHES, MUTED, Axis, Curve, Figure, Plot, figure, rows_chart, span
from core.report.lab.result_tables import commonest, plain_ones, plain_title

NAMED, BINS, DOTS = 3, 20, 200
ACCURACY, SHARE = Axis("accuracy", 0, 1), Axis("share", 0, 1)
HISTORY = {
    "accuracy": "Accuracy on test patches",
    "one_number": "One number explains",
    "within": "One number explains, within a class",
}
NOISE = ("noise", "rgb_noise")
# without the colours of noise and of what is faint
APART = tuple(each for each in COLOURS if each not in (ALARM, MUTED))


def accuracy_rows(results: Results, found: Sequence[Recipe]) -> dict[str, object]:
    """Return the accuracy of every recipe and plain classifier on every test set, with 95 % intervals."""
    tests = tests_of(results)
    shallow = plain_ones(results)
    names = [each.title for each in found] + [plain_title(each) for each in shallow]
    series = [
        (
            set_title(test),
            [
                *(each.accuracy(test) for each in found),
                *(each.accuracy.get(test, Interval(float("nan"))) for each in shallow),
            ],
        )
        for test in tests
    ]
    axis = Axis("accuracy; dotted: always the commonest class", 0, 1)
    return rows_chart(names, series, axis, commonest(results.data))


def training(found: Sequence[Recipe], shown: Sequence[Model]) -> Figure | None:
    """Return the loss of every epoch of each recipe, of its first seed, and of the models ``shown`` accuracy and what
    one number explains after every epoch."""
    models = [(each.title, each.first.losses) for each in found if len(each.first.losses) > 1]
    if not models:
        return None
    plots = []
    for start in range(0, len(models), len(COLOURS)):
        some = models[start : start + len(COLOURS)]
        top = span([loss for _, losses in some for loss in losses])[1]
        curves = tuple(
            Curve(title, range(1, len(losses) + 1), losses, COLOURS[index], DASHES[index % len(DASHES)])
            for index, (title, losses) in enumerate(some)
        )
        longest = max(len(losses) for _, losses in some)
        plots.append(Plot("Loss of training", curves, Axis("epoch", 1, longest, whole=True), Axis("loss", 0, top)))
    for model in (each for each in shown if each.history):
        curves = tuple(
            Curve(HISTORY.get(line.name, line.name), line.x, line.y, COLOURS[index], DASHES[index])
            for index, line in enumerate(model.history[: len(DASHES)])
        )
        last = max((max(line.x, default=1.0) for line in model.history), default=1.0)
        plots.append(Plot(f"{model.title}: collapse", curves, Axis("epoch", 1, last, whole=True), SHARE))
    sentence = (
        "Mean loss of every epoch, first seed; losses of different recipes are not on one scale. Then accuracy on test "
        "patches and what one number explains of the answers, epoch by epoch."
    )
    return figure("training", "Training", sentence, plots)


def robustness(models: Sequence[Model]) -> Figure | None:
    """Return accuracy over severity under every corruption, one plot a model."""
    shown = [model for model in models if model.corruptions]
    if not shown:
        return None
    named = dict.fromkeys(name for model in shown for name in worst_physical(model))
    colours = {name: index for index, name in enumerate(named)}
    plots = []
    for model in shown:
        worst = worst_physical(model)
        own = {name: index for name, index in colours.items() if name in worst}
        curves = tuple(_corruption(each, own) for each in model.corruptions)
        highest = max(max(each.severities) for each in model.corruptions)
        plots.append(Plot(model.title, curves, Axis("severity", 0, highest, whole=True), ACCURACY))
    return figure(
        "robustness",
        "Robustness",
        "The physical changes that hurt most stand out, noise is dashed; thin lines are the others.",
        plots,
        "Robustness to noise is no sign of health: a model that has collapsed to one number averages noise away. "
        "Severities of IR and RGB cannot be compared.",
    )


def worst_physical(model: Model) -> tuple[str, ...]:
    """Return the names of the physical corruptions under which accuracy falls the most, three at most."""
    physical = [each for each in model.corruptions if each.physical and len(each.accuracy) > 1]
    physical.sort(key=lambda each: min(each.accuracy[1:]))
    return tuple(each.name for each in physical[:NAMED])


def _corruption(each: Corrupted, places: Mapping[str, int]) -> Curve:
    noisy, named = each.name in NOISE, each.name in places
    place = places.get(each.name, 0)
    colour = ALARM if noisy else APART[place % len(APART)] if named else MUTED
    return Curve(
        title_of(each.name),
        each.severities,
        each.accuracy,
        colour,
        DASHES[1] if noisy else DASHES[3] if place >= len(APART) else "",
        noisy or named,
        faint=not (noisy or named),
    )


def calibration(models: Sequence[Model]) -> Figure | None:
    """Return reliability diagrams on every test set, one plot a model."""
    shown = [model for model in models if model.calibration]
    if not shown:
        return None
    diagonal = Curve("as sure as right", (0, 1), (0, 1), MUTED, DASHES[2])
    plots = [
        Plot(
            model.title,
            (
                diagonal,
                *(
                    Curve(
                        set_title(each.name),
                        each.confidence,
                        each.accuracy,
                        COLOURS[index % len(COLOURS)],
                        DASHES[index % len(DASHES)],
                        marks=True,
                    )
                    for index, each in enumerate(model.calibration)
                ),
            ),
            Axis("how sure the model is", 0, 1),
            Axis("how often it is right", 0, 1),
        )
        for model in shown
    ]
    return figure(
        "calibration",
        "Calibration",
        "Points below the dotted line are answers that are surer than they are right.",
        plots,
        "Calibration at home does not carry over to other slides.",
    )


def one_number(models: Sequence[Model], classes: Sequence[str]) -> Figure | None:
    """Return the probability of each class along the one-dimensional score, one plot a model."""
    shown = [model for model in models if len(model.score) >= 2 * BINS]
    if not shown:
        return None
    plots = []
    for model in shown:
        scores, chances = np.array(model.score), np.array(model.probabilities)
        parts = np.array_split(np.argsort(scores, kind="stable"), BINS)
        middle = [float(scores[part].mean()) for part in parts]
        curves = []
        for kind, name in enumerate(classes):
            colour = COLOURS[kind % len(COLOURS)]
            curves.append(
                Curve(name, scores[:DOTS].tolist(), chances[:DOTS, kind].tolist(), colour, faint=True, dots=True)
            )
            means = [float(chances[part, kind].mean()) for part in parts]
            curves.append(Curve(name, middle, means, colour, DASHES[kind % len(DASHES)]))
        axis = Axis("score of the mean spectrum or colour", *span(model.score))
        plots.append(Plot(model.title, tuple(curves), axis, Axis("probability of the class", 0, 1)))
    return figure(
        "score",
        "Answers along one number",
        "Each dot is a patch, lines are means. A collapsed model is a row of smooth bumps over the score; a model that "
        "looks at form is a cloud.",
        plots,
    )


def spectra(results: Results) -> Figure | None:
    """Return the mean spectrum of each class, and what one standard deviation of the score adds to one."""
    found = next((each for each in results.bands if each.modality == "ir"), None)
    if found is None or len(found.positions) < 2:
        return None
    words = band_axis(results.data.technique)
    ends = max(found.positions), min(found.positions)
    axis = Axis(words.position, *(ends if words.falls else ends[::-1]))
    curves = [
        Curve(
            results.data.classes[kind],
            found.positions[run],
            spectrum[run],
            COLOURS[kind % len(COLOURS)],
            DASHES[kind % len(DASHES)],
            marks=run.stop - run.start <= 3,
        )
        for kind, spectrum in enumerate(found.spectra)
        for run in band_runs(found.positions)
    ]
    values = [value for spectrum in found.spectra for value in spectrum]
    pattern = Curve("", found.positions, found.pattern, ALARM, bars=True)
    height = Axis(words.value, *span((*found.pattern, 0)))
    plots = [
        Plot("Mean spectrum of each class", tuple(curves), axis, Axis(words.value, *span(values))),
        Plot("What one standard deviation of the score adds", (pattern,), axis, height),
    ]
    return figure(
        "pattern",
        "The number as a band pattern",
        "The right plot is the one-dimensional score in the language of spectra: a pattern like the whole spectrum is "
        "the amount of tissue, a few bands are one component, a slope is a baseline.",
        plots,
    )


def band_runs(positions: Sequence[float]) -> list[slice]:
    """Return the runs of bands without a wide gap, which a line must not bridge."""
    steps = [abs(after - before) for before, after in pairwise(positions)]
    wide = 4 * sorted(steps)[len(steps) // 2] if steps else 0.0
    cuts = [index + 1 for index, step in enumerate(steps) if step > wide]
    return [slice(start, end) for start, end in zip([0, *cuts], [*cuts, len(positions)], strict=True)]
