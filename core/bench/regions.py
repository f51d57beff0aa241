"""Holes for measuring: lumpy blobs of a given volume, placed in real tissue, the same for the same seed."""

from __future__ import annotations

import heapq
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Bool = NDArray[np.bool_]
Spacing = tuple[float, float, float]

LUMPINESS = 0.35
LUMP_MM = 7.0
MARGIN_MM = 3.0
"""Keeps holes off the cut edge of a stripped brain, whose zeros would drag down every method that interpolates."""


@dataclass(frozen=True, eq=False)
class Hole:
    """mask: (X, Y, Z) bool; centre: the voxel it grew from; place: the kind of tissue there."""

    mask: Bool
    centre: tuple[int, int, int]
    place: str


def hole(
    brain: Bool,
    places: dict[str, Bool],
    spacing: Spacing,
    volume_ml: float,
    subject: str,
    index: int,
    margin_mm: float = MARGIN_MM,
) -> Hole:
    """Return a connected hole of ``volume_ml`` ml inside ``brain`` for ``(subject, index)``.

    brain: (X, Y, Z) bool; places: name -> voxels where a centre may lie, taken in turn with rising ``index``, another
    first for each subject; margin_mm: how much of the brain's surface stays known.
    ``ValueError`` when what is left of the brain is smaller than twice the hole or there is no place.
    """
    room = ndimage.distance_transform_edt(np.pad(brain, 1), sampling=spacing)[1:-1, 1:-1, 1:-1] > margin_mm
    names = sorted(name for name, voxels in places.items() if (voxels & room).any())
    wanted = round(volume_ml * 1000 / float(np.prod(spacing)))
    if not names or wanted < 1 or 2 * wanted > room.sum():
        raise ValueError(f"no room for a hole of {volume_ml} ml")
    rng = np.random.default_rng(zlib.crc32(f"{subject}/{index}".encode()))
    place = names[(zlib.crc32(subject.encode()) + index) % len(names)]
    seats = np.argwhere(places[place] & room)
    x, y, z = (int(value) for value in seats[rng.integers(len(seats))])
    return Hole(_grow(room, (x, y, z), spacing, wanted, rng), (x, y, z), place)


def _grow(room: Bool, centre: tuple[int, int, int], spacing: Spacing, wanted: int, rng: np.random.Generator) -> Bool:
    """Return ``wanted`` connected voxels of ``room`` around ``centre``, the nearest first, distance warped by noise."""
    noise = ndimage.gaussian_filter(
        rng.standard_normal(room.shape, dtype=np.float32), [LUMP_MM / size for size in spacing]
    )
    noise /= max(float(noise.std()), 1e-9)
    axes = [((np.arange(n) - c) * size) ** 2 for n, c, size in zip(room.shape, centre, spacing, strict=True)]
    distance = np.sqrt(axes[0][:, None, None] + axes[1][None, :, None] + axes[2][None, None, :])
    # A rim of infinite cost keeps the flood off the grid's edge and its index arithmetic flat.
    cost = np.pad(np.where(room, distance * np.exp(LUMPINESS * noise), np.inf), 1, constant_values=np.inf)
    start = int(np.ravel_multi_index([c + 1 for c in centre], cost.shape))
    taken = np.zeros(cost.size, bool)
    taken[_flood(cost.ravel(), start, cost.shape, wanted)] = True
    return taken.reshape(cost.shape)[1:-1, 1:-1, 1:-1]


def _flood(cost: NDArray[np.float64], start: int, shape: tuple[int, ...], wanted: int) -> list[int]:
    """Return the first ``wanted`` flat indices a flood from ``start`` reaches, always entering the cheapest voxel."""
    strides = (shape[1] * shape[2], shape[2], 1)
    front, seen, reached = [(0.0, start)], {start}, list[int]()
    while front and len(reached) < wanted:
        _, here = heapq.heappop(front)
        reached.append(here)
        for step in strides:
            for there in (here - step, here + step):
                if there not in seen and cost[there] < np.inf:
                    seen.add(there)
                    heapq.heappush(front, (float(cost[there]), there))
    return reached
