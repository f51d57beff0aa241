"""Features as numbers of the thresholds below them: what trees compare, in a byte instead of four."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Code = NDArray[np.uint8] | NDArray[np.uint16]

# cells of a table over the range of the thresholds
CELLS = 4096


class FeatureCodes:
    """Counts how many thresholds (T,) float32, in ascending order, lie below a value, as ``searchsorted`` does.

    value <= thresholds[n] just where its code is n or less; not a number has the code T. A table of ``CELLS`` has the
    count at the lower end of each cell; the thresholds in a cell, rarely more than one, are compared one after another.
    """

    def __init__(self, thresholds: Float) -> None:
        kind = np.uint8 if len(thresholds) <= np.iinfo(np.uint8).max else np.uint16
        self._next = np.append(thresholds, np.float32(np.inf))
        self._low = self._next[0]
        reach = float(thresholds[-1]) - float(self._low) if len(thresholds) else 0.0
        self._scale = np.float32(min((CELLS - 3) / reach, 1e30) if reach > 0 else 1.0)
        cells = self._cell(thresholds)
        self._below = np.searchsorted(cells, np.arange(CELLS)).astype(kind)
        self._most = int(np.bincount(cells, minlength=1).max())

    def of(self, values: Float) -> Code:
        """Return the codes (N,) of ``values`` (N,) float32."""
        codes = np.take(self._below, self._cell(values), mode="clip")
        for _ in range(self._most):
            codes += values > np.take(self._next, codes, mode="clip")
        return codes

    def _cell(self, values: Float) -> NDArray[np.int16]:
        """Return the cells of ``values``, which never fall where these rise: 0 below all thresholds."""
        with np.errstate(over="ignore", invalid="ignore"):
            place = (values - self._low) * self._scale + np.float32(1)
        # the one of two that is a number
        np.fmin(place, np.float32(CELLS - 1), out=place)
        np.fmax(place, np.float32(0), out=place)
        cells: NDArray[np.int16] = place.astype(np.int16)
        return cells
