"""The best one-dimensional score of a mean spectrum, and the spectral pattern that goes with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg

Floats = NDArray[np.float64]

SHRINKAGE = 1e-3
"""Share of the within-class covariance that is replaced by a sphere of the same size.

Five-fold accuracy of the score alone on 731 real tissue spectra (collagen, glycogen, lipids, DNA) at 0.05, 0.01,
0.001 and 0: 0.67, 0.73, 0.83, 0.74; on simulated tissue 0.71, 0.72, 0.70, 0.68.
"""


@dataclass(frozen=True, eq=False)
class Score:
    """A linear score of mean spectra. direction: (C,), scaled so that the score has deviation 1 on the training
    patches; centre: (C,) their mean; pattern: (C,) Cov(spectrum, score) / Var(score), Haufe et al. 2014: what one unit
    of the score looks like in a spectrum. Moving along ``direction`` instead would leave the data."""

    direction: Floats
    centre: Floats
    pattern: Floats

    def of(self, spectra: ArrayLike) -> Floats:
        """Return the score of each of ``spectra`` (N, C)."""
        return np.asarray((np.asarray(spectra, np.float64) - self.centre) @ self.direction)


def fit_score(spectra: ArrayLike, labels: NDArray[np.int64], shrinkage: float = SHRINKAGE) -> Score:
    """Return the first canonical discriminant (Fisher) of ``spectra`` (N, C) with ``labels`` (N,)."""
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
    # the sign is a convention: more absorbance, higher score
    direction *= np.sign(direction @ (values - centre).T @ values.mean(axis=1)) or 1.0
    scores = (values - centre) @ direction
    direction /= max(scores.std(), 1e-12)
    scores = (values - centre) @ direction
    pattern = (values - centre).T @ scores / max(scores @ scores, 1e-12)
    return Score(direction, centre, pattern)
