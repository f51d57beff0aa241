"""Extended multiplicative signal correction of spectra."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

DEGREE = 2
LEAST_SCALE = 0.05
"""Less of the reference than this is nearly nothing but noise, and is not scaled up further."""


@dataclass(frozen=True, eq=False)
class Emsc:
    """Extended multiplicative signal correction (Martens and Stark 1991, J Pharm Biomed Anal 9:625; Afseth and Kohler
    2012, Chemom Intell Lab Syst 117:92): x = b r + c0 + c1 v + c2 v^2 + e is fitted, and (x - c0 - c1 v - c2 v^2) / b
    kept.

    fit: (4, C), a spectrum times its transpose gives b, c0, c1, c2. baseline: (3, C) the powers of v, which is the
    wavenumber from -1 to 1.
    """

    fit: Floats
    baseline: Floats

    def correct(self, spectra: ArrayLike) -> Floats:
        """Return ``spectra`` (N, C) corrected."""
        given = np.asarray(spectra, np.float64)
        parts = given @ self.fit.T
        return np.asarray((given - parts[:, 1:] @ self.baseline) / np.maximum(parts[:, :1], LEAST_SCALE))


def fit_emsc(spectra: ArrayLike, positions: Sequence[float]) -> Emsc:
    """Return the correction whose reference r is the mean of ``spectra`` (N, C) at ``positions`` (C,)."""
    place = np.asarray(positions, np.float64)
    ramp = 2 * (place - place.min()) / max(float(np.ptp(place)), 1e-9) - 1
    baseline = np.stack([ramp**power for power in range(DEGREE + 1)])
    columns = np.vstack([np.asarray(spectra, np.float64).mean(axis=0), baseline])
    return Emsc(np.linalg.pinv(columns.T), baseline)
