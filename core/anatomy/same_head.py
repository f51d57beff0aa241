"""Whether two aligned scans show one head: how often their borders fit best where they lie, and not beside it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.anatomy.brain_surface import CROWN_MM, upper
from core.anatomy.head import Head
from core.smoothing import gaussian
from core.volume import Volume, bounding_box, resample, resized, spacing

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
# blocks below which nothing is concluded, and the shares that two people stay below and that one person exceeds
FEWEST, TWO_HEADS, ONE_HEAD = 60, 0.2, 0.3

Judgement = Literal["one", "unsure", "two", "unknown"]


@dataclass(frozen=True)
class Fit:
    """share: of ``blocks`` blocks of two scans, those that fit best where they lie."""

    share: float
    blocks: int


def judge(found: Fit) -> Judgement:
    """Return whether a fit is that of one head or of two, or neither is sure; "unknown" where too little is seen."""
    if found.blocks < FEWEST:
        return "unknown"
    if found.share < TWO_HEADS:
        return "two"
    return "one" if found.share >= ONE_HEAD else "unsure"


def fit(one: Volume, head: Head, other: Volume, other_head: Head) -> Fit:
    """Return how well the borders of ``other`` fit those of ``one``, where both lie as aligned as they can.

    Both are RAS+, of any contrast and units, each with its head on its own grid; of a whole head the part that is
    mostly brain counts. The magnitude of the gradient is compared, which contrasts share, on the grid of the scan with
    the thicker slices, 2 mm or coarser: in each block of 16 mm the squared correlation where the scans lie and at the
    26 places 6 mm beside it, along one axis, two or three.
    """
    base = max((one, other), key=lambda scan: max(scan.spacing))
    affine, shape = _grid(base)
    if min(shape) < 2:
        return Fit(0.0, 0)
    size = spacing(affine)
    (first, inside), (second, within) = (
        _borders(scan, seen, affine, shape) for scan, seen in ((one, head), (other, other_head))
    )
    both = inside & within
    if not both.any():
        return Fit(0.0, 0)
    steps = tuple(max(1, round(BESIDE_MM / side)) for side in size)
    sides = tuple(max(2, round(BLOCK_MM / side)) for side in size)
    box = bounding_box(both, (steps[0], steps[1], steps[2]))
    pads = [(0, -(part.stop - part.start) % side) for part, side in zip(box, sides, strict=True)]
    margins = [(step, step + pad) for step, (_, pad) in zip(steps, pads, strict=True)]
    here, there = np.pad(inside[box], pads).astype(np.float32), np.pad(within[box], margins).astype(np.float32)
    still, moving = np.pad(first[box], pads) * here, np.pad(second[box], margins) * there
    blocks = _Blocks(still, here, (sides[0], sides[1], sides[2]))
    found = []
    # where the scans lie comes first
    for place in product(*((0, step, -step) for step in steps)):
        part = tuple(
            slice(step + shift, step + shift + side)
            for step, shift, side in zip(steps, place, still.shape, strict=True)
        )
        found.append(blocks.correlation(moving[part], there[part]))
    seen = np.isfinite(found[0])
    beside = np.nan_to_num(np.stack(found[1:]), nan=0.0).max(axis=0)
    best = found[0][seen] > beside[seen]
    return Fit(float(best.mean()) if best.size else 0.0, best.size)


def _grid(base: Volume) -> tuple[Matrix, Triple]:
    """Return the grid of ``base`` with voxels of ``FINEST_MM`` or its own, where they are coarser."""
    own = np.array(base.spacing)
    ratio = np.maximum(own, FINEST_MM) / own
    x, y, z = (max(1, int(side / each)) for side, each in zip(base.data.shape, ratio, strict=True))
    return resized(base.affine, ratio), (x, y, z)


def _borders(scan: Volume, head: Head, affine: Matrix, shape: Triple) -> tuple[Float, Bool]:
    """Return the magnitude of the gradient of ``scan`` on another grid, as if it had been measured on that, and where
    it is compared: the head without its rim."""
    sizes = spacing(affine)
    axes, others = (each[:3, :3] / np.linalg.norm(each[:3, :3], axis=0) for each in (scan.affine, affine))
    coarser = np.sqrt((axes.T @ others) ** 2 @ np.square(sizes)) / np.array(scan.spacing)
    smooth = gaussian(scan.data, list(0.42 * np.sqrt(np.maximum(coarser**2 - 1, 0))), "nearest")
    slopes = np.gradient(resample(smooth, scan.affine, affine, shape, order=1), *sizes)
    steep = np.sqrt(sum(slope**2 for slope in slopes))
    mask = upper(head.mask, scan.spacing[2], CROWN_MM) if head.kind == "head" and head.mask.any() else head.mask
    inside = resample(mask, scan.affine, affine, shape, order=0)
    reach = [int(RIM_MM // side) for side in sizes]
    offsets = np.stack(np.meshgrid(*[np.arange(-far, far + 1) for far in reach], indexing="ij"), axis=-1)
    ball = np.linalg.norm(offsets * np.array(sizes), axis=-1) <= RIM_MM
    inside = ndimage.binary_erosion(inside, ball)
    unit = max(float(steep[inside].mean()) if inside.any() else 0.0, 1e-30)
    return np.asarray(steep / unit, np.float32), np.asarray(inside)


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
        # a product with ones adds up the last axis many times faster than a sum over three axes
        rows = (values.reshape(-1, k) @ np.ones(k, np.float32)).reshape(x, i, y, j, z)
        total: NDArray[np.float64] = rows.sum(axis=3, dtype=np.float64).sum(axis=1)
        return total.ravel()
