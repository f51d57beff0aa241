"""The description of a scan: measures and header values, and warnings about what is unusual."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.anatomy.head import Head
from core.files.nifti import Stored
from core.volume import Orientation, Volume

ANISOTROPIC = 2.0  # longest over shortest voxel side
OBLIQUE_DEGREES = 2.0
EXTENT_MM = (100.0, 350.0)  # a head fits; a single slab or a whole body does not


def orientation_name(orientation: Orientation) -> str:
    """Return where the file's axes point, as in "RAS" or "LPI"."""
    letters = ["", "", ""]
    for ras, (axis, flipped) in enumerate(zip(orientation.axes, orientation.flips, strict=True)):
        letters[axis] = "LPI"[ras] if flipped else "RAS"[ras]
    return "".join(letters)


def scan_facts(stored: Stored, volume: Volume, head: Head) -> dict[str, Any]:
    """Return the column ``facts`` of a scan as JSON: lengths in mm, volumes in ml, intensities in the scan's units.

    Where the thickness of slices is known also ``slices``: the axis X, Y, Z (0, 1, 2) across which they lie, and mm.
    """
    return {
        **({} if stored.slices is None else {"slices": list(stored.slices)}),
        "dtype": str(stored.values.dtype),
        "voxels": int(volume.data.size),
        "extent_mm": [round(float(length), 2) for length in extent(volume)],
        "volume_ml": round(float(np.prod(extent(volume))) / 1000.0, 1),
        "intensity": [float(volume.data.min()), float(volume.data.max())],
        "head": head.sentence,
        "head_kind": head.kind,
        "head_ml": round(head.volume_ml, 1),
    }


def scan_warnings(volume: Volume, head: Head) -> tuple[str, ...]:
    """Return a sentence for each property that may spoil the result."""
    return tuple(_warnings(volume, head))


def extent(volume: Volume) -> NDArray[np.float64]:
    """Return the lengths of the grid in mm along X, Y, Z."""
    return np.multiply(volume.data.shape, volume.spacing, dtype=np.float64)


def oblique_degrees(affine: NDArray[np.float64]) -> float:
    """Return the largest angle between a grid axis and its nearest scanner axis; affine: (4, 4), any units."""
    directions = affine[:3, :3] / np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    cosines = np.clip(np.abs(directions).max(axis=0), 0.0, 1.0)
    return float(np.degrees(np.arccos(cosines)).max())


def _warnings(volume: Volume, head: Head) -> Iterator[str]:
    sides = volume.spacing
    if max(sides) > ANISOTROPIC * min(sides):
        yield (
            f"The voxels are {max(sides) / min(sides):.1f} times longer than wide: "
            "fine structure between slices is not in the scan."
        )
    if (angle := oblique_degrees(volume.affine)) > OBLIQUE_DEGREES:
        yield f"The grid is turned by {angle:.0f} degrees against the scanner's axes; the result keeps this grid."
    if float(volume.data.min()) < 0.0:
        yield "Some voxels are negative, as after resampling or standardising; check that this is the scan you meant."
    lengths = extent(volume)
    if lengths.min() < EXTENT_MM[0] or lengths.max() > EXTENT_MM[1]:
        size = " x ".join(f"{length:.0f}" for length in lengths)
        yield f"The scan covers {size} mm, which is unusual for a head."
    if head.volume_ml == 0.0:
        yield "No head stands out from the background."
