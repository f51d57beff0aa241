"""Gaussians and their derivatives along the axes of a volume, as products with matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Edge = Literal["constant", "nearest", "reflect"]
Order = Literal[0, 1, 2]

# rows of a matrix multiplied at once: what lies beside the band of its entries is left out
ROWS = 64


def gaussian(image: Float, sigma: float | Sequence[float], edge: Edge = "reflect", truncate: float = 4.0) -> Float:
    """Return ``image`` (X, Y, Z) float32 smoothed by a Gaussian of ``sigma`` voxels along all axes, or along each.

    edge: what lies beyond the grid: 0, the value at its border, or its mirror image. truncate: where the Gaussian ends,
    in ``sigma``. As ``scipy.ndimage.gaussian_filter``, to the rounding of float32.

    >>> spike = np.zeros((9, 9, 9), np.float32)
    >>> spike[4, 4, 4] = 1
    >>> smooth = gaussian(spike, 1.0)
    >>> round(float(smooth[4, 4, 4]), 4), round(float(smooth.sum()), 4)
    (0.0635, 1.0)
    """
    for axis, width in enumerate([sigma] * 3 if isinstance(sigma, int | float) else sigma):
        if width > 0:
            image = along(image, axis, float(width), edge=edge, truncate=truncate)
    return image


def along(
    image: Float, axis: int, sigma: float, order: Order = 0, edge: Edge = "reflect", truncate: float = 4.0
) -> Float:
    """Return the derivative of an ``order`` of ``image`` (X, Y, Z) float32 smoothed along one ``axis``."""
    count = image.shape[axis]
    matrix = _matrix(count, sigma, order, edge, truncate)
    reach = int(truncate * sigma + 0.5)
    last = axis == image.ndim - 1
    shape = (-1, count) if last else (math.prod(image.shape[:axis]), count, -1)
    given = np.ascontiguousarray(image).reshape(shape)
    made = np.empty_like(given)
    for row in range(0, count, ROWS):
        rows, band = _band(row, reach, count)
        part = matrix[rows, band]
        first, second = (given[:, band], part.T) if last else (part, given[:, band])
        np.matmul(first, second, out=made[:, rows])
    return made.reshape(image.shape)


def _band(row: int, reach: int, count: int) -> tuple[slice, slice]:
    """Return the rows from ``row`` on that are multiplied at once, and the columns in which they have entries."""
    end = min(row + ROWS, count)
    return slice(row, end), slice(max(0, row - reach), min(count, end + reach))


@lru_cache(64)
def _matrix(count: int, sigma: float, order: Order, edge: Edge, truncate: float) -> Float:
    """Return the matrix (count, count) float32 that smooths a line of ``count`` voxels."""
    from scipy import ndimage

    unit = np.eye(count)
    made = ndimage.gaussian_filter1d(unit, sigma, axis=0, order=order, mode=edge, truncate=truncate)
    return np.asarray(made, np.float32)
