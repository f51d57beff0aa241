"""A second contrast that shows what lies between the slices: read onto the fine grid, refused where it lies wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.anatomy.head import Head, find_head
from core.anatomy.registration import Alignment, register_heads
from core.anatomy.same_head import Fit, fit, judge
from core.errors import UserError
from core.files.nifti import read_volume
from core.imaging.one_head import fit_note
from core.imaging.superres.geometry import Geometry
from core.result import Note
from core.volume import Volume, resample

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

# share of the head that the guide's field of view must hold
COVERED = 0.9
# the guide must be finer than the slices by this factor to show anything between them
FINER = 0.75


def read_guide(path: Path, scan: Volume, head: Head, found: Geometry) -> tuple[Float, tuple[Note, Note]]:
    """Return the guide on the fine grid, (X, Y, Z) float32, and notes on how it lies and on whether it is of one head.

    head: that of the scan, on its grid. Resampled linearly. UserError guide_elsewhere when the guide does not cover the
    head, guide_unregistered when it lies elsewhere by more than half a slice, guide_too_coarse when it is no finer
    than the scan, and every code of ``read_volume``.
    """
    guide = read_volume(path)
    _check_finer(guide, found)
    _check_covers(guide, scan, head.mask)
    guide_head = find_head(guide)
    moved = register_heads(scan, head, guide, guide_head)
    if moved is None:
        raise _unregistered("it has nothing in common with it")
    fits = fit(scan, head, Volume(guide.data, moved.matrix @ guide.affine), guide_head)
    if moved.distance_mm > max(1.0, max(found.target)):
        raise _unregistered(_apart(moved, fits))
    fine = resample(guide.data, guide.affine, found.affine, found.shape, order=1)
    lies = Note("info", f"The guide lies within {moved.distance_mm:.1f} mm of the scan.")
    return fine, (lies, fit_note("The guide", "the scan", fits))


def _apart(moved: Alignment, fits: Fit) -> str:
    apart = f"it lies {moved.distance_mm:.1f} mm off"
    return f"{apart} and seems to be of another person" if judge(fits) == "two" else apart


def _unregistered(why: str) -> UserError:
    return UserError(
        "guide_unregistered",
        f"The guide is not aligned with the scan: {why}.",
        "Register the guide to the scan first, or run without it.",
    )


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
