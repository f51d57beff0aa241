"""Cubes of tumours, cut out of brains that are not there as a whole: their people, places and intensities."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.contrasts import CONTRASTS
from core.imaging.brain_position import along

Float = NDArray[np.float32]
Bytes = NDArray[np.uint8]

# people of the cubes who are also subjects of train/brats18, whose whole scans teach more: matched voxel by voxel
ALSO_WHOLE = (6, 29, 155, 160, 161, 194, 207, 211, 304, 311, 318)
# one in so many of the others is never learnt from
ONE_IN = 12

# a cube holds (standard score of the whole brain + 6) x 16; outside the brain the score is 0
ZERO, UNIT = 96, 16.0
# voxel size: the grid of BraTS, 240 x 240 x 155 voxels of 1 mm, was sampled in 128 places an axis, corner to corner
STEP_MM = np.array([239 / 127, 239 / 127, 154 / 127])
GRID, SIDE = 128, 32
# the brain's box in the space of BraTS, mm, RAS+: means over the subjects of train/brats18, spread 3 mm
BRAIN_MM = (slice(-187, -49), slice(25, 193), slice(2, 139))
# median of a whole brain in standard scores, mean and spread over the same subjects: a cube does not show it
MEDIANS = {"t1": (0.12, 0.08), "t1ce": (0.07, 0.07), "t2": (-0.22, 0.06), "flair": (0.03, 0.10)}


@dataclass(frozen=True, eq=False)
class Cubes:
    """The cubes of one person whose place is known. values: (N, 4, 32, 32, 32) uint8 as stored, RAS+, ``CONTRASTS`` in
    order; corners: (N, 3) float32, the centre of the first voxel in mm."""

    values: Bytes
    corners: Float


def people(path: Path) -> dict[str, str]:
    """Return person -> split (train or validation) of the cubes in ``path``, without those of ``ALSO_WHOLE``."""
    with np.load(path, allow_pickle=False) as stored:
        numbers = sorted(set(stored["person"].tolist()) - set(ALSO_WHOLE))
    return {f"{number:03d}": "train" if place % ONE_IN else "validation" for place, number in enumerate(numbers)}


def read(path: Path, person: str) -> Cubes:
    """Return the cubes of ``person``; those whose place is not known are left out."""
    values, persons, boxes = _stored(path)
    own = (persons == int(person)) & (boxes >= 0).all(axis=1)
    # a cube has the middle of the tumour's box in its own middle, on a grid whose X and Y run to the left and the back
    first = np.clip((boxes[own, ::2] + boxes[own, 1::2]) // 2 - SIDE // 2, 0, GRID - SIDE)
    last = first + SIDE - 1
    places = np.stack([-last[:, 0], -last[:, 1], first[:, 2]], axis=1) * STEP_MM + (0, 239, 0)
    return Cubes(np.ascontiguousarray(values[own][:, :, ::-1, ::-1]), places.astype(np.float32))


@lru_cache(maxsize=1)
def _stored(path: Path) -> tuple[Bytes, NDArray[np.int16], NDArray[np.int16]]:
    with np.load(path, allow_pickle=False) as stored:
        if tuple(stored["contrasts"].tolist()) != CONTRASTS:
            raise ValueError(f"{path} holds other contrasts")
        return stored["cubes"], stored["person"], stored["box"]


def millimetres(values: Bytes) -> tuple[dict[str, Float], NDArray[np.bool_]]:
    """Return contrast -> standard scores (X, Y, Z) float32 of one cube (4, 32, 32, 32) in voxels of about 1 mm (cubic
    spline), 0 outside the brain, and the brain."""
    sides = np.rint(SIDE * STEP_MM) / SIDE
    inside = (values != ZERO).any(axis=0).astype(np.float32)
    brain = ndimage.zoom(inside, sides, order=1, grid_mode=True, mode="nearest") > 0.5
    scores = {
        name: ndimage.zoom((own.astype(np.float32) - ZERO) / UNIT, sides, order=3, grid_mode=True, mode="nearest")
        for name, own in zip(CONTRASTS, values, strict=True)
    }
    return {name: np.where(brain, own, 0).astype(np.float32) for name, own in scores.items()}, brain


def positions(corner: Float, shape: tuple[int, ...], beyond: int) -> Float:
    """Return where the voxels of about 1 mm of a cube at ``corner`` lie in a usual brain, -1 to 1 along each axis of
    its box: (3, X, Y, Z) with ``beyond`` more voxels on all sides of ``shape``."""
    out = np.empty((3, *(side + 2 * beyond for side in shape)), np.float32)
    for axis, side in enumerate(shape):
        step = SIDE * STEP_MM[axis] / side
        points = corner[axis] - STEP_MM[axis] / 2 + (np.arange(-beyond, side + beyond) + 0.5) * step
        placed = along(points, BRAIN_MM[axis])
        out[axis] = placed.reshape([-1 if other == axis else 1 for other in range(3)])
    return out
