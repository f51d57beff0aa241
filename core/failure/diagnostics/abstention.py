"""Whether a model knows when the shortcut is gone (D17): scores of unlike patches, and what abstaining on them wins."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.failure.data.dataset import HOME
from core.failure.diagnostics.calibration import probabilities
from core.failure.results import Diagnostic, Line
from core.measure.intervals import Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

KEPT = 0.9
"""Share of the patches at home that a model answers; it abstains on those of which it is less sure."""
COVERAGES = tuple(round(0.1 * tenth, 1) for tenth in range(1, 11))
RIDGE = 1e-3


def abstention(
    logits: Mapping[str, Floats], labels: Mapping[str, Ints], features: Mapping[str, Floats] | None = None
) -> Diagnostic:
    """Return D17: how well the largest probability tells the patches of the worst set away from those at home, as the
    area under the ROC curve: 0.5 cannot, 1 can.

    logits, labels: of each set, (N, K) and (N,), "id" among them. features: the same of the last layer, (N, F), and
    "train". Figures of each set away: area by energy -log sum exp z (Liu et al. 2020, arXiv:2010.03759) and by the
    distance of Mahalanobis to the nearest class of the training features (Lee et al. 2018, arXiv:1807.03888), the share
    that is kept by the threshold that keeps 90 % at home, and the accuracy on those. lines: accuracy over the share
    that is kept of each set.
    """
    sure = {name: probabilities(each).max(axis=1) for name, each in logits.items()}
    away = [name for name in logits if name != HOME]
    limit = float(np.quantile(sure[HOME], 1 - KEPT))
    energy = {
        name: np.log(np.exp(each - each.max(1, keepdims=True)).sum(1)) + each.max(1) for name, each in logits.items()
    }
    right = {name: each.argmax(axis=1) == labels[name] for name, each in logits.items()}
    found = {f"accuracy_kept {HOME}": Interval(float(right[HOME][sure[HOME] >= limit].mean()))}
    areas = {}
    for name in away:
        areas[name] = Interval(area(sure[HOME], sure[name]))
        kept = sure[name] >= limit
        found |= {
            f"area {name}": areas[name],
            f"energy {name}": Interval(area(energy[HOME], energy[name])),
            f"kept {name}": Interval(float(kept.mean())),
            f"accuracy_kept {name}": Interval(float(right[name][kept].mean()) if kept.any() else float("nan")),
        }
        if features is not None:
            near = {each: -features[each].min(axis=1) for each in (HOME, name)}
            found[f"distance {name}"] = Interval(area(near[HOME], near[name]))
    worst = min(away, key=lambda name: float(right[name].mean()), default="")
    why = "Not used for the verdict: a model that knows what it does not know fails all the same, but can be stopped."
    title = "Patches away from home told from those at home by the largest probability"
    lines = tuple(_curve(name, sure[name], right[name]) for name in logits)
    return Diagnostic("D17", "abstention", title, areas.get(worst, Interval(float("nan"))), False, why, found, lines)


def area(home: Floats, away: Floats) -> float:
    """Return the area under the ROC curve of a score that should be higher at ``home`` (N,) than ``away`` (M,), ties
    half.

    >>> area(np.array([3.0, 4.0]), np.array([1.0, 3.0]))
    0.875
    """
    from scipy import stats

    ranks = stats.rankdata(np.concatenate([home, away]))[: len(home)].sum()
    return float((ranks - len(home) * (len(home) + 1) / 2) / (len(home) * len(away)))


def distances(features: NDArray[np.floating], labels: Ints, of: NDArray[np.floating]) -> Floats:
    """Return the squared distance of Mahalanobis (M, K) of features ``of`` (M, F) to the mean of each class of training
    ``features`` (N, F) with ``labels`` (N,), by their common covariance within the classes."""
    kinds = np.unique(labels)
    means = np.stack([features[labels == kind].mean(axis=0) for kind in kinds])
    inner = features - means[np.searchsorted(kinds, labels)]
    covariance = inner.T @ inner / max(1, len(inner) - len(kinds))
    covariance += (RIDGE * np.trace(covariance) / len(covariance) + 1e-12) * np.eye(len(covariance))
    apart = of[:, None, :] - means[None]
    return np.asarray((apart @ np.linalg.inv(covariance) * apart).sum(axis=2))


def _curve(name: str, sure: Floats, right: NDArray[np.bool_]) -> Line:
    order = np.argsort(-sure, kind="stable")
    counts = [max(1, round(share * len(order))) for share in COVERAGES]
    return Line(
        name, COVERAGES, tuple(float(right[order[:count]].mean()) for count in counts), "share answered", "accuracy"
    )
