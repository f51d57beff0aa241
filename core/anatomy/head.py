"""The head in a scan, and whether its skull was stripped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.volume import Volume, bounding_box, without_holes

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]
Kind = Literal["brain", "head"]

WORK_MM = 3.0
BRAIN_ML = 2100.0
"""Largest plausible brain: the 33 stripped T1s measured were 1070 to 1660 ml, the whole heads 2870 ml and more."""
USUAL_ML = {"brain": (800.0, BRAIN_ML), "head": (1500.0, 7000.0)}
"""Volumes that are not remarked upon: of a whole brain of an adult, and of a head with or without its neck."""
LARGE_ML = 1700.0
"""More than any stripped scan measured; holes that somebody emptied are not what is dark in one as large."""
BORDERED = 0.3
"""Share of the voxels around an emptied mask that are tissue: a ball at the brain's surface has half and more."""
SKULL_MM = (8.0, 16.0)
"""Depth under the surface at which a whole head is bone and CSF: 18-58 % of it is dark, 0-9 % in stripped scans."""


@dataclass(frozen=True, eq=False)
class Head:
    """kind: "brain" for a skull-stripped scan, "head" for a whole head; mask: (X, Y, Z) bool on the scan's grid,
    holes filled; volume_ml: volume of the mask in ml."""

    kind: Kind
    mask: Bool
    volume_ml: float

    @property
    def sentence(self) -> str:
        """What was assumed, in words for the page."""
        if self.kind == "brain":
            text = f"Taken as skull-stripped: nothing but a brain of {self.volume_ml:.0f} ml is in the picture."
        else:
            text = f"Taken as a whole head: skull and scalp surround the brain, {self.volume_ml:.0f} ml in all."
        least, most = USUAL_ML[self.kind]
        if self.volume_ml < least:
            text += (
                f" That is less than a whole {self.kind} of an adult, which the networks learnt from: check the voxel "
                "size, and the result above all if it is of a child, an animal or a part."
            )
        if self.volume_ml > most:
            text += " That is more than a head has: what surrounds it is not empty, but noise or a bright border."
        return text


def find_head(volume: Volume) -> Head:
    """Return the head (or the brain of a skull-stripped scan) of ``volume``; an empty mask where nothing stands out.

    Works on a grid of about ``WORK_MM`` mm and draws the border on the scan's own grid.

    >>> x, y, z = np.indices((60, 70, 60)) * 3.0 - 90
    >>> ball = (x**2 + y**2 + z**2 < 70**2).astype(np.float32)
    >>> found = find_head(Volume(400 * ball, np.diag([3.0, 3.0, 3.0, 1.0])))
    >>> found.kind, round(found.volume_ml / 100)
    ('brain', 14)
    """
    background, exact = _background(volume.data)
    factors = tuple(max(1, round(WORK_MM / size)) for size in volume.spacing)
    sampling = tuple(size * factor for size, factor in zip(volume.spacing, factors, strict=True))
    coarse = np.abs(_block_mean(volume.data, factors) - np.float32(background))
    # The square root keeps the brain of a scan with a bright scalp on the tissue side.
    threshold = otsu(np.sqrt(coarse)) ** 2
    solid = _solid(coarse > threshold, sampling, closing_mm=8.0)
    stripped = _is_stripped(coarse, solid, sampling, exact)
    level = 0.5 * threshold
    if stripped and exact:
        level = 0.01 * threshold
        solid = _solid(coarse > level, sampling, closing_mm=4.0)
    mask = _on_full_grid(solid, volume.data, factors, (background - level, background + level), cut=not stripped)
    voxel_ml = float(np.prod(volume.spacing)) / 1000.0
    return Head("brain" if stripped else "head", mask, float(mask.sum()) * voxel_ml)


def with_void(head: Head, volume: Volume, void: Bool) -> Head:
    """Return ``head`` with the mask ``void`` (X, Y, Z) added where a scan came with it emptied already.

    An emptied mask is one value inside and tissue borders ``BORDERED`` of it, unlike a mask in the air around a head.
    """
    if not void.any() or np.ptp(volume.data[void]) > 0:
        return head
    box = bounding_box(void, 3)
    around = ndimage.binary_dilation(void[box], iterations=2) & ~void[box]
    if float(head.mask[box][around].mean()) < BORDERED:
        return head
    mask = head.mask | void
    ml = head.volume_ml * float(mask.sum()) / max(1.0, float(head.mask.sum()))
    return Head(head.kind, mask, ml)


def otsu(values: Float, bins: int = 256) -> float:
    """Return the threshold that splits ``values`` (any shape) into two classes of least spread (Otsu 1979, eq. 18).

    bins: of the histogram, from the lowest to the highest value.

    >>> dark, bright = np.full(900, 10, np.float32), np.full(100, 200, np.float32)
    >>> bool(10 < otsu(np.concatenate([dark, bright])) < 200)
    True
    """
    counts, edges = np.histogram(values, bins)
    centres = (edges[1:] + edges[:-1]) / 2
    weight = np.cumsum(counts) / max(values.size, 1)
    mean = np.cumsum(counts * centres) / max(values.size, 1)
    spread = weight * (1 - weight)
    between = np.where(spread > 1e-12, (mean[-1] * weight - mean) ** 2 / np.maximum(spread, 1e-12), 0.0)
    return float(centres[int(np.argmax(between))])


def _background(data: Float) -> tuple[float, bool]:
    """Return the level of the empty space and whether it is one exact value, as a stripped scan has it."""
    sample = data[::4, ::4, ::4]
    values, counts = np.unique(sample, return_counts=True)
    top = int(np.argmax(counts))
    if counts[top] > 0.2 * sample.size:
        return float(values[top]), True
    return float(np.percentile(sample, 1)), False


def _block_mean(data: Float, factors: tuple[int, ...]) -> Float:
    """Mean over blocks of ``factors`` voxels; a side shorter than its factor is repeated, a remainder left out."""
    data = np.pad(data, [(0, max(0, k - n)) for n, k in zip(data.shape, factors, strict=True)], mode="edge")
    x, y, z = (n // k for n, k in zip(data.shape, factors, strict=True))
    i, j, k = factors
    blocks = data[: x * i, : y * j, : z * k].reshape(x, i, y, j, z, k)
    return np.asarray(blocks.mean(axis=(1, 3, 5), dtype=np.float32))


def _solid(mask: Bool, sampling: tuple[float, ...], closing_mm: float) -> Bool:
    """Large components of ``mask``, closed by ``closing_mm`` and without holes in 3D or in any plane."""
    labels, count = ndimage.label(mask)
    if count == 0:
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    # Bone can part the scalp from the brain, and a stripped cerebellum can float free.
    solid = _close((sizes >= 0.1 * sizes.max())[labels], sampling, closing_mm)
    solid = without_holes(solid)
    # Bone that a cropped picture leaves open at one end is still ringed by tissue in some plane.
    for axis in range(3):
        solid = without_holes(solid, axis)
    return solid


def _close(mask: Bool, sampling: tuple[float, ...], radius_mm: float) -> Bool:
    margin = [int(np.ceil(radius_mm / size)) + 1 for size in sampling]
    padded = np.pad(mask, [(n, n) for n in margin])
    grown = ndimage.distance_transform_edt(~padded, sampling=sampling) <= radius_mm
    closed = ndimage.distance_transform_edt(grown, sampling=sampling) > radius_mm
    inner = tuple(slice(n, -n) for n in margin)
    return np.asarray(closed[inner] | mask)


def _is_stripped(coarse: Float, solid: Bool, sampling: tuple[float, ...], exact: bool) -> bool:
    """Brain or head: by volume, and for a small one by the dark ring that bone leaves under a scalp."""
    ml = float(solid.sum()) * float(np.prod(sampling)) / 1000.0
    if ml > BRAIN_ML:
        return False
    depth = ndimage.distance_transform_edt(np.pad(solid, 1), sampling=sampling)[1:-1, 1:-1, 1:-1]
    low, high = SKULL_MM
    ring, core = solid & (depth > low) & (depth <= high), solid & (depth > high)
    if not ring.any() or not core.any():
        return exact
    dark = float((coarse[ring] < 0.4 * np.median(coarse[core])).mean())
    return dark < (0.3 if exact and ml <= LARGE_ML else 0.13)


def _on_full_grid(solid: Bool, data: Float, factors: tuple[int, ...], empty: tuple[float, float], cut: bool) -> Bool:
    """Bring ``solid`` to the grid of ``data``: sure inside and outside from it, the border from the voxels.

    empty: the levels between which a voxel is empty space; cut: the picture may end inside the head, as at a neck.
    """
    cells = [np.minimum(np.arange(n) // k, m - 1) for n, k, m in zip(data.shape, factors, solid.shape, strict=True)]
    mask = (data > np.float32(empty[1])) | (data < np.float32(empty[0]))
    mask &= ndimage.binary_dilation(solid)[np.ix_(*cells)]
    mask |= ndimage.binary_erosion(solid, border_value=int(cut))[np.ix_(*cells)]
    return np.asarray(mask)
