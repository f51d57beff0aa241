"""Blinding of the images of a study: nothing but their voxels differs.

All of them get one header, type (uint8), voxel size, grid and range; outside the head all are 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.anatomy.head import find_head
from core.errors import UserError
from core.files.nifti import Stored, write_stored
from core.volume import Volume, bounding_box, corners, to_spacing

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]
Size = tuple[float, float, float]
Shape = tuple[int, int, int]
Box = tuple[slice, slice, slice]

MARGIN = 3
SAME_MM = 1e-3
# voxel sizes nearer than this are one
SAME_SIZE = 0.01
WINDOW = (0.5, 99.8)
MOST_VOXELS = 320**3


@dataclass(frozen=True)
class Frame:
    """The grid of all images of a study: voxel size in mm and shape, both (X, Y, Z)."""

    spacing: Size
    shape: Shape

    @property
    def affine(self) -> NDArray[np.float64]:
        """Affine (4, 4) from voxels to mm, RAS+, with 0 in the middle of the grid."""
        affine = np.diag([*self.spacing, 1.0])
        affine[:3, 3] = -(np.array(self.shape) - 1) / 2 * np.array(self.spacing)
        return affine


@dataclass(frozen=True, eq=False)
class Head:
    """The head of a case: its box on the grid of the images, and its mask (X, Y, Z) bool inside the box."""

    box: Box
    mask: Bool


def common_spacing(sizes: Sequence[Size]) -> Size:
    """Return the voxel size in mm that most images have, rounded to 0.01 mm."""
    (size, _), *_ = Counter(tuple(round(side, 2) for side in each) for each in sizes).most_common()
    x, y, z = size
    return x, y, z


def on_spacing(volume: Volume, size: Size) -> Volume:
    """Return ``volume`` resampled to voxels of ``size`` mm; itself where it has them already."""
    return volume if np.allclose(volume.spacing, size, rtol=SAME_SIZE) else to_spacing(volume, size)


def head_of(case: str, images: Sequence[Volume]) -> Head:
    """Return the head that all images of a case have in common; UserError study_grid, study_head."""
    first = images[0]
    for other in images[1:]:
        apart = other.data.shape != first.data.shape
        if apart or np.abs(corners(first.affine, first.data.shape) - corners(other.affine, other.data.shape)).max() > (
            SAME_MM
        ):
            raise UserError(
                "study_grid",
                f"The images of case {case} lie on different grids.",
                "Resample them onto one grid first; interpolating only some of them would make them recognisable.",
            )
    mask = np.logical_and.reduce([find_head(image).mask for image in images])
    if not mask.any():
        raise UserError("study_head", f"No head was found in the images of case {case}.", "Look at them and leave out.")
    box = bounding_box(mask)
    return Head(box, mask[box])


def frame_of(spacing: Size, heads: Sequence[Head]) -> Frame:
    """Return the smallest frame that holds every head with a margin of 3 voxels; UserError study_large."""
    x, y, z = (max(head.mask.shape[axis] for head in heads) + 2 * MARGIN for axis in range(3))
    if x * y * z > MOST_VOXELS:
        raise UserError(
            "study_large", "The images are too large to be looked at in a browser.", "Resample them to 1 mm first."
        )
    return Frame(spacing, (x, y, z))


def window_of(images: Sequence[Float]) -> tuple[float, float]:
    """Return the intensities that become 1 and 255, the 0.5th and 99.8th percentile of ``images``, each (N,)."""
    low, high = np.percentile(np.concatenate(images), WINDOW)
    return float(low), max(float(high), float(low) + 1e-6)


def encoded(data: Float, head: Head, window: tuple[float, float], frame: Frame) -> NDArray[np.uint8]:
    """Return an image (X, Y, Z) on the frame as uint8: 1 to 255 in the head, 0 around it."""
    low, high = window
    grey = np.clip((data[head.box] - low) / (high - low), 0, 1) * 254 + 1
    framed = np.zeros(frame.shape, np.uint8)
    framed[place(head, frame)] = np.where(head.mask, np.rint(grey), 0)
    return framed


def placed(mask: Bool, head: Head, frame: Frame) -> Bool:
    """Return a mask (X, Y, Z) of the grid of a case's images on the frame."""
    framed = np.zeros(frame.shape, np.bool_)
    framed[place(head, frame)] = mask[head.box]
    return framed


def place(head: Head, frame: Frame) -> Box:
    """Return the box of a head in the middle of the frame."""
    first = [(whole - own) // 2 for whole, own in zip(frame.shape, head.mask.shape, strict=True)]
    x, y, z = (slice(start, start + own) for start, own in zip(first, head.mask.shape, strict=True))
    return x, y, z


def write(path: Path, image: NDArray[np.uint8], frame: Frame) -> None:
    """Write an image of the frame as NIfTI; files of two images have the same header and number of bytes."""
    write_stored(path, Stored(image, frame.affine))
