"""Answers that follow a quantity swapped in from another patch: the score (D4), the gain, the noise floor (D4n)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.failure.diagnostics.model_under_test import Float, Ints, ModelUnderTest
from core.failure.results import Diagnostic
from core.failure.thresholds import NOISE, SWAP
from core.measure.bootstrap import interval, ratio
from core.measure.intervals import Interval
from core.spectra.noise import noise_of_each

Floats = NDArray[np.float64]

NOISE_TIMES = 2.0
MOST_NOISE = 6.0
TRIES = 20


@dataclass(frozen=True, eq=False)
class Pairs:
    """Patches and their donors, whose class differs: numbers of the patches (P,) and of the donors (P,)."""

    patches: Ints
    donors: Ints


def draw_pairs(classes: Ints, rng: np.random.Generator, allowed: NDArray[np.bool_] | None = None) -> Pairs:
    """Return one donor of another class for each patch that has one.

    classes: (N,). allowed: (N, N), whether column may donate to row.
    """
    patches, donors = [], []
    for patch, own in enumerate(classes):
        fits = classes != own
        if allowed is not None:
            fits &= allowed[patch]
        others = np.flatnonzero(fits)
        if others.size:
            patches.append(patch)
            donors.append(int(rng.choice(others)))
    return Pairs(np.array(patches, np.int64), np.array(donors, np.int64))


def swap_score(model: ModelUnderTest) -> Diagnostic:
    """Return D4: how often the answer becomes the donor's when X' = X + (s_j - s_i) v in every pixel.

    rest: how often it stays; else: becomes a third class. gain: the same share when the mean absorbance is exchanged
    instead, X' = X g_j / g_i, with the same noise in both.
    """
    classes = model.outcomes.predicted
    pairs = draw_pairs(classes, model.rng("score"))
    scores = model.outcomes.scores
    change = (scores[pairs.donors] - scores[pairs.patches])[:, None] * model.score.pattern
    swapped = model.values[pairs.patches] + change[:, :, None, None].astype(np.float32)
    followed, stayed = _outcome(model, pairs, classes, swapped)
    gain = _swap_gain(model)
    found = {"rest": stayed, "else": Interval(1 - followed.value - stayed.value), "gain": gain}
    why = f"Decides: from {SWAP:.2f} the answer follows one number of the mean spectrum."
    return Diagnostic("D4", "swap", "Answers that follow a swapped score", followed, True, why, found)


def swap_noise(model: ModelUnderTest) -> Diagnostic:
    """Return D4n: how often the answer becomes the donor's when noise is added until a patch has the signal-to-noise
    ratio of a noisier donor; less how often it becomes any one other wrong class (K > 2).

    It detects a model that reads density, or the detector, off the noise, which a swap of scores cannot.
    """
    gains, levels = _gains(model.values), noise_of_each(model.values, model.noise)
    floor = levels / gains
    classes = model.outcomes.predicted
    noisier = (floor[None, :] > 1.05 * floor[:, None]) & (floor[None, :] < MOST_NOISE * floor[:, None])
    rng = model.rng("noise")
    pairs = draw_pairs(classes, rng, noisier)
    why = (
        f"Decides amber: from {NOISE:.2f} the answer follows the noise, "
        "which belongs to the detector and the thickness."
    )
    title = "Answers that follow a swapped noise floor"
    if len(pairs.patches) < TRIES:
        return Diagnostic("D4n", "noise_floor", title, Interval(float("nan")), True, "Too few pairs to try.")
    wanted = floor[pairs.donors] * gains[pairs.patches]
    lacking = np.sqrt(np.maximum(wanted**2 - levels[pairs.patches] ** 2, 0))
    values = model.values[pairs.patches]
    noise = rng.standard_normal(values.shape, dtype=np.float32) * model.noise[None, :, None, None]
    swapped = values + (noise * lacking[:, None, None, None]).astype(np.float32)
    answers = model.classes_of(swapped)
    given, own = classes[pairs.donors], classes[pairs.patches]
    others = max(1, model.outcomes.classes - 2)
    elsewhere = ((answers != given) & (answers != own)) / others
    follows = (answers == given).astype(np.float64)
    weights = model.outcomes.weights[:, pairs.patches]
    ones = np.ones(len(answers))
    chance = elsewhere if model.outcomes.classes > 2 else 0 * ones
    return Diagnostic(
        "D4n",
        "noise_floor",
        title,
        interval(ratio(follows - chance, ones, weights)),
        True,
        why,
        {"follows": interval(ratio(follows, ones, weights)), "changed": interval(ratio(answers != own, ones, weights))},
    )


def _swap_gain(model: ModelUnderTest) -> Interval:
    """Return how often the answer follows when a patch takes the mean absorbance of another, noise equal in both."""
    rng = model.rng("gain")
    ones = np.ones(len(model.values))
    base = _equalised(model.values, ones, model.noise, rng)
    classes = model.classes_of(base)
    gains = _gains(model.values)
    factors = gains[None, :] / gains[:, None]
    pairs = draw_pairs(classes, rng, (factors < NOISE_TIMES) & (factors > 1 / NOISE_TIMES))
    chosen = factors[pairs.patches, pairs.donors]
    swapped = _equalised(model.values[pairs.patches], chosen, model.noise, rng)
    return _outcome(model, pairs, classes, swapped)[0]


def _equalised(values: Float, factors: Floats, noise: Floats, rng: np.random.Generator) -> Float:
    """Return t (X + sigma sqrt((2/t)^2 - 1) n), noise 2 sigma for every t (N,) up to 2."""
    lacking = np.sqrt(np.maximum((NOISE_TIMES / factors) ** 2 - 1, 0))[:, None, None, None]
    drawn = rng.standard_normal(values.shape, dtype=np.float32) * noise[None, :, None, None]
    return np.asarray(factors[:, None, None, None] * (values + lacking * drawn), np.float32)


def _outcome(model: ModelUnderTest, pairs: Pairs, classes: Ints, swapped: Float) -> tuple[Interval, Interval]:
    """Return how often the answers on ``swapped`` are the donor's, and how often they stay."""
    if not len(pairs.patches):
        # one class for every patch has no donors
        return Interval(0.0), Interval(1.0)
    answers = model.classes_of(swapped)
    weights = model.outcomes.weights[:, pairs.patches]
    ones = np.ones(len(answers))
    return (
        interval(ratio(answers == classes[pairs.donors], ones, weights)),
        interval(ratio(answers == classes[pairs.patches], ones, weights)),
    )


def _gains(values: Float) -> Floats:
    return np.asarray(np.maximum(np.abs(values.mean(axis=(1, 2, 3), dtype=np.float64)), 1e-3))
