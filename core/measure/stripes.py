"""How plainly a volume is striped across one axis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]
Real = NDArray[np.float64]

# side of the columns whose mean along the axis is looked at, voxels
COLUMN = 16
# frequencies beside that of the stripes, as shares of it
BESIDE = (0.8, 1.2)
# relative change of tissue from voxel to voxel at which it counts half, and from the course of its line beyond which it
# does not count
UNEVEN, OUTLYING = 0.03, 0.2


def stripes(volume: Float, where: Bool, axis: int, period: float) -> float:
    """Return the amplitude of ``period`` (voxels) along ``axis`` beside that of periods a little longer and shorter.

    RMS over columns of ``COLUMN`` x ``COLUMN`` voxels, in which even tissue inside ``where`` (X, Y, Z) counts, each
    voxel relative to the smooth course of its line. About 1 or less where nothing stands out, more for stripes; nan
    where nothing is inside.
    """
    image = np.moveaxis(volume, axis, 2)
    course = np.maximum(ndimage.gaussian_filter1d(image, period / 2, axis=2, mode="nearest"), 1e-6)
    change = image / course - 1
    uneven = sum(np.abs(part) for part in np.gradient(course)) / course
    inside = np.moveaxis(where, axis, 2) & (np.abs(change) < OUTLYING)
    weight = np.where(inside, 1 / (1 + np.square(uneven / UNEVEN)), 0)
    total = _columns(weight)
    # columns end softly, and those with little even tissue count little
    mean = _columns(weight * change) / (total + 0.05 * COLUMN**2)
    striped, *beside = (_power(mean, share / period) for share in (1.0, *BESIDE))
    return float(np.sqrt(striped / np.mean(beside))) if np.mean(beside) > 0 else float("nan")


def _power(change: Real, frequency: float) -> float:
    wave = np.exp(-2j * np.pi * frequency * np.arange(change.shape[-1]))
    return float(np.square(np.abs(change @ wave)).sum())


def _columns(values: NDArray[np.floating]) -> Real:
    """Return sums over columns (x, y, n) of ``values`` (X, Y, n); what is left over at the end counts in none."""
    x, y, n = values.shape
    whole = values[: x - x % COLUMN, : y - y % COLUMN]
    return np.asarray(whole.reshape(x // COLUMN, COLUMN, y // COLUMN, COLUMN, n).sum(axis=(1, 3), dtype=np.float64))
