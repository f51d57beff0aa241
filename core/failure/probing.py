"""Every probe of one trained network, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.failure.data.modality import channels, images, spectra
from core.failure.data.parts import CONFLICT, HOME, Study
from core.failure.diagnostics import bands, dependence, gain, logits, shift, space, swap
from core.failure.diagnostics.attribution import attribute
from core.failure.diagnostics.calibration import probabilities, reliability, rise
from core.failure.diagnostics.probe import Examined, outcomes
from core.failure.models.fitted import Fitted
from core.failure.models.shallow import PLAIN, Predict
from core.failure.results import Attribution, Corrupted, Diagnostic, Reliability
from core.measure.bootstrap import draw_weights, interval, mean
from core.measure.intervals import Interval
from core.spectra.noise import noise_of
from core.spectra.score import Score, fit_score

Float = NDArray[np.float32]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ASKED_OFTEN = 200
"""Patches for the probes that ask a model dozens of times: single bands and corruptions."""


@dataclass(frozen=True)
class Depth:
    """How much to ask. draws: of the bootstrap; severities: of each corruption; bands: also band by band."""

    draws: int = 1000
    severities: tuple[int, ...] = (1, 2, 3, 4, 5)
    bands: bool = True


@dataclass(frozen=True, eq=False)
class Ground:
    """What all models of one modality share: plain classifiers, the score, the noise."""

    study: Study
    modality: str
    score: Score
    noise: Floats
    centre: Floats
    plain: Mapping[str, Predict]
    depth: Depth
    seed: int

    def weights(self, name: str) -> Floats:
        """Return the bootstrap weights of a test set."""
        patches = self.study.tests[name]
        return draw_weights(len(patches), patches.groups, self.depth.draws, self.seed)

    def values(self, name: str) -> Float:
        """Return the raw patches of a test set."""
        return images(self.study.tests[name], self.modality)


def prepare(study: Study, modality: str, depth: Depth, seed: int) -> Ground:
    """Fit what the probes of ``modality`` compare with."""
    values = images(study.train, modality)
    means = spectra(values)
    labels, classes = study.train.labels, len(study.train.classes)
    plain = {each.name: each.fit(values, labels, classes) for each in PLAIN if study.spatial or each.name != "moments"}
    return Ground(
        study,
        modality,
        fit_score(means, labels),
        noise_of(values),
        means.mean(axis=0, dtype=np.float64),
        plain,
        depth,
        seed,
    )


@dataclass(frozen=True)
class Found:
    """What the probes of one model found. right: of each test set, 1 for each patch that it got right, (N,)."""

    accuracy: dict[str, Interval]
    diagnostics: tuple[Diagnostic, ...]
    calibration: tuple[Reliability, ...]
    corruptions: tuple[Corrupted, ...]
    attributions: tuple[Attribution, ...]
    score: tuple[float, ...]
    probabilities: tuple[tuple[float, ...], ...]
    right: dict[str, Floats]


def accuracies(ground: Ground, predict: Predict) -> dict[str, Interval]:
    """Return the accuracy on each test set."""
    found = {}
    for name, patches in ground.study.tests.items():
        right = predict(ground.values(name)).argmax(axis=1) == patches.labels
        found[name] = interval(mean(right, ground.weights(name)))
    return found


def examine(ground: Ground, predict: Predict, fitted: Fitted | None, chosen: Ints) -> Generator[str, None, Found]:
    """Run every probe that the data allow, yielding the name of each before it starts.

    predict: raw patches -> logits. fitted: the network behind it, None for a plain classifier. chosen: patches whose
    pixels are attributed.
    """
    study = ground.study
    yield "accuracy"
    answers = {name: predict(ground.values(name)) for name in study.tests}
    examined = _examined(ground, predict, answers[HOME])
    diagnostics: list[Diagnostic] = []
    for title, probe in _probes(ground, examined, fitted):
        yield title
        diagnostics.append(probe())
    yield "corruptions"
    curves = yield from shift.curves(
        _some(examined), ground.modality, channels(study.train, ground.modality)[1], ground.depth.severities
    )
    weights = {name: ground.weights(name) for name in answers}
    calibration = tuple(
        reliability(name, given, study.tests[name].labels, weights[name]) for name, given in answers.items()
    )
    right = {
        name: (given.argmax(axis=1) == study.tests[name].labels).astype(np.float64) for name, given in answers.items()
    }
    accuracy = {name: interval(mean(each, weights[name])) for name, each in right.items()}
    diagnostics.append(shift.worst_drop(curves, accuracy))
    diagnostics.append(rise(shift.errors(curves, {each.name: each.ece for each in calibration})))
    diagnostics.append(_last_layer(ground, fitted, answers))
    yield "attribution"
    shown = (
        attribute(fitted, study.tests[HOME], ground.modality, chosen)
        if fitted and study.spatial and len(chosen)
        else ()
    )
    scores, chance = examined.outcomes.scores, probabilities(answers[HOME])
    return Found(
        accuracy,
        tuple(diagnostics),
        calibration,
        curves,
        shown,
        tuple(map(float, scores)),
        tuple(tuple(map(float, row)) for row in chance),
        right,
    )


def _examined(ground: Ground, predict: Predict, answers: Float) -> Examined:
    patches, values = ground.study.tests[HOME], ground.values(HOME)
    scores = ground.score.of(spectra(values))
    plain = ground.plain["score"](values).argmax(axis=1)
    asked = outcomes(answers, patches.labels, scores, plain, patches.groups, ground.depth.draws, ground.seed)
    training = images(ground.study.train, ground.modality)
    names = channels(patches, ground.modality)[0]
    return Examined(asked, predict, values, training, ground.score, ground.centre, ground.noise, names, ground.seed)


def _probes(
    ground: Ground, examined: Examined, fitted: Fitted | None
) -> Sequence[tuple[str, Callable[[], Diagnostic]]]:
    """Return name and function of each probe that the data and the depth allow."""
    asked = examined.outcomes
    plain = {name: _classes(predict, examined.values) for name, predict in ground.plain.items()}
    probes: list[tuple[str, Callable[[], Diagnostic]]] = [
        ("D1 rank", lambda: logits.rank(asked, fitted.features(examined.values) if fitted else None)),
        ("D2 one component", lambda: logits.one_component(asked)),
        ("D3 one number", lambda: dependence.one_number(asked)),
        ("D4 swapped scores", lambda: swap.swap_score(examined)),
        ("D10 agreement", lambda: logits.agreement(asked)),
    ]
    if fitted is not None:
        probes.append(("D11 gain", lambda: gain.over_plain(asked, plain)))
    if examined.images:
        probes += [
            ("D4n noise floor", lambda: swap.swap_noise(examined)),
            ("D5 shuffled pixels", lambda: space.shuffle_pixels(examined)),
            ("D6 no mean", lambda: space.remove_mean(examined)),
            ("hidden structures", lambda: space.hide_structures(examined)),
        ]
    if ground.modality == "ir" and ground.depth.bands:
        few = _some(examined)
        probes += [
            ("D7 fewest bands", lambda: bands.minimal_bands(few)),
            ("D9 single bands", lambda: bands.occlude_bands(few)),
        ]
    return probes


def _classes(predict: Predict, values: Float) -> Ints:
    return np.asarray(predict(values).argmax(axis=1), np.int64)


def _some(examined: Examined) -> Examined:
    """Return the same model asked about the first patches alone; their order is random already."""
    whole = examined.outcomes
    if len(whole.labels) <= ASKED_OFTEN:
        return examined
    rows = slice(0, ASKED_OFTEN)
    few = type(whole)(
        whole.logits[rows], whole.labels[rows], whole.scores[rows], whole.plain[rows], whole.weights[:, rows]
    )
    return Examined(
        few,
        examined.predict,
        examined.values[rows],
        examined.training,
        examined.score,
        examined.centre,
        examined.noise,
        examined.names,
        examined.seed,
    )


def _last_layer(ground: Ground, fitted: Fitted | None, answers: Mapping[str, Float]) -> Diagnostic:
    study = ground.study
    if fitted is None or study.balanced is None or CONFLICT not in answers:
        return gain.unmeasured_gap()
    balanced = (fitted.features(images(study.balanced, ground.modality)), study.balanced.labels)
    conflict = (fitted.features(ground.values(CONFLICT)), study.tests[CONFLICT].labels)
    return gain.last_layer_gap(balanced, conflict, answers[CONFLICT], ground.weights(CONFLICT))
