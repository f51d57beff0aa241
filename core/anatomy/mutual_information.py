"""Mattes' mutual information of two scans (Mattes et al., IEEE Trans Med Imaging 22:120, 2003)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.volume import Volume

Float = NDArray[np.float32]
Real = NDArray[np.float64]

# bins at either end into which no value falls, but the window of one
BESIDE = 2


class MutualInformation:
    """Mutual information of values of a fixed scan and of what a ``moving`` one shows at the same points.

    fixed: (N,) float32; bins: how many each of the two has. The joint histogram counts the fixed values whole and
    spreads the moving ones by cubic B-splines, as ITK does.
    """

    def __init__(self, fixed: Float, moving: Volume, bins: int) -> None:
        self._bins, self._moving = bins, moving
        self._into = np.linalg.inv(moving.affine)
        self._rows = np.floor(self._scaled(fixed, fixed)).astype(np.intp).clip(BESIDE, bins - BESIDE - 1)

    def _scaled(self, values: Float, among: Float) -> Real:
        """Return ``values`` in bins, whose first and last hold the least and the largest of those ``among``."""
        low, high = (float(among.min()), float(among.max())) if among.size else (0.0, 0.0)
        size = max((high - low) / (self._bins - 2 * BESIDE), 1e-12)
        return np.asarray((values.astype(np.float64) - low) / size + BESIDE)

    def at(self, points: Real) -> float:
        """Return the information in nats where the fixed values lie at ``points`` (N, 3) of the moving scan, in mm; 0
        where all of them lie outside."""
        index = self._into[:3, :3] @ points.T + self._into[:3, 3:]
        ends = np.array(self._moving.data.shape)[:, None] - 0.5
        seen = ((index >= -0.5) & (index < ends)).all(axis=0)
        if not seen.any():
            return 0.0
        values = ndimage.map_coordinates(self._moving.data, index[:, seen], order=1, mode="nearest")
        place = self._scaled(values, self._moving.data)
        first = np.floor(place).astype(np.intp).clip(BESIDE, self._bins - BESIDE - 1) - 1
        cells, size = self._rows[seen] * self._bins, self._bins**2
        joint = sum(
            np.bincount(cells + first + step, _spline(first + step - place), size)[:size] for step in range(4)
        ).reshape(self._bins, self._bins)
        joint /= joint.sum()
        apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
        full = joint > np.finfo(np.float64).tiny
        return float((joint[full] * np.log(joint[full] / apart[full])).sum())


def _spline(distance: Real) -> Real:
    """Return the cubic B-spline at ``distance`` from its middle."""
    near = np.abs(distance)
    inner = (4 - 6 * near**2 + 3 * near**3) / 6
    return np.where(near < 1, inner, np.maximum(2 - near, 0) ** 3 / 6)
