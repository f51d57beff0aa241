"""Every diagnostic of one model, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.failure.corruptions.shift_words import MILD
from core.failure.data.dataset import CONFLICT, HOME, Dataset
from core.failure.data.modality import channels, images, mean_spectra, technique_of
from core.failure.data.normalisation import NOT_NORMALISED, Normalisation, normalisation_of
from core.failure.diagnostics import ablation, band_importance, capacity, logits, one_number, shift, swap
from core.failure.diagnostics.abstention import abstention, distances
from core.failure.diagnostics.attribution import attribute
from core.failure.diagnostics.calibration import calibration_rise, probabilities, reliability
from core.failure.diagnostics.few_numbers import NUMBERS, few_numbers
from core.failure.diagnostics.learnt import learnt
from core.failure.diagnostics.model_under_test import ModelUnderTest, confused, weighted_outcomes
from core.failure.models.plain_classifiers import KNOWN, Labelled, Predict, classifiers_of
from core.failure.models.trained_model import TrainedModel
from core.failure.results import Attribution, Corrupted, Diagnostic, Model, Reliability
from core.failure.titles import band_axis
from core.failure.wording import worded_diagnostic
from core.measure.bootstrap import draw_weights, interval, mean
from core.measure.intervals import Interval
from core.spectra.noise import noise_of
from core.spectra.score import Score, Scores, fit_score, fit_scores

Float = NDArray[np.float32]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BAND_PATCHES, SHIFT_PATCHES = 200, 500
"""Most patches, drawn at random, for the diagnostics that evaluate a model dozens of times: of bands, corruptions."""


@dataclass(frozen=True)
class Depth:
    """Extent of the battery. draws: of the bootstrap. severities: of each corruption. bands: also band by band. few:
    also what two and three numbers explain."""

    draws: int = 1000
    severities: tuple[int, ...] = (1, 2, 3, 4, 5)
    bands: bool = True
    few: bool = True

    def shallow(self) -> Depth:
        """Return the extent for later seeds: one severity, and not what decides nothing and takes long."""
        return replace(self, bands=False, few=False, severities=(MILD,))


@dataclass(frozen=True, eq=False)
class ModalityFits:
    """What is fitted once for all models of one modality, on the training patches.

    score: the one-dimensional score. noise, centre: (C,) noise and mean of the channels. plain: name -> plain
    classifier. normalisation: of the spectra as they came. scores: the first three scores.
    """

    dataset: Dataset
    modality: str
    score: Score
    noise: Floats
    centre: Floats
    plain: Mapping[str, Predict]
    depth: Depth
    seed: int
    normalisation: Normalisation
    scores: Scores

    def weights(self, name: str) -> Floats:
        """Return the bootstrap weights (1 + draws, N) of a test set."""
        patches = self.dataset.tests[name]
        return draw_weights(len(patches), patches.groups, self.depth.draws, self.seed)

    def values(self, name: str) -> Float:
        """Return the raw patches (N, C, H, W) of a test set."""
        return images(self.dataset.tests[name], self.modality)


def fit_modality(dataset: Dataset, modality: str, depth: Depth, seed: int) -> ModalityFits:
    """Return score, noise and plain classifiers fitted on the training patches of ``modality``."""
    values = images(dataset.train, modality)
    means = mean_spectra(values)
    labels = dataset.train.labels
    given = Labelled(values, labels, len(dataset.train.classes), channels(dataset.train, modality)[1])
    plain = {each.name: each.fit(given) for each in classifiers_of(modality, dataset.spatial)}
    return ModalityFits(
        dataset,
        modality,
        fit_score(means, labels),
        noise_of(values),
        means.mean(axis=0, dtype=np.float64),
        plain,
        depth,
        seed,
        normalisation_of(values) if modality == "ir" else NOT_NORMALISED,
        fit_scores(means, labels, len(NUMBERS)),
    )


@dataclass(frozen=True)
class ModelFindings:
    """The results of the battery for one model. correct: of each test set, 1 for each correct patch, else 0, (N,).
    confusion: of each test set, (K, K) as ``confused`` returns it."""

    accuracy: dict[str, Interval]
    diagnostics: tuple[Diagnostic, ...]
    calibration: tuple[Reliability, ...]
    corruptions: tuple[Corrupted, ...]
    attributions: tuple[Attribution, ...]
    score: tuple[float, ...]
    probabilities: tuple[tuple[float, ...], ...]
    correct: dict[str, Floats]
    confusion: dict[str, tuple[tuple[int, ...], ...]]

    def added_to(self, model: Model) -> Model:
        """Return ``model`` with these findings."""
        return replace(
            model,
            accuracy=self.accuracy,
            diagnostics=self.diagnostics,
            calibration=self.calibration,
            corruptions=self.corruptions,
            attributions=self.attributions,
            score=self.score,
            probabilities=self.probabilities,
            confusion=self.confusion,
        )


def accuracies(fits: ModalityFits, predict: Predict) -> dict[str, Interval]:
    """Return the accuracy of ``predict`` on each test set."""
    found = {}
    for name, patches in fits.dataset.tests.items():
        correct = predict(fits.values(name)).argmax(axis=1) == patches.labels
        found[name] = interval(mean(correct, fits.weights(name)))
    return found


def run_battery(
    fits: ModalityFits, predict: Predict, trained: TrainedModel | None, shown: Ints, *, network: bool = False
) -> Generator[str, None, ModelFindings]:
    """Run every diagnostic that the data allow, yielding the name of each before it starts.

    predict: raw patches -> logits. trained: the networks behind it, None for a plain classifier and for a model of
    which nothing else is known, which ``network`` sets beside the plain classifiers as a network is. shown: numbers of
    the patches whose pixels are attributed.
    """
    dataset = fits.dataset
    yield "accuracy"
    answers = {name: predict(fits.values(name)) for name in dataset.tests}
    model = _model_under_test(fits, predict, answers[HOME])
    diagnostics: list[Diagnostic] = []
    for title, diagnostic in _diagnostics(fits, model, trained, network=network):
        yield title
        diagnostics.append(diagnostic())
    yield "corruptions"
    curves = yield from shift.corruption_curves(
        model.some(SHIFT_PATCHES),
        fits.modality,
        channels(dataset.train, fits.modality)[1],
        fits.depth.severities,
        of_raman=dataset.train.raman,
    )
    weights = {name: fits.weights(name) for name in answers}
    calibration = tuple(
        reliability(name, given, dataset.tests[name].labels, weights[name]) for name, given in answers.items()
    )
    correct = {
        name: (given.argmax(axis=1) == dataset.tests[name].labels).astype(np.float64) for name, given in answers.items()
    }
    accuracy = {name: interval(mean(each, weights[name])) for name, each in correct.items()}
    diagnostics.append(shift.worst_drop(curves, accuracy))
    diagnostics.append(
        calibration_rise(shift.calibration_errors(curves, {each.name: each.ece for each in calibration}))
    )
    diagnostics.append(_last_layer(fits, trained, answers))
    yield "D17 abstention"
    diagnostics.append(_abstention(fits, model, trained, answers, curves))
    yield "attribution"
    attributed = trained is not None and dataset.spatial and len(shown) > 0
    return ModelFindings(
        accuracy,
        tuple(worded_diagnostic(each, fits.modality, dataset.spatial) for each in diagnostics),
        calibration,
        curves,
        attribute(trained, dataset.tests[HOME], fits.modality, shown) if trained and attributed else (),
        tuple(map(float, model.outcomes.scores)),
        tuple(tuple(map(float, row)) for row in probabilities(answers[HOME])),
        correct,
        {
            name: confused(dataset.tests[name].labels, given.argmax(axis=1), len(dataset.train.classes))
            for name, given in answers.items()
        },
    )


def _model_under_test(fits: ModalityFits, predict: Predict, answers: Float) -> ModelUnderTest:
    patches, values = fits.dataset.tests[HOME], fits.values(HOME)
    scores = fits.score.of(mean_spectra(values))
    plain = fits.plain["score"](values).argmax(axis=1)
    outcomes = weighted_outcomes(answers, patches.labels, scores, plain, patches.groups, fits.depth.draws, fits.seed)
    training = images(fits.dataset.train, fits.modality)
    names = channels(patches, fits.modality)[0]
    return ModelUnderTest(
        outcomes,
        predict,
        values,
        training,
        fits.score,
        fits.centre,
        fits.noise,
        names,
        fits.seed,
        fits.normalisation,
        band_axis(technique_of(patches)).position,
    )


def _diagnostics(
    fits: ModalityFits, model: ModelUnderTest, trained: TrainedModel | None, *, network: bool
) -> Sequence[tuple[str, Callable[[], Diagnostic]]]:
    """Return name and function of each diagnostic that the data and the depth allow."""
    outcomes = model.outcomes
    plain = {KNOWN[name].title: _classes(predict, model.values) for name, predict in fits.plain.items()}
    chosen: list[tuple[str, Callable[[], Diagnostic]]] = [
        ("D0 anything learnt", lambda: learnt(outcomes)),
        ("D1 rank", lambda: logits.rank(outcomes, trained.features(model.values) if trained else None)),
        ("D2 one component", lambda: logits.one_component(outcomes)),
        ("D3 one number", lambda: one_number.one_number(outcomes)),
        ("D4 swapped scores", lambda: swap.swap_score(model)),
        ("D10 agreement", lambda: logits.agreement(outcomes)),
    ]
    if fits.depth.few:
        chosen.append(("D3k few numbers", lambda: few_numbers(model, fits.scores)))
    if trained is not None or network:
        chosen.append(("D11 gain", lambda: capacity.gain_over_plain(outcomes, plain)))
    if model.spatial:
        chosen += [
            ("D4n noise floor", lambda: swap.swap_noise(model)),
            ("D5 shuffled pixels", lambda: ablation.shuffle_pixels(model)),
            ("D6 no mean", lambda: ablation.remove_mean(model)),
            ("hidden structures", lambda: ablation.hide_structures(model)),
        ]
    if fits.modality == "ir" and fits.depth.bands:
        few = model.some(BAND_PATCHES)
        chosen += [
            ("D7 fewest bands", lambda: band_importance.minimal_bands(few)),
            ("D9 single bands", lambda: band_importance.occlude_bands(few)),
        ]
    return chosen


def _classes(predict: Predict, values: Float) -> Ints:
    return np.asarray(predict(values).argmax(axis=1), np.int64)


def _last_layer(fits: ModalityFits, trained: TrainedModel | None, answers: Mapping[str, Float]) -> Diagnostic:
    dataset = fits.dataset
    if trained is None or dataset.balanced is None or CONFLICT not in answers:
        return capacity.unmeasured_gap()
    balanced = (trained.features(images(dataset.balanced, fits.modality)), dataset.balanced.labels)
    conflict = (trained.features(fits.values(CONFLICT)), dataset.tests[CONFLICT].labels)
    return capacity.last_layer_gap(balanced, conflict, answers[CONFLICT], fits.weights(CONFLICT))


def _abstention(
    fits: ModalityFits,
    model: ModelUnderTest,
    trained: TrainedModel | None,
    answers: Mapping[str, Float],
    curves: Sequence[Corrupted],
) -> Diagnostic:
    """Return D17 on the test sets and the home set under the physical corruption that costs most."""
    tests = fits.dataset.tests
    values, labels = {name: fits.values(name) for name in tests}, {name: each.labels for name, each in tests.items()}
    logits = {name: each.astype(np.float64) for name, each in answers.items()}
    worst = shift.worst_corruption(curves)
    if worst:
        positions = channels(fits.dataset.train, fits.modality)[1]
        values[worst] = model.normalisation.restore(shift.corrupted(model, worst, positions, MILD))
        logits[worst], labels[worst] = model.logits_of(values[worst]), labels[HOME]
    if trained is None:
        return abstention(logits, labels)
    train = fits.dataset.train
    some = np.random.default_rng(fits.seed).permutation(len(train))[:SHIFT_PATCHES]
    known = trained.features(images(train, fits.modality)[some])
    features = {name: distances(known, train.labels[some], trained.features(each)) for name, each in values.items()}
    return abstention(logits, labels, features)
