"""A second contrast that shows what lies between the slices: read onto the fine grid, refused where it lies wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.anatomy.registration import register
from core.errors import UserError
from core.files.nifti import read_volume
from core.imaging.superres.geometry import Geometry
from core.volume import Volume, resample

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

# share of the head that the guide's field of view must hold
COVERED = 0.9
# the guide must be finer than the slices by this factor to show anything between them
FINER = 0.75


def read_guide(path: Path, scan: Volume, head: Bool, found: Geometry) -> tuple[Float, str]:
    """Return the guide on the fine grid, (X, Y, Z) float32, and a sentence about how it lies.

    head: (x, y, z) bool on the scan's grid. Resampled linearly. UserError guide_elsewhere when it does not cover the
    head, guide_unregistered when it lies elsewhere by more than half a slice, guide_too_coarse when it is no finer
    than the scan, and every code of ``read_volume``.
    """
    guide = read_volume(path)
    _check_finer(guide, found)
    _check_covers(guide, scan, head)
    moved = register(scan, guide, head)
    allowed = max(1.0, max(found.target))
    if moved is None or moved.distance_mm > allowed:
        apart = "has nothing in common with it" if moved is None else f"lies {moved.distance_mm:.1f} mm off"
        raise UserError(
            "guide_unregistered",
            f"The guide is not aligned with the scan: it {apart}.",
            "Register the guide to the scan first, or run without it.",
        )
    fine = resample(guide.data, guide.affine, found.affine, found.shape, order=1)
    return fine, f"The guide lies within {moved.distance_mm:.1f} mm of the scan."


def _check_finer(guide: Volume, found: Geometry) -> None:
    # along the scan's own axes, however the guide is turned: the distance between its voxels in that direction
    steps = np.abs(np.linalg.inv(guide.affine[:3, :3]) @ (found.affine[:3, :3] / found.target))
    across = 1 / np.sqrt((steps**2).sum(axis=0))
    if not any(across[axis] <= FINER * found.measured[axis] for axis in found.refined):
        raise UserError(
            "guide_too_coarse",
            "The guide is no finer than the scan along the axes that are to become finer.",
            "Give a guide with thin slices, or run without one.",
        )


def _check_covers(guide: Volume, scan: Volume, head: Bool) -> None:
    inside = resample(np.ones(guide.data.shape, np.uint8), guide.affine, scan.affine, _shape(head), order=0)
    if head.any() and float(inside[head].mean()) < COVERED:
        raise UserError(
            "guide_elsewhere",
            "The guide does not cover the head of the scan.",
            "Give a guide of the same head in the scan's own space, or run without it.",
        )


def _shape(mask: Bool) -> tuple[int, int, int]:
    x, y, z = mask.shape
    return x, y, z
