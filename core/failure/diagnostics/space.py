"""What is left when the form of the tissue, or its mean spectrum, is taken away: D5, D6 and hidden structures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.failure.diagnostics.dependence import told
from core.failure.diagnostics.probe import Examined, Float, above_chance
from core.failure.results import Diagnostic, Line
from core.measure.bootstrap import interval, mean, ratio

Floats = NDArray[np.float64]

HIDDEN = (0.1, 0.3, 0.5)
"""Shares of the pixels that are hidden, those that stand out most first."""
LEADING = 1


def shuffle_pixels(examined: Examined) -> Diagnostic:
    """D5: kappa = (acc(pixels in random order, all bands together) - c) / (acc - c): 1 keeps all, 0 chance.

    logits: share of the logits that those of the shuffled patch tell, read linearly. A network that still sees the mean
    or the noise of shuffled pixels may call all of them one class, for they look like fine texture; its accuracy is
    then chance, and its logits are not.
    """
    rng = examined.rng("pixels")
    count, channels = examined.values.shape[:2]
    flat = examined.values.reshape(count, channels, -1)
    order = rng.permuted(np.tile(np.arange(flat.shape[2]), (count, 1)), axis=1)
    mixed = np.take_along_axis(flat, order[:, None, :], axis=2).reshape(examined.values.shape)
    outcomes = examined.outcomes
    logits = examined.ask(mixed)
    accuracy = mean((logits.argmax(axis=1) == outcomes.labels).astype(np.float64), outcomes.weights)
    kept = above_chance(accuracy, outcomes.accuracy, outcomes.classes)
    why = "Decides by the logits, from 0.45: so much of them the model has without the form of the tissue."
    return Diagnostic(
        "D5",
        "shuffle",
        "Accuracy kept when the pixels of each patch are shuffled",
        interval(kept),
        True,
        why,
        {"accuracy": interval(accuracy), "logits": interval(told(outcomes.logits, logits, outcomes.weights))},
    )


def remove_mean(examined: Examined) -> Diagnostic:
    """D6: accuracy with the mean spectrum of each patch replaced by that of the training set, over accuracy."""
    means = examined.values.mean(axis=(2, 3), keepdims=True)
    centred = examined.values - means + examined.centre[None, :, None, None].astype(np.float32)
    right = (examined.classes_of(centred) == examined.outcomes.labels).astype(np.float64)
    why = "Not used for the verdict: it falls for any model that has not been taught to do without the mean."
    return Diagnostic(
        "D6",
        "mean",
        "Accuracy kept without the mean spectrum of the patch",
        interval(ratio(right, examined.outcomes.right, examined.outcomes.weights)),
        False,
        why,
        {"accuracy": interval(mean(right, examined.outcomes.weights))},
    )


def hide_structures(examined: Examined) -> Diagnostic:
    """Accuracy with the tissue of interest hidden: the pixels that stand out most from their patch are painted with
    the mean spectrum of the others. The figure: share of the accuracy above chance that is kept at 30 %."""
    prominence = stand_out(examined.values, examined.noise)
    accuracies = [_accuracy(examined, hide(examined.values, prominence, share)) for share in HIDDEN]
    kept = above_chance(accuracies[LEADING], examined.outcomes.accuracy, examined.outcomes.classes)
    why = "Not used for the verdict: what is interesting is guessed from contrast; where much is kept, look at why."
    line = Line(
        "accuracy",
        (0.0, *HIDDEN),
        (float(examined.outcomes.accuracy[0]), *(float(a[0]) for a in accuracies)),
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


def stand_out(values: Float, noise: Floats) -> Floats:
    """Return (N, H, W): how far each pixel of ``values`` (N, C, H, W) is from its patch's mean spectrum, in units of
    the noise, root mean square over channels and smoothed over 3 x 3 pixels."""
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


def _accuracy(examined: Examined, values: Float) -> Floats:
    right = (examined.classes_of(values) == examined.outcomes.labels).astype(np.float64)
    return mean(right, examined.outcomes.weights)
