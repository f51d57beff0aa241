"""Accuracy without the form of the tissue (D5), without its mean spectrum (D6), and with structures hidden (R)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.failure.diagnostics.model_under_test import Float, ModelUnderTest, above_chance
from core.failure.diagnostics.one_number import linear_r2
from core.failure.results import Diagnostic, Line
from core.failure.thresholds import SHUFFLE
from core.measure.bootstrap import interval, mean, ratio

Floats = NDArray[np.float64]

HIDDEN = (0.1, 0.3, 0.5)
"""Shares of the pixels that are hidden, the most prominent first."""
LEADING = 1


def shuffle_pixels(model: ModelUnderTest) -> Diagnostic:
    """Return D5: (acc(pixels in random order, all bands together) - c) / (acc - c); 1 keeps all, 0 is chance c, the
    share of the commonest class.

    logits: adjusted R2 of the logits by a linear function of those of the shuffled patch. A network that still sees the
    mean or the noise of shuffled pixels may put all into one class, as they look like fine texture: its accuracy is
    then chance, and its logits still follow.
    """
    rng = model.rng("pixels")
    count, channels = model.values.shape[:2]
    flat = model.values.reshape(count, channels, -1)
    order = rng.permuted(np.tile(np.arange(flat.shape[2]), (count, 1)), axis=1)
    mixed = np.take_along_axis(flat, order[:, None, :], axis=2).reshape(model.values.shape)
    outcomes = model.outcomes
    logits = model.logits_of(mixed)
    accuracy = mean((logits.argmax(axis=1) == outcomes.labels).astype(np.float64), outcomes.weights)
    kept = above_chance(accuracy, outcomes.accuracy, outcomes.chance)
    why = f"Decides by the logits, from {SHUFFLE:.2f}: so much of them the model has without the form of the tissue."
    return Diagnostic(
        "D5",
        "shuffle",
        "Accuracy kept when the pixels of each patch are shuffled",
        interval(kept),
        True,
        why,
        {"accuracy": interval(accuracy), "logits": interval(linear_r2(outcomes.logits, logits, outcomes.weights))},
    )


def remove_mean(model: ModelUnderTest) -> Diagnostic:
    """Return D6: accuracy with the mean spectrum of each patch replaced by that of the training set, over accuracy."""
    means = model.values.mean(axis=(2, 3), keepdims=True)
    centred = model.values - means + model.centre[None, :, None, None].astype(np.float32)
    correct = (model.classes_of(centred) == model.outcomes.labels).astype(np.float64)
    why = "Not used for the verdict: it falls for any model that has not been taught to do without the mean."
    return Diagnostic(
        "D6",
        "mean",
        "Accuracy kept without the mean spectrum of the patch",
        interval(ratio(correct, model.outcomes.correct, model.outcomes.weights)),
        False,
        why,
        {"accuracy": interval(mean(correct, model.outcomes.weights))},
    )


def hide_structures(model: ModelUnderTest) -> Diagnostic:
    """Return the share of the accuracy above chance that is kept with the 30 % most prominent pixels of each patch
    replaced by the mean spectrum of its others."""
    prominence = prominence_of(model.values, model.noise)
    accuracies = [_accuracy(model, hide(model.values, prominence, share)) for share in HIDDEN]
    kept = above_chance(accuracies[LEADING], model.outcomes.accuracy, model.outcomes.chance)
    why = "Not used for the verdict: what is interesting is guessed from contrast; where much is kept, look at why."
    line = Line(
        "accuracy",
        (0.0, *HIDDEN),
        (float(model.outcomes.accuracy[0]), *(float(a[0]) for a in accuracies)),
        "share of pixels hidden",
        "accuracy",
    )
    return Diagnostic(
        "R",
        "hidden",
        "Accuracy kept with the tissue of interest hidden",
        interval(kept),
        False,
        why,
        {"accuracy": interval(accuracies[LEADING])},
        (line,),
    )


def prominence_of(values: Float, noise: Floats) -> Floats:
    """Return the prominence (N, H, W) of each pixel of ``values`` (N, C, H, W): its distance from the patch's mean
    spectrum in units of the noise, root mean square over channels, smoothed over 3 x 3 pixels."""
    from scipy import ndimage

    away = (values - values.mean(axis=(2, 3), keepdims=True)) / noise[None, :, None, None]
    return np.asarray(ndimage.uniform_filter(np.sqrt((away**2).mean(axis=1)), (0, 3, 3), mode="nearest"), np.float64)


def hide(values: Float, prominence: Floats, share: float) -> Float:
    """Return ``values`` with the ``share`` of pixels of highest ``prominence`` replaced by the mean of the others."""
    limit = np.quantile(prominence, 1 - share, axis=(1, 2), keepdims=True)
    hidden = (prominence >= limit)[:, None]
    shown = np.where(hidden, 0, values).sum(axis=(2, 3), keepdims=True) / np.maximum(
        (~hidden).sum(axis=(2, 3), keepdims=True), 1
    )
    return np.asarray(np.where(hidden, shown, values), np.float32)


def _accuracy(model: ModelUnderTest, values: Float) -> Floats:
    correct = (model.classes_of(values) == model.outcomes.labels).astype(np.float64)
    return mean(correct, model.outcomes.weights)
