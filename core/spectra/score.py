"""The one-dimensional score of mean spectra that best separates the classes, and its spectral pattern."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg

Floats = NDArray[np.float64]

# share of the within-class covariance that a sphere of its size replaces; docs/failure-lab.md compares others
SHRINKAGE = 1e-3


@dataclass(frozen=True, eq=False)
class Score:
    """A linear score of mean spectra. direction: (C,), scaled so that the score has deviation 1 on the training
    patches. centre: (C,) their mean. pattern: (C,) Cov(spectrum, score) / Var(score), what one unit of the score adds
    to a spectrum (Haufe et al. 2014, NeuroImage 87:96). A move along ``direction`` would leave the data instead."""

    direction: Floats
    centre: Floats
    pattern: Floats

    def of(self, spectra: ArrayLike) -> Floats:
        """Return the score (N,) of each of ``spectra`` (N, C)."""
        return np.asarray((np.asarray(spectra, np.float64) - self.centre) @ self.direction)


def fit_score(spectra: ArrayLike, labels: NDArray[np.int64], shrinkage: float = SHRINKAGE) -> Score:
    """Return the first canonical discriminant (Fisher 1936) of ``spectra`` (N, C) with ``labels`` (N,).

    shrinkage: share of the within-class covariance that is replaced by a sphere. More absorbance is a higher score.

    >>> levels = np.array([[1.0, 2.0], [1.2, 2.4], [2.0, 4.0], [2.2, 4.4]])
    >>> score = fit_score(levels, np.array([0, 0, 1, 1]))
    >>> score.of(levels).round(2).tolist()
    [-1.18, -0.78, 0.78, 1.18]
    """
    values = np.asarray(spectra, np.float64)
    centre = values.mean(axis=0)
    direction = _discriminants(values, labels, shrinkage, 1)[0]
    # the sign of an eigenvector is arbitrary: more absorbance, higher score
    direction *= np.sign(direction @ (values - centre).T @ values.mean(axis=1)) or 1.0
    scores = (values - centre) @ direction
    direction /= max(scores.std(), 1e-12)
    scores = (values - centre) @ direction
    pattern = (values - centre).T @ scores / max(scores @ scores, 1e-12)
    return Score(direction, centre, pattern)


@dataclass(frozen=True, eq=False)
class Scores:
    """Several linear scores of mean spectra, uncorrelated and of deviation 1 on the training patches. directions:
    (K, C); centre: (C,); patterns: (K, C), what one unit of each adds to a spectrum."""

    directions: Floats
    centre: Floats
    patterns: Floats

    def of(self, spectra: ArrayLike) -> Floats:
        """Return the scores (N, K) of each of ``spectra`` (N, C)."""
        return np.asarray((np.asarray(spectra, np.float64) - self.centre) @ self.directions.T)


def fit_scores(spectra: ArrayLike, labels: NDArray[np.int64], count: int) -> Scores:
    """Return the first ``count`` canonical discriminants of ``spectra`` (N, C); where the classes have fewer, principal
    components of what those leave. Fewer than ``count`` where the spectra have fewer dimensions."""
    values = np.asarray(spectra, np.float64)
    centre = values.mean(axis=0)
    count = min(count, values.shape[1])
    directions = _discriminants(values, labels, SHRINKAGE, min(count, len(np.unique(labels)) - 1))
    known = (values - centre) @ directions.T
    rest = (values - centre) - known @ np.linalg.lstsq(known, values - centre, rcond=None)[0]
    components = np.linalg.svd(rest, full_matrices=False)[2][: count - len(directions)]
    directions = np.vstack([directions, components])
    # each score without those before it, and of deviation 1
    triangle: Floats = np.asarray(np.linalg.qr((values - centre) @ directions.T, mode="r"))
    kept = np.abs(np.diag(triangle)) > 1e-9 * np.abs(triangle[0, 0])
    directions = np.linalg.solve(triangle[np.ix_(kept, kept)].T, directions[kept]) * np.sqrt(len(values))
    scores = (values - centre) @ directions.T
    return Scores(directions, centre, np.linalg.lstsq(scores, values - centre, rcond=None)[0])


def _discriminants(values: Floats, labels: NDArray[np.int64], shrinkage: float, count: int) -> Floats:
    """Return the first ``count`` canonical discriminants (count, C), the best first."""
    centre = values.mean(axis=0)
    kinds = np.unique(labels)
    means = np.stack([values[labels == kind].mean(axis=0) for kind in kinds])
    counts = np.array([(labels == kind).sum() for kind in kinds])
    inner = values - means[np.searchsorted(kinds, labels)]
    within = inner.T @ inner / max(1, len(values) - len(kinds))
    size = np.trace(within) / len(within)
    within = (1 - shrinkage) * within + (shrinkage * size + 1e-12) * np.eye(len(within))
    between = (means - centre).T @ ((means - centre) * counts[:, None]) / len(values)
    channels = len(within)
    found = linalg.eigh(between, within, subset_by_index=[channels - max(count, 1), channels - 1])[1]
    return np.asarray(found.T[::-1][:count])
