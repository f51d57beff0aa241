"""Unused capacity: the gain over a plain classifier (D11), and the accuracy that a new last layer wins (D14)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.failure.diagnostics.model_under_test import Outcomes
from core.failure.models.trained_model import fit_last_layer
from core.failure.results import Diagnostic
from core.failure.thresholds import GAIN
from core.measure.bootstrap import interval, mean
from core.measure.intervals import Interval

Float = NDArray[np.float32]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def gain_over_plain(outcomes: Outcomes, plain: Mapping[str, Ints]) -> Diagnostic:
    """Return D11: accuracy minus that of the best of ``plain`` (title -> predicted classes (N,)), patch by patch."""
    correct = {name: (guess == outcomes.labels).astype(np.float64) for name, guess in plain.items()}
    best = max(correct, key=lambda name: float(correct[name].mean()))
    why = (
        f"Decides amber: below {GAIN} the network adds nothing to the best of them ({best.lower()}), so its capacity "
        "is unused."
    )
    return Diagnostic(
        "D11",
        "gain",
        "Accuracy over the best plain classifier",
        interval(mean(outcomes.correct - correct[best], outcomes.weights)),
        True,
        why,
        {name: interval(mean(each, outcomes.weights)) for name, each in correct.items()},
    )


def last_layer_gap(
    balanced: tuple[Float, Ints], conflict: tuple[Float, Ints], logits: Float, weights: Floats
) -> Diagnostic:
    """Return D14: the accuracy on patches without the shortcut that a last layer refitted on other such patches wins.

    balanced, conflict: features (N, F) and labels (N,) of the two sets; logits: of the second, as trained.
    """
    classes = logits.shape[1]
    weight, bias = fit_last_layer(balanced[0], balanced[1], classes)
    again = (conflict[0] @ weight.T + bias).argmax(axis=1)
    before = (logits.argmax(axis=1) == conflict[1]).astype(np.float64)
    after = (again == conflict[1]).astype(np.float64)
    why = "Not used for the verdict: it needs patches without the shortcut, which real data seldom have."
    return Diagnostic(
        "D14",
        "features",
        "Accuracy a new last layer wins where the shortcut is gone",
        interval(mean(after - before, weights)),
        False,
        why,
        {"before": interval(mean(before, weights)), "after": interval(mean(after, weights))},
    )


def unmeasured_gap() -> Diagnostic:
    """Return D14 where there are no patches without the shortcut."""
    why = "Not measured: it needs patches without the shortcut."
    return Diagnostic(
        "D14",
        "features",
        "Accuracy a new last layer wins where the shortcut is gone",
        Interval(float("nan")),
        False,
        why,
    )
