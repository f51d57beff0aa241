"""Diagnostics of the logits alone: their rank (D1), one component (D2), agreement with one number (D10)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.failure.diagnostics.model_under_test import Outcomes
from core.failure.results import Diagnostic, Line
from core.measure.agreement import cohen_kappa
from core.measure.bootstrap import interval, mean, ratio
from core.measure.intervals import Interval

Floats = NDArray[np.float64]

LEAVES = 8
FOLDS = 5


def effective_rank(singular: ArrayLike) -> float:
    """Return the effective rank exp(H(s / sum s)) of singular values (Roy and Vetterli 2007); 0 if all are 0.

    >>> round(effective_rank([2, 2, 2]), 6)
    3.0
    """
    values = np.asarray(singular, np.float64)
    if values.sum() <= 0:
        return 0.0
    share = values[values > 0] / values.sum()
    return float(np.exp(-(share * np.log(share)).sum()))


def participation_ratio(singular: ArrayLike) -> float:
    """Return the participation ratio (sum s^2)^2 / sum s^4 of singular values; 0 if all are 0.

    >>> participation_ratio([1, 1, 0])
    2.0
    """
    squares = np.asarray(singular, np.float64) ** 2
    return float(squares.sum() ** 2 / (squares**2).sum()) if squares.sum() > 0 else 0.0


def rank(outcomes: Outcomes, features: ArrayLike | None = None) -> Diagnostic:
    """Return D1: share of the first component of the centred logits, and ranks of the logits (N, K) and of the
    ``features`` (N, F) before the last layer."""
    spectra = np.stack([_singular(outcomes.logits, row) for row in outcomes.weights])
    shares = spectra[:, 0] ** 2 / np.maximum((spectra**2).sum(axis=1), 1e-30)
    found = {
        "participation": interval([participation_ratio(row) for row in spectra]),
        "erank": interval([effective_rank(row) for row in spectra]),
    }
    lines = [_spectrum("logits", spectra[0])]
    if features is not None:
        own = _singular(np.asarray(features, np.float64), outcomes.weights[0])
        found |= {
            "feature_pc1": Interval(float(own[0] ** 2 / max((own**2).sum(), 1e-30))),
            "feature_participation": Interval(participation_ratio(own)),
            "feature_erank": Interval(effective_rank(own)),
        }
        lines.append(_spectrum("features", own))
    why = "Not used for the verdict: a collapsed model bends its logits along a curve, so its linear rank stays high."
    if outcomes.classes == 2:
        why = "Not used for the verdict: two classes have one logit difference, whatever the model."
    return Diagnostic(
        "D1",
        "rank",
        "Rank of the logits: share of the first component",
        interval(shares),
        False,
        why,
        found,
        tuple(lines),
    )


def one_component(outcomes: Outcomes, seed: int = 0) -> Diagnostic:
    """Return D2: accuracy of a tree of eight leaves on the first component of the logits, over the model's own."""
    from sklearn.model_selection import KFold, cross_val_predict
    from sklearn.tree import DecisionTreeClassifier

    centred = outcomes.logits - outcomes.logits.mean(axis=0)
    first = centred @ np.linalg.svd(centred, full_matrices=False)[2][0]
    tree = DecisionTreeClassifier(max_leaf_nodes=LEAVES, random_state=seed)
    folds = KFold(min(FOLDS, len(first)), shuffle=True, random_state=seed)
    guesses = cross_val_predict(tree, first[:, None], outcomes.labels, cv=folds)
    correct = (guesses == outcomes.labels).astype(np.float64)
    why = "Not used for the verdict: of two equal models the one with fewer classes scores higher."
    return Diagnostic(
        "D2",
        "component",
        "Accuracy kept by one component of the logits",
        interval(ratio(correct, outcomes.correct, outcomes.weights)),
        False,
        why,
    )


def agreement(outcomes: Outcomes) -> Diagnostic:
    """Return D10: share of patches on which the model and one number of the mean spectrum predict the same class.

    error_kappa: Cohen's kappa between where the two are wrong; nan where both are right everywhere.
    """
    same = (outcomes.predicted == outcomes.plain).astype(np.float64)
    wrong, other = 1 - outcomes.correct, (outcomes.plain != outcomes.labels).astype(np.float64)
    kappa = cohen_kappa(wrong, other, 2, outcomes.weights, weighted=False)
    why = "Not used for the verdict: two models that are both right agree without sharing a reason."
    return Diagnostic(
        "D10",
        "agreement",
        "Agreement with one number of the mean spectrum",
        interval(mean(same, outcomes.weights)),
        False,
        why,
        {"error_kappa": interval(kappa)},
    )


def _singular(values: Floats, weights: Floats) -> Floats:
    """Return the singular values of ``values`` (N, K), centred, rows counted ``weights`` times."""
    total = max(weights.sum(), 1e-12)
    centred = values - weights @ values / total
    spread = (centred * weights[:, None]).T @ centred
    return np.sqrt(np.maximum(np.linalg.eigvalsh(spread)[::-1], 0))


def _spectrum(name: str, singular: Floats) -> Line:
    share = singular**2 / max((singular**2).sum(), 1e-30)
    numbers = tuple(float(each) for each in range(1, len(share) + 1))
    return Line(name, numbers, tuple(map(float, share)), "component", "share of variance")
