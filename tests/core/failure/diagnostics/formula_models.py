"""Models made of a formula, to ask what probes must say of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.failure.diagnostics.model_under_test import ModelUnderTest, weighted_outcomes
from core.spectra.noise import noise_of
from core.spectra.score import fit_score
from core.spectra.simulated_tissue import simulate

Float = NDArray[np.float32]

TRAIN, TEST = simulate("density", 200, 90), simulate("density", 300, 91)
SCORE = fit_score(TRAIN.spectra(), TRAIN.labels)
# classes are intervals of the score, so that its logits bend along a curve
PLACES = np.quantile(SCORE.of(TRAIN.spectra()), (0.125, 0.375, 0.625, 0.875))


def by_score(values: Float) -> Float:
    """A model of one number of the mean spectrum and of nothing else."""
    scores = SCORE.of(values.mean(axis=(2, 3)))
    return np.asarray(-((scores[:, None] - PLACES) ** 2), np.float32)


def by_form(values: Float) -> Float:
    """A model that looks at form alone: relative contrast along the first axis, and along the second."""
    picture: Float = values[:, 10] - values[:, 10].mean(axis=(1, 2), keepdims=True)
    picture = picture / picture.std(axis=(1, 2), keepdims=True)
    steps = [np.abs(np.diff(picture, 2, axis=axis)).mean(axis=(1, 2)) for axis in (1, 2)]
    corner = picture[:, ::2, ::2].std(axis=(1, 2))
    found = np.stack([steps[0], steps[1], corner, (picture**3).mean(axis=(1, 2))], axis=1)
    return np.asarray(10 * (found - FORM_CENTRE) / FORM_SPREAD, np.float32)


FORM_CENTRE, FORM_SPREAD = np.zeros(4), np.ones(4)
_raw = by_form(TRAIN.ir) / 10
FORM_CENTRE, FORM_SPREAD = _raw.mean(axis=0), _raw.std(axis=0)


def by_floor(values: Float) -> Float:
    """A model of the noise beside the contrast of the tissue: what is left when mean and deviation are taken away."""
    level = (np.log(_floor(values)) - FLOOR_CENTRE) / FLOOR_SPREAD
    return np.asarray(-((level[:, None] - np.array([-1.2, -0.4, 0.4, 1.2])) ** 2), np.float32)


def _floor(values: Float) -> Float:
    rough = np.diff(np.diff(values, 2, axis=3), 2, axis=2).std(axis=(2, 3))
    return np.asarray((rough / values.std(axis=(2, 3))).mean(axis=1))


FLOOR_CENTRE, FLOOR_SPREAD = float(np.log(_floor(TRAIN.ir)).mean()), float(np.log(_floor(TRAIN.ir)).std())


def mean_spectrum(values: Float) -> Float:
    """A linear model of the mean spectrum that is right as often as such a model can be."""
    from core.failure.models.plain_classifiers import Labelled, fit_all_bands

    return fit_all_bands(Labelled(TRAIN.ir, TRAIN.labels, 4, tuple(TRAIN.wavenumbers)))(values)


def under_test(predict: Callable[[Float], Float], draws: int = 40) -> ModelUnderTest:
    """Return what probes are given of ``predict``."""
    scores = SCORE.of(TEST.spectra())
    plain = by_score(TEST.ir).argmax(axis=1)
    answers = weighted_outcomes(predict(TEST.ir), TEST.labels, scores, plain, TEST.groups, draws)
    names = [f"{each:.0f}" for each in TEST.wavenumbers]
    centre = TRAIN.spectra().mean(axis=0, dtype=np.float64)
    return ModelUnderTest(answers, predict, TEST.ir, TRAIN.ir, SCORE, centre, noise_of(TRAIN.ir), names)
