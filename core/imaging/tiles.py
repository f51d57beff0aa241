"""Overlapping tiles that cover a volume, and how they are blended; importing it loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil

import numpy as np
from numpy.typing import NDArray

from core.volume import Box

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Tiling:
    """side: most voxels along a side of a tile; overlap: fewest that neighbours share; half: let the network work in
    bfloat16 where the processor multiplies that in hardware."""

    side: int = 128
    overlap: int = 24
    half: bool = False


@dataclass(frozen=True, eq=False)
class Tile:
    """box: where the tile lies in the volume; weights: what it counts along X, Y and Z, (n,) float32 each."""

    box: Box
    weights: tuple[Float, Float, Float]

    def weight(self) -> Float:
        """Return what each voxel of the tile counts, (x, y, z) float32."""
        x, y, z = self.weights
        return np.asarray(x[:, None, None] * y[None, :, None] * z[None, None, :], np.float32)


def layout(shape: Sequence[int], multiple: int, tiling: Tiling) -> list[Tile]:
    """Return tiles that cover a volume of ``shape``, whose sides are multiples of ``multiple``.

    Tiles begin at multiples of ``multiple``; at each voxel their weights sum to 1. One tile where the volume fits.
    ValueError for other sides, or tiles smaller than their overlap.

    >>> tiles = layout((160, 96, 160), 8, Tiling(side=96, overlap=16))
    >>> len(tiles), tiles[0].box
    (4, (slice(0, 88, None), slice(0, 96, None), slice(0, 88, None)))
    """
    if any(length % multiple for length in shape):
        raise ValueError(f"{tuple(shape)} is not a multiple of {multiple}")
    along = [_along(length, multiple, tiling.side, tiling.overlap) for length in shape]
    return [Tile((x[0], y[0], z[0]), (x[1], y[1], z[1])) for x, y, z in product(*along)]


def single(shape: Sequence[int]) -> list[Tile]:
    """Return the one tile that is the whole volume of ``shape``; every voxel of it counts 1."""
    x, y, z = (slice(0, length) for length in shape)
    ones = [np.ones(length, np.float32) for length in shape]
    return [Tile((x, y, z), (ones[0], ones[1], ones[2]))]


def _along(length: int, multiple: int, side: int, overlap: int) -> list[tuple[slice, Float]]:
    """Return the parts of one axis and their weights."""
    side, overlap = side // multiple * multiple, ceil(overlap / multiple) * multiple
    if side <= overlap:
        raise ValueError(f"tiles of {side} cannot overlap by {overlap}")
    if length <= side:
        return [(slice(0, length), np.ones(length, np.float32))]
    count = ceil((length - overlap) / (side - overlap))
    # parts of equal size, as small as the overlap allows
    side = ceil((length + (count - 1) * overlap) / count / multiple) * multiple
    starts = [round(index * (length - side) / (count - 1) / multiple) * multiple for index in range(count)]
    parts = [slice(start, start + side) for start in starts]
    raw = np.zeros((count, length), np.float64)
    for index, part in enumerate(parts):
        raw[index, part] = _ramp(side, starts, index)
    raw /= raw.sum(axis=0)
    return [(part, raw[index, part].astype(np.float32)) for index, part in enumerate(parts)]


def _ramp(side: int, starts: Sequence[int], index: int) -> NDArray[np.float64]:
    """Return weights that fall to nearly 0 towards the neighbours and are 1 at the ends of the volume."""
    weights = np.ones(side)
    if index > 0:
        shared = starts[index - 1] + side - starts[index]
        weights[:shared] *= _rise(shared)
    if index + 1 < len(starts):
        shared = starts[index] + side - starts[index + 1]
        weights[side - shared :] *= _rise(shared)[::-1]
    return weights


def _rise(count: int) -> NDArray[np.float64]:
    return np.asarray(np.sin(0.5 * np.pi * (np.arange(count) + 0.5) / count) ** 2)
