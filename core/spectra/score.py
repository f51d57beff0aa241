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
    kinds = np.unique(labels)
    means = np.stack([values[labels == kind].mean(axis=0) for kind in kinds])
    counts = np.array([(labels == kind).sum() for kind in kinds])
    inner = values - means[np.searchsorted(kinds, labels)]
    within = inner.T @ inner / max(1, len(values) - len(kinds))
    size = np.trace(within) / len(within)
    within = (1 - shrinkage) * within + (shrinkage * size + 1e-12) * np.eye(len(within))
    between = (means - centre).T @ ((means - centre) * counts[:, None]) / len(values)
    direction = linalg.eigh(between, within, subset_by_index=[len(within) - 1, len(within) - 1])[1][:, 0]
    # the sign of an eigenvector is arbitrary: more absorbance, higher score
    direction *= np.sign(direction @ (values - centre).T @ values.mean(axis=1)) or 1.0
    scores = (values - centre) @ direction
    direction /= max(scores.std(), 1e-12)
    scores = (values - centre) @ direction
    pattern = (values - centre).T @ scores / max(scores @ scores, 1e-12)
    return Score(direction, centre, pattern)
