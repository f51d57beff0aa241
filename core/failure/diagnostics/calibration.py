"""Whether a model knows when it is wrong (D13)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.failure.results import Diagnostic, Reliability
from core.measure.bootstrap import interval, mean
from core.measure.intervals import Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BINS = 15


def probabilities(logits: NDArray[np.floating]) -> Floats:
    """Return the softmax of ``logits`` (N, K)."""
    shifted = np.asarray(logits, np.float64) - logits.max(axis=1, keepdims=True)
    powers = np.exp(shifted)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def expected_error(confidence: Floats, right: Floats, weights: Floats) -> Floats:
    """Return the expected calibration error sum_b share_b |accuracy_b - confidence_b| over 15 equal bins, for each
    row of ``weights`` (R, N) (Guo et al. 2017)."""
    members = np.eye(BINS)[_bins(confidence)]
    apart = weights @ (members * (right - confidence)[:, None])
    return np.asarray(np.abs(apart).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-12))


def reliability(name: str, logits: NDArray[np.floating], labels: Ints, weights: Floats) -> Reliability:
    """Return calibration error, Brier score, negative log-likelihood and the reliability diagram of one set."""
    chance = probabilities(logits)
    confidence = chance.max(axis=1)
    right = (chance.argmax(axis=1) == labels).astype(np.float64)
    brier = ((chance - np.eye(chance.shape[1])[labels]) ** 2).sum(axis=1)
    nll = -np.log(np.maximum(chance[np.arange(len(labels)), labels], 1e-12))
    bins = _bins(confidence)
    held = [number for number in range(BINS) if (bins == number).any()]
    return Reliability(
        name,
        interval(expected_error(confidence, right, weights)),
        interval(mean(brier, weights)),
        interval(mean(nll, weights)),
        tuple(float(confidence[bins == number].mean()) for number in held),
        tuple(float(right[bins == number].mean()) for number in held),
        tuple(float((bins == number).mean()) for number in held),
    )


def rise(curves: dict[str, Interval], home: str = "id") -> Diagnostic:
    """D13: the largest rise of the calibration error from the set ``home`` to any shift of ``curves``."""
    away = {name: figure.value for name, figure in curves.items() if name != home}
    worst = max(away, key=lambda name: away[name], default="")
    why = "Decides amber: from 0.10 the model is sure of itself where it is wrong."
    found = Interval(away[worst] - curves[home].value) if worst else Interval(float("nan"))
    return Diagnostic(
        "D13", "calibration", f"Rise of the calibration error, {worst or 'no shift'}", found, True, why, dict(curves)
    )


def _bins(confidence: Floats) -> Ints:
    return np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
