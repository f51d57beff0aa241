"""Masks as run lengths: start, length, start, length ... of a grid, x fastest, sorted and disjoint."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MOST_RUNS = 20_000
Shape = tuple[int, int, int]


def of_mask(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    """Return the runs of a mask (X, Y, Z) bool."""
    flat = np.concatenate(([0], mask.ravel(order="F").view(np.uint8), [0])).astype(np.int8)
    edges = np.flatnonzero(np.diff(flat))
    starts, ends = edges[::2], edges[1::2]
    return tuple(int(value) for value in np.stack([starts, ends - starts], axis=1).ravel())


def to_mask(runs: Sequence[int], shape: Shape) -> NDArray[np.bool_]:
    """Return the mask (X, Y, Z) bool of ``runs``, which are ``valid`` for ``shape``."""
    flat = np.zeros(int(np.prod(shape)), np.bool_)
    for start, length in zip(runs[::2], runs[1::2], strict=True):
        flat[start : start + length] = True
    return flat.reshape(shape, order="F")


def valid(runs: object, shape: Shape) -> bool:
    """Return whether ``runs``, which came from outside, are runs of a grid of ``shape``."""
    if not isinstance(runs, list) or len(runs) % 2 or len(runs) > 2 * MOST_RUNS:
        return False
    end = 0
    for start, length in zip(runs[::2], runs[1::2], strict=True):
        if type(start) is not int or type(length) is not int or start < end or length < 1:
            return False
        end = start + length
    return end <= int(np.prod(shape))


def middle(runs: Sequence[int], shape: Sequence[int]) -> tuple[int, int, int]:
    """Return the voxel (x, y, z) nearest to the mean position of the voxels of ``runs``, one or more."""
    x, y, _ = shape
    starts, lengths = np.array(runs[::2]), np.array(runs[1::2])
    voxels = np.repeat(starts - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
    means = (voxels % x).mean(), (voxels // x % y).mean(), (voxels // (x * y)).mean()
    i, j, k = (round(float(mean)) for mean in means)
    return i, j, k


def share_inside(runs: Sequence[int], region: Sequence[int]) -> float:
    """Return the share of the voxels of ``runs`` that lies in ``region``; nan for no voxels."""
    total = sum(runs[1::2])
    if not total:
        return float("nan")
    begins, extents = np.array(region[::2]), np.array(region[1::2])
    ends = begins + extents
    inside = 0
    for start, length in zip(runs[::2], runs[1::2], strict=True):
        met = slice(np.searchsorted(ends, start, "right"), np.searchsorted(begins, start + length, "left"))
        inside += int((np.minimum(ends[met], start + length) - np.maximum(begins[met], start)).sum())
    return inside / total
