"""Calibration of a model's probabilities, and its loss under shifts (D13)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.failure.corruptions.shift_words import title_of
from core.failure.results import Diagnostic, Reliability
from core.failure.thresholds import RISE
from core.measure.bootstrap import interval, mean
from core.measure.intervals import Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BINS = 15


def probabilities(logits: NDArray[np.floating]) -> Floats:
    """Return the softmax of ``logits`` (N, K): (N, K).

    >>> probabilities(np.array([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """
    shifted = np.asarray(logits, np.float64) - logits.max(axis=1, keepdims=True)
    powers = np.exp(shifted)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def expected_error(confidence: Floats, correct: Floats, weights: Floats) -> Floats:
    """Return the expected calibration error sum_b share_b |accuracy_b - confidence_b| over 15 equal bins (Guo et al.
    2017, arXiv:1706.04599), for each row of ``weights`` (R, N): (R,).

    confidence: (N,) largest probability; correct: (N,) 1 or 0.
    """
    members = np.eye(BINS)[_bins(confidence)]
    apart = weights @ (members * (correct - confidence)[:, None])
    return np.asarray(np.abs(apart).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-12))


def reliability(name: str, logits: NDArray[np.floating], labels: Ints, weights: Floats) -> Reliability:
    """Return calibration error, Brier score, negative log-likelihood and the reliability diagram of one set."""
    predicted = probabilities(logits)
    confidence = predicted.max(axis=1)
    correct = (predicted.argmax(axis=1) == labels).astype(np.float64)
    brier = ((predicted - np.eye(predicted.shape[1])[labels]) ** 2).sum(axis=1)
    nll = -np.log(np.maximum(predicted[np.arange(len(labels)), labels], 1e-12))
    bins = _bins(confidence)
    held = [number for number in range(BINS) if (bins == number).any()]
    return Reliability(
        name,
        interval(expected_error(confidence, correct, weights)),
        interval(mean(brier, weights)),
        interval(mean(nll, weights)),
        tuple(float(confidence[bins == number].mean()) for number in held),
        tuple(float(correct[bins == number].mean()) for number in held),
        tuple(float((bins == number).mean()) for number in held),
    )


def calibration_rise(curves: dict[str, Interval], home: str = "id") -> Diagnostic:
    """Return D13: the largest rise of the calibration error from the set ``home`` to any shift of ``curves``.

    curves: name of a set or a corruption -> calibration error.
    """
    away = {name: figure.value for name, figure in curves.items() if name != home}
    worst = max(away, key=lambda name: away[name], default="")
    why = f"Decides amber: from {RISE:.2f} the model is sure of itself where it is wrong."
    named = title_of(worst).lower() if worst else "no shift"
    found = Interval(away[worst] - curves[home].value) if worst else Interval(float("nan"))
    return Diagnostic("D13", "calibration", f"Rise of the calibration error: {named}", found, True, why, dict(curves))


def _bins(confidence: Floats) -> Ints:
    return np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
