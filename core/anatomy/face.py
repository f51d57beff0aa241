"""The face in a scan of a head, and the scan without it: what lies before the brain and below its front is emptied.

The planes touch the convex hull of the brain in the sagittal view, as the one plane of quickshear does (Schimke and
Hale, USENIX HealthSec 2011), but there are many, from straight in front to steeply below.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.anatomy.brain import find_brain
from core.anatomy.head import Head
from core.errors import UserError
from core.files.nifti import Stored
from core.volume import Volume

Bool = NDArray[np.bool_]

# what stays between the brain and the emptied part, mm: its own membranes, and where the border of the brain is unsure
MARGIN_MM = 6.0
# from straight in front downwards, degrees: below that lie the skull base and the neck
STEEPEST_DEGREES = 50.0
STEP_DEGREES = 2.5


def without_face(stored: Stored, volume: Volume, head: Head) -> tuple[Stored, float]:
    """Return a scan whose face is as empty as the air around the head, and how much was emptied of the head, ml.

    volume, head: what ``stored`` holds. Every other voxel, the grid and the type stay as they are. A skull-stripped
    scan comes back as it is. UserError brain_not_found.
    """
    region = face_region(volume, head)
    if not region.any():
        return stored, 0.0
    outside = volume.data[~head.mask]
    air = np.float32(np.median(outside) if outside.size else volume.data.min())
    emptied = float((region & head.mask).sum() * np.prod(volume.spacing)) / 1000.0
    return stored.replace(region, np.full(region.shape, air, np.float32)), emptied


def face_region(volume: Volume, head: Head) -> Bool:
    """Return the voxels of ``volume`` that hold the face, (X, Y, Z) bool; none of a skull-stripped scan.

    They are all voxels beyond planes that touch the front and the front half of the base of the brain, with
    ``MARGIN_MM`` between, air included: its noise would show the outline. No voxel of the brain is among them.
    UserError brain_not_found for a whole head in which no likely brain is found.
    """
    if head.kind == "brain" or not head.mask.any():
        return np.zeros(volume.data.shape, bool)
    brain = find_brain(volume, head.mask).mask
    if not brain.any():
        raise UserError(
            "brain_not_found",
            "No brain is found in the scan, so its face cannot be removed.",
            "Take a scan that shows the whole brain, or remove the face, or the skull, with another program.",
        )
    return _beyond(brain, volume.affine) & ~brain


def _beyond(brain: Bool, affine: NDArray[np.float64]) -> Bool:
    """Return the voxels that lie farther in some direction between front and below than the brain and the margin."""
    # in mm along the axes of the patient: front is +Y, up is +Z
    index = np.argwhere(_surface(brain))
    front, up = (index @ affine[row, :3] + affine[row, 3] for row in (1, 2))
    axes = [np.arange(length) for length in brain.shape]
    all_front, all_up = (_ramp(axes, affine[row]) for row in (1, 2))
    found = np.zeros(brain.shape, bool)
    for angle in np.radians(np.arange(0.0, STEEPEST_DEGREES + STEP_DEGREES / 2, STEP_DEGREES)):
        reach = np.max(front * np.cos(angle) - up * np.sin(angle)) + MARGIN_MM
        found |= all_front * np.cos(angle) - all_up * np.sin(angle) > reach
    return found


def _surface(brain: Bool) -> Bool:
    return np.asarray(brain & ~ndimage.binary_erosion(brain))


def _ramp(axes: list[NDArray[np.intp]], row: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the coordinate of every voxel along one axis of the patient, (X, Y, Z), mm."""
    x, y, z = (axis * row[i] for i, axis in enumerate(axes))
    return np.asarray(x[:, None, None] + y[:, None] + z + row[3], np.float32)
