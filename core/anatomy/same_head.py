"""Whether two aligned scans show one head: how often their borders fit best where they lie, and not beside it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.volume import Volume, bounding_box, resample, spacing

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]
Matrix = NDArray[np.float64]
Triple = tuple[int, int, int]

# finest voxel that is compared, mm; side of a block; how far beside its place each block is looked for
FINEST_MM, BLOCK_MM, BESIDE_MM = 2.0, 16.0, 6.0
# depth of the border of a head that is left out: skulls are stripped differently in two contrasts of one head
RIM_MM = 3.0
# share of a block that both heads must fill
FILLED = 0.3


@dataclass(frozen=True)
class Fit:
    """share: of ``blocks`` blocks of two scans, those that fit best where they lie."""

    share: float
    blocks: int


def fit(one: Volume, head: Bool, other: Volume, other_head: Bool) -> Fit:
    """Return how well the borders of ``other`` fit those of ``one``, where both lie as aligned as they can.

    Both are RAS+, of any contrast and units; ``head`` and ``other_head`` (X, Y, Z) bool are where each is looked at, on
    its own grid. The magnitude of the gradient is compared, which contrasts share, on the grid of the scan with the
    thicker slices, 2 mm or coarser: in each block of 16 mm the squared correlation where the scans lie and at the 26
    places 6 mm beside it, along one axis, two or three.
    """
    base = max((one, other), key=lambda scan: max(scan.spacing))
    affine, shape = _grid(base)
    size = np.array(spacing(affine))
    (first, inside), (second, within) = (
        (_borders(scan, affine, shape), _core(mask, scan, affine, shape))
        for scan, mask in ((one, head), (other, other_head))
    )
    both = inside & within
    if not both.any():
        return Fit(0.0, 0)
    # as far beyond what both show as blocks are moved
    x, y, z = (max(1, round(BESIDE_MM / side)) for side in size)
    box = bounding_box(both)
    sides = tuple(max(2, round(BLOCK_MM / side)) for side in size)
    pads = [(0, -(part.stop - part.start) % side) for part, side in zip(box, sides, strict=True)]
    still, here = (np.pad(part[box], pads).astype(np.float32) for part in (first, inside))
    margins = [(step, step + pad[1]) for step, pad in zip((x, y, z), pads, strict=True)]
    moving, there = (np.pad(part[box], margins).astype(np.float32) for part in (second * within, within))
    blocks = _Blocks(still * here, here, (sides[0], sides[1], sides[2]))
    scores = []
    for step in sorted(product((0, x, -x), (0, y, -y), (0, z, -z)), key=lambda s: s != (0, 0, 0)):
        part = tuple(
            slice(shift + margin, shift + margin + side)
            for shift, margin, side in zip(step, (x, y, z), still.shape, strict=True)
        )
        scores.append(blocks.correlation(moving[part], there[part]))
    found = np.stack(scores)
    seen = np.isfinite(found[0])
    if not seen.any():
        return Fit(0.0, 0)
    best = np.nan_to_num(found[:, seen], nan=-1.0).argmax(axis=0) == 0
    return Fit(float(best.mean()), int(seen.sum()))


def _grid(base: Volume) -> tuple[Matrix, Triple]:
    """Return the grid of ``base`` with voxels of ``FINEST_MM`` or its own, where they are coarser."""
    own = np.array(base.spacing)
    ratio = np.maximum(own, FINEST_MM) / own
    affine = base.affine.copy()
    affine[:3, :3] *= ratio
    affine[:3, 3] += base.affine[:3, :3] @ ((ratio - 1) / 2)
    x, y, z = (max(1, int(side / each)) for side, each in zip(base.data.shape, ratio, strict=True))
    return affine, (x, y, z)


def _borders(scan: Volume, affine: Matrix, shape: Triple) -> Float:
    """Return the magnitude of the gradient of ``scan`` on another grid, as if it had been measured on that."""
    own, size = scan.affine[:3, :3] / np.array(scan.spacing), np.array(spacing(affine))
    target = np.sqrt((own.T @ (affine[:3, :3] / size)) ** 2 @ size**2)
    sigma = [0.42 * np.sqrt(max(0.0, (side / each) ** 2 - 1)) for side, each in zip(target, scan.spacing, strict=True)]
    smooth = ndimage.gaussian_filter(scan.data, sigma, mode="nearest")
    slopes = np.gradient(resample(smooth, scan.affine, affine, shape, order=1), *size)
    return np.asarray(np.sqrt(sum(slope**2 for slope in slopes)), np.float32)


def _core(mask: Bool, scan: Volume, affine: Matrix, shape: Triple) -> Bool:
    """Return ``mask`` of ``scan`` without its rim on another grid."""
    inside = resample(mask, scan.affine, affine, shape, order=0)
    depth = ndimage.distance_transform_edt(np.pad(inside, 1), sampling=spacing(affine))[1:-1, 1:-1, 1:-1]
    return np.asarray(depth > RIM_MM)


class _Blocks:
    """The blocks of a still image, whose sides in voxels are ``sides``, and what of it counts (``here``, 0 or 1)."""

    def __init__(self, still: Float, here: Float, sides: Triple) -> None:
        self._still, self._squares, self._here, self._sides = still, still**2, here, sides
        self._full = float(np.prod(sides))

    def correlation(self, moving: Float, there: Float) -> Float:
        """Return the squared correlation with ``moving`` in each block, (n,); nan where too little is seen."""
        both = self._sum(self._here * there)
        count = np.maximum(both, 1)
        mean, other = self._sum(self._still * there) / count, self._sum(moving * self._here) / count
        spread = self._sum(self._squares * there) / count - mean**2
        other_spread = self._sum(moving**2 * self._here) / count - other**2
        joint = self._sum(self._still * moving) / count - mean * other
        found = joint**2 / np.maximum(spread * other_spread, 1e-20)
        return np.asarray(np.where(both < FILLED * self._full, np.nan, found), np.float32)

    def _sum(self, values: Float) -> NDArray[np.float64]:
        i, j, k = self._sides
        x, y, z = (side // each for side, each in zip(values.shape, self._sides, strict=True))
        total: NDArray[np.float64] = values.reshape(x, i, y, j, z, k).sum(axis=(1, 3, 5), dtype=np.float64)
        return total.ravel()
