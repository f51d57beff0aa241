"""Where a crop lies in its brain, and what the other half of the brain shows there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.anatomy.head import BRAIN_ML
from core.volume import Box, bounding_box

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

# how far beyond the brain's box, in halves of it, a position still differs from another
REACH = 1.2


@dataclass(frozen=True, eq=False)
class Place:
    """What is known of a crop (X, Y, Z) beyond its own voxels.

    position: (3, X, Y, Z) float32, -1 to 1 along each axis of the box around the brain. mirrored: (X, Y, Z) float32,
    the scan across the middle of that box. known: (X, Y, Z) bool, where ``mirrored`` is a voxel of the scan that is
    not masked.
    """

    position: Float
    mirrored: Float
    known: Bool


def brain_box(head: Bool, voxel_ml: float) -> Box | None:
    """Return the box around a skull-stripped brain; None for a whole head, whose box is not that of the brain."""
    if not head.any() or float(head.sum()) * voxel_ml > BRAIN_ML:
        return None
    return bounding_box(head)


def along(values: NDArray[Any], extent: slice) -> NDArray[Any]:
    """Return voxel coordinates ``values`` of one axis as positions in ``extent``: 0 in its middle, 1 half of it on."""
    middle, half = (extent.start + extent.stop - 1) / 2, max(1.0, (extent.stop - extent.start) / 2)
    return np.asarray(np.clip((values - middle) / half, -REACH, REACH))


def position(points: NDArray[Any], box: Box) -> Float:
    """Return voxel coordinates (3, ...) as positions in ``box``, (3, ...) float32."""
    out = np.empty(points.shape, np.float32)
    for axis, extent in enumerate(box):
        out[axis] = along(points[axis], extent)
    return out


def places(brain: Bool) -> Float:
    """Return where each voxel lies in the box around ``brain``: (3, X, Y, Z), -1 to 1 along each axis."""
    out = np.zeros((3, *brain.shape), np.float32)
    for axis, extent in enumerate(bounding_box(brain)):
        placed = along(np.arange(brain.shape[axis]), extent)
        out[axis] = placed.reshape([-1 if other == axis else 1 for other in range(3)])
    return out


def across(x: NDArray[Any], box: Box) -> NDArray[Any]:
    """Return the voxel coordinates on the other side of the middle of ``box`` along X."""
    return np.asarray((box[0].start + box[0].stop - 1) - x)


def reversed_left_right(context: Float, place_x: int) -> Float:
    """Return ``context`` (channels, X, Y, Z) of the head seen in a mirror; ``place_x`` is its position along X."""
    seen = context[:, ::-1].copy()
    seen[place_x] *= -1
    return seen


def place_of(image: Float, mask: Bool, box: Box, crop: Box) -> Place:
    """Return what is known of ``crop`` of a voided scan ``image`` with ``mask``, both (X, Y, Z), RAS+."""
    points = np.stack(np.meshgrid(*[np.arange(part.start, part.stop) for part in crop], indexing="ij"))
    columns = across(np.arange(crop[0].start, crop[0].stop), box).astype(int)
    inside = (columns >= 0) & (columns < image.shape[0])
    columns = np.clip(columns, 0, image.shape[0] - 1)
    opposite = (columns, crop[1], crop[2])
    known = ~mask[opposite] & inside[:, None, None]
    return Place(position(points, box), np.where(known, image[opposite], 0).astype(np.float32), known)
