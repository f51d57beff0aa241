"""What a network adds to a plain classifier (D11), and what its head leaves lying (D14)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.failure.diagnostics.probe import Outcomes
from core.failure.models.fitted import last_layer
from core.failure.results import Diagnostic
from core.measure.bootstrap import interval, mean
from core.measure.intervals import Interval

Float = NDArray[np.float32]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

UNUSED = 0.02


def over_plain(outcomes: Outcomes, plain: Mapping[str, Ints]) -> Diagnostic:
    """D11: accuracy minus that of the best of ``plain`` (name -> class of each patch, (N,)), on the same patches."""
    rights = {name: (guess == outcomes.labels).astype(np.float64) for name, guess in plain.items()}
    best = max(rights, key=lambda name: float(rights[name].mean()))
    why = f"Decides amber: below {UNUSED} the network adds nothing to {best}, so its capacity is unused."
    return Diagnostic(
        "D11",
        "gain",
        "Accuracy over the best plain classifier",
        interval(mean(outcomes.right - rights[best], outcomes.weights)),
        True,
        why,
        {name: interval(mean(right, outcomes.weights)) for name, right in rights.items()},
    )


def last_layer_gap(
    balanced: tuple[Float, Ints], conflict: tuple[Float, Ints], logits: Float, weights: Floats
) -> Diagnostic:
    """D14: accuracy on patches without the shortcut with the last layer fitted anew on other such patches, minus as
    it is.

    balanced, conflict: features (N, F) and labels (N,) of the two sets; logits: of the second, as trained.
    """
    classes = logits.shape[1]
    weight, bias = last_layer(balanced[0], balanced[1], classes)
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
