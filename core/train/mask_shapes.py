"""Masks to train with: lumps and tumour shapes, one or several in a crop, of any size and in any place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.synth.lesion import lumpy_mask

Bool = NDArray[np.bool_]

# chances of one, two and three parts
PARTS = (0.55, 0.3, 0.15)
# parts lie this far from the faces of their cube, voxels
APART = 8
# share of parts that are a real shape where there are some
SHAPED = 0.5
# spread of the logarithm of the stretch of a shape along each axis
STRETCH = 0.15


def hole(
    side: int,
    millilitres: float,
    rng: np.random.Generator,
    shapes: Sequence[Bool] = (),
    spacing: tuple[float, float, float] = (1, 1, 1),
) -> Bool:
    """Return a mask (S, S, S) bool of about ``millilitres`` on a cube of 1 mm, its first part near the middle.

    shapes: masks on voxels of ``spacing`` mm; as often as ``SHAPED`` a part is one of them, turned and stretched.
    """
    count = 1 + int(rng.choice(len(PARTS), p=PARTS))
    mask = np.zeros((side, side, side), bool)
    for number, share in enumerate(rng.dirichlet(np.full(count, 2.0))):
        if number == 0:
            centre = [side // 2 + int(rng.integers(-3, 4)) for _ in range(3)]
        else:
            centre = [int(rng.integers(APART, side - APART)) for _ in range(3)]
        middle, size = (centre[0], centre[1], centre[2]), max(0.3, millilitres * float(share))
        if shapes and rng.random() < SHAPED:
            mask |= _placed(shapes[int(rng.integers(len(shapes)))], spacing, side, middle, size, rng)
        else:
            mask |= lumpy_mask(mask.shape, middle, size, rng)
    return mask


def _placed(
    shape: Bool,
    spacing: tuple[float, float, float],
    side: int,
    centre: tuple[int, int, int],
    millilitres: float,
    rng: np.random.Generator,
) -> Bool:
    """Return ``shape`` (X, Y, Z) turned, stretched and scaled to ``millilitres``, its middle at ``centre``."""
    own = float(shape.sum() * np.prod(spacing)) / 1000
    growth = (millilitres / own) ** (1 / 3) * np.exp(rng.normal(0, STRETCH, 3))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    matrix = np.diag(1 / (growth * np.asarray(spacing))) @ turn
    middle = np.asarray(ndimage.center_of_mass(shape))
    offset = middle - matrix @ np.asarray(centre, np.float64)
    moved = ndimage.affine_transform(shape.astype(np.float32), matrix, offset, (side, side, side), order=1)
    return np.asarray(moved > 0.5)
