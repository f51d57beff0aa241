"""Second derivatives of spectra over runs of evenly spaced bands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import signal

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WINDOW, ORDER = 9, 2
"""Bands and order of the Savitzky-Golay filter."""
GAP = 1.5
"""A step this many times the median separates two runs."""


def runs(positions: Sequence[float] | Floats) -> list[Ints]:
    """Return the bands of each run whose spacing is near the median of ``positions`` (C,).

    >>> [run.tolist() for run in runs((1000, 1004, 1008, 2800))]
    [[0, 1, 2], [3]]
    """
    steps = np.abs(np.diff(positions))
    breaks = np.flatnonzero(steps > GAP * np.median(steps)) + 1 if len(steps) else np.zeros(0, np.int64)
    return np.split(np.arange(len(positions)), breaks)


def second_derivative(spectra: NDArray[np.floating], positions: Sequence[float]) -> Floats:
    """Return the second derivative of ``spectra`` (N, C) by a filter of nine bands and order 2 (Savitzky and Golay
    1964), shorter in shorter runs; runs of fewer than three bands stay."""
    found = np.array(spectra, np.float64)
    for run in runs(positions):
        window = min(WINDOW, len(run) - 1 + len(run) % 2)
        if window > ORDER:
            found[:, run] = signal.savgol_filter(found[:, run], window, ORDER, deriv=2, axis=1)
    return found
