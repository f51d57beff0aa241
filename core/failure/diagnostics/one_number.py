"""The share of the logits that one number of the mean spectrum explains, along any curve (D3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.failure.diagnostics.model_under_test import Outcomes
from core.failure.results import Diagnostic, Line
from core.failure.thresholds import WITHIN
from core.measure.bootstrap import interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BINS = 20
CLASS_BINS = 6
# patches for each number that is fitted to them
FEWEST = 3


def quantile_bins(scores: Floats, count: int) -> Ints:
    """Return the bin, 0 to ``count`` - 1, of each of ``scores`` (N,): equal numbers in each."""
    order = np.argsort(np.argsort(scores, kind="stable"), kind="stable")
    return np.asarray(order * count // max(1, len(scores)), np.int64)


def binned_r2(values: Floats, bins: Ints, weights: Floats) -> Floats:
    """Return R2 = 1 - sum_b sum_(i in b) |z_i - mean_b|^2 / sum_i |z_i - mean|^2, (R,) for each row of
    ``weights`` (R, N).

    values: (N, D); bins: (N,) from 0.

    >>> binned_r2(np.array([[0.0], [1.0], [4.0], [5.0]]), np.array([0, 0, 1, 1]), np.ones((1, 4))).round(3).tolist()
    [0.941]
    """
    within = _scatter(values, bins, weights)
    return _share(within, _scatter(values, np.zeros(len(bins), np.int64), weights))


def linear_r2(values: Floats, by: Floats, weights: Floats) -> Floats:
    """Return the adjusted R2 of ``values`` (N, D) by a linear function of ``by`` (N, P), for each row of ``weights``
    (R, N): (R,); nan for fewer than three patches for each coefficient."""
    count, numbers = len(by), by.shape[1] + 1
    if count < FEWEST * numbers:
        return np.full(len(weights), np.nan)
    known = np.column_stack([np.ones(count), by])
    squares = (weights @ (known[:, :, None] * known[:, None, :]).reshape(count, -1)).reshape(-1, numbers, numbers)
    shared = (weights @ (known[:, :, None] * values[:, None, :]).reshape(count, -1)).reshape(len(weights), numbers, -1)
    explained = (shared * (np.linalg.pinv(squares, rcond=1e-9, hermitian=True) @ shared)).sum(axis=(1, 2))
    left = weights @ (values**2).sum(axis=1) - explained
    total = _scatter(values, np.zeros(count, np.int64), weights)
    return _share(left * (count - 1) / (count - numbers), total)


def one_number(outcomes: Outcomes) -> Diagnostic:
    """Return D3: R2 of the logits on 20 quantile bins of the score; minus that of the true class (excess); and adjusted
    R2 of the logits on the score within each class (within)."""
    bins = quantile_bins(outcomes.scores, BINS)
    r2 = binned_r2(outcomes.logits, bins, outcomes.weights)
    labels = binned_r2(np.eye(outcomes.classes)[outcomes.labels], bins, outcomes.weights)
    why = (
        f"Decides by its share within the classes, from {WITHIN:.2f}: "
        "what the class itself has of the number is taken out."
    )
    return Diagnostic(
        "D3",
        "one_number",
        "Share of the logits that one number of the mean spectrum explains",
        interval(r2),
        True,
        why,
        {
            "label": interval(labels),
            "excess": interval(r2 - labels),
            "within": interval(_within_classes(outcomes)),
        },
        _curves(outcomes, bins),
    )


def _within_classes(outcomes: Outcomes) -> Floats:
    """Return the adjusted R2 of the logits, centred in each true class, on six bins of the score in each: (1 + draws,);
    nan for fewer than three patches for each bin."""
    cells = np.zeros(len(outcomes.labels), np.int64)
    for kind in range(outcomes.classes):
        mine = outcomes.labels == kind
        cells[mine] = kind * CLASS_BINS + quantile_bins(outcomes.scores[mine], CLASS_BINS)
    count, bins, classes = len(cells), len(np.unique(cells)), len(np.unique(outcomes.labels))
    if count < FEWEST * bins:
        return np.full(len(outcomes.weights), np.nan)
    inside = _scatter(outcomes.logits, cells, outcomes.weights)
    total = _scatter(outcomes.logits, outcomes.labels, outcomes.weights)
    return _share(inside * (count - classes) / (count - bins), total)


def _share(left: Floats, total: Floats) -> Floats:
    """Return 1 - left / total; nan where there is nothing to explain."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(total > 1e-12, 1 - left / total, np.nan))


def _scatter(values: Floats, bins: Ints, weights: Floats) -> Floats:
    """Return, for each row of ``weights``, the sum of squares of ``values`` around the mean of their bin."""
    members = np.eye(int(bins.max()) + 1 if len(bins) else 1)[bins]
    squares = weights @ (values**2).sum(axis=1)
    counts = weights @ members
    between = np.zeros(len(weights))
    for column in values.T:
        sums = weights @ (members * column[:, None])
        between += (sums**2 / np.maximum(counts, 1e-12)).sum(axis=1)
    return np.asarray(squares - between)


def _curves(outcomes: Outcomes, bins: Ints) -> tuple[Line, ...]:
    """Return the mean probability of each class along the score."""
    shifted = outcomes.logits - outcomes.logits.max(axis=1, keepdims=True)
    probability = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    present = [number for number in range(BINS) if (bins == number).any()]
    middle = tuple(float(outcomes.scores[bins == number].mean()) for number in present)
    return tuple(
        Line(
            f"class {kind}",
            middle,
            tuple(float(probability[bins == number, kind].mean()) for number in present),
            "one-dimensional score",
            "probability",
        )
        for kind in range(outcomes.classes)
    )
