"""Where a report looks: the planes that show most of a mask or of a brain, and the window of intensities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.anatomy.head import find_head, otsu
from core.declaration import Task
from core.files.nifti import Stored, read_own
from core.imaging import picture
from core.imaging.picture import Frame
from core.volume import Box, Volume, bounding_box

Affine = NDArray[np.float64]
Place = tuple[int, int, int]

# pictures of a whole head across the page, and those of a close-up two to a line
WIDE, NARROW = 1150, 640
AROUND_MM, MARGIN_MM = 22.0, 7.0
COARSE_MM = 3.0
# what is looked at of a whole head: no brain is taller
BRAIN_MM = 165.0
BRIGHT = 99.5


@dataclass(frozen=True, eq=False)
class Framing:
    """Where to look: the whole of it, and closely around a mask where there is one; the mask as stored."""

    whole: Frame
    close: Frame | None
    mask: Stored | None


def framing_of(task: Task, inputs: Mapping[str, Path], result: Stored) -> Framing:
    """Return where to look at ``result`` and the volumes beside it; inputs: input name -> file."""
    affine = result.ras_affine
    box, centre = _brain(result)
    mask = next((read_own(path) for name, path in inputs.items() if kind_of(task, name) == "mask"), None)
    close = None
    if mask is not None:
        marked, centre = _marked(mask, affine, result.ras_shape)
        box = _union(box, marked)
        close = picture.frame(affine, _widened(marked, affine, result.ras_shape), centre, NARROW)
    return Framing(picture.frame(affine, box, centre, WIDE), close, mask)


def _brain(result: Stored) -> tuple[Box, Place]:
    """Return the box of the head (or its upper part) and a voxel a little to the right of the brain's middle,
    where planes cut the ventricles, the deep nuclei and the cortex."""
    coarse, factors = _coarse(result)
    solid = find_head(coarse).mask
    shape = result.ras_shape
    if not solid.any():
        return _all(shape), (shape[0] // 2, shape[1] // 2, shape[2] // 2)
    x, y, z = bounding_box(solid)
    top = z.stop
    z = slice(max(z.start, top - round(BRAIN_MM / coarse.spacing[2])), top)
    x, y, _ = bounding_box(solid[:, :, z])
    places = ((x, 0.57), (y, 0.52), (z, 0.53))
    middle = [part.start + share * (part.stop - part.start) for part, share in places]
    centre = [min(n - 1, int(m * k)) for m, k, n in zip(middle, factors, shape, strict=True)]
    # the letters of the sides stand in the margin, which may lie beyond the grid
    margins = [round(MARGIN_MM * k / side) for k, side in zip(factors, coarse.spacing, strict=True)]
    whole = [
        slice(p.start * k - margin, p.stop * k + margin)
        for p, k, margin in zip(bounding_box(solid), factors, margins, strict=True)
    ]
    return (whole[0], whole[1], whole[2]), (centre[0], centre[1], centre[2])


def _marked(mask: Stored, affine: Affine, shape: Place) -> tuple[Box, Place]:
    """Return the box of the mask on the grid of ``affine``, and for each axis the plane that shows most of it."""
    inside = mask.orientation.to_ras(mask.values != 0)
    own = bounding_box(inside)
    areas = [inside.sum(axis=tuple(other for other in range(3) if other != axis)) for axis in range(3)]
    most = [int(np.argmax(area)) for area in areas]
    into = np.linalg.solve(affine, mask.ras_affine)
    points = np.array([[*most, 1], [*(p.start for p in own), 1], [*(p.stop - 1 for p in own), 1]], np.float64)
    centre, low, high = np.rint((points @ into.T)[:, :3]).astype(int)
    centre = np.clip(centre, 0, np.array(shape) - 1)
    sides = [slice(max(0, int(a)), min(n, int(b) + 1)) for a, b, n in zip(low, high, shape, strict=True)]
    return (sides[0], sides[1], sides[2]), (int(centre[0]), int(centre[1]), int(centre[2]))


def _widened(box: Box, affine: Affine, shape: Place) -> Box:
    """Return a box of equal sides in mm around ``box``, moved into the grid."""
    sides = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    reach = max((part.stop - part.start) * side for part, side in zip(box, sides, strict=True)) + 2 * AROUND_MM
    parts = []
    for part, side, length in zip(box, sides, shape, strict=True):
        wanted = min(length, round(reach / side))
        start = min(max(0, (part.start + part.stop - wanted) // 2), length - wanted)
        parts.append(slice(start, start + wanted))
    return parts[0], parts[1], parts[2]


def window_of(stored: Stored) -> tuple[float, float]:
    """Return the intensities drawn black and white: the darkest of all, and the brightest tissue."""
    values = _coarse(stored)[0].data
    low = float(np.percentile(values, 100 - BRIGHT))
    high = float(np.percentile(values[values >= otsu(values)], BRIGHT))
    return low, high if high > low else low + 1


def _coarse(stored: Stored) -> tuple[Volume, Place]:
    """Return every few voxels of a scan, about ``COARSE_MM`` apart, in RAS+, and how many voxels apart."""
    sides = np.sqrt((stored.ras_affine[:3, :3] ** 2).sum(axis=0))
    x, y, z = (max(1, min(round(COARSE_MM / side), n // 8)) for side, n in zip(sides, stored.ras_shape, strict=True))
    few = stored.orientation.to_ras(stored.values)[::x, ::y, ::z]
    data = (few * np.float64(stored.slope) + np.float64(stored.intercept)).astype(np.float32)
    affine = stored.ras_affine.copy()
    affine[:3, :3] *= (x, y, z)
    return Volume(data, affine), (x, y, z)


def _all(shape: Place) -> Box:
    return slice(0, shape[0]), slice(0, shape[1]), slice(0, shape[2])


def _union(first: Box, second: Box) -> Box:
    x, y, z = (slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(first, second, strict=True))
    return x, y, z


def kind_of(task: Task, name: str) -> str:
    """Return the kind of the input ``name`` of ``task``."""
    return next((entry.kind for entry in task.inputs if entry.name == name), "")
