"""Cubes cut out of volumes, wherever they lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def window(array: NDArray[Any], low: Sequence[int] | NDArray[np.intp], side: int) -> NDArray[Any]:
    """Return the cube [low, low + side) of ``array`` (X, Y, Z), zero where it leaves the array."""
    out = np.zeros((side, side, side), array.dtype)
    start = np.maximum(low, 0)
    stop = np.minimum(np.add(low, side), array.shape)
    if (stop > start).all():
        target = tuple(slice(a - b, c - b) for a, b, c in zip(start, low, stop, strict=True))
        out[target] = array[tuple(slice(a, c) for a, c in zip(start, stop, strict=True))]
    return out


def pick(usable: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.intp]:
    """Return a random voxel (3,) of ``usable`` (X, Y, Z), of which there must be one."""
    while True:
        point = np.array([rng.integers(side) for side in usable.shape])
        if usable[tuple(point)]:
            return point
