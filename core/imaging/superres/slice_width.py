"""How thick slices were measured, estimated from the scan: its own planes, blurred along one axis, against its slices.

The scan is blurred along an axis in the plane of the slices as slices of a width would have blurred it. With the true
width it is blurred alike along that axis and across the slices, and differences at the distance of slices are as large
along the one as along the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.acquisition import Axis, Profile, measuring
from core.anatomy.head import Head
from core.anatomy.intensity import tissue_level
from core.volume import Volume, bounding_box

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

# fewest slices, in-plane voxels to one distance of slices, and differences that are looked at along each axis
FEWEST_SLICES, LEAST_STEP, FEWEST = 16, 2.5, 2000
# of which order the differences are: the higher, the nearer to the finest that slices show, where width counts most
ORDER = 4
# widths that are tried, in parts of the distance of slices
TRIED = (0.4, 0.6, 0.8, 1.0, 1.25, 1.6, 2.0)
# Heads are not alike along all axes. Mean, by the axis across slices (X, Y, Z), and standard deviation of the logarithm
# of the ratio of squared differences that the true width leaves, over 13 scans (docs/results.md)
USUAL = (0.04, 0.06, -0.2)
SPREAD = 0.1
# Standard deviations by which an estimate must exceed slices that touch to be taken. A thinner one is not: to take
# slices for touching that leave gaps costs 0.2 dB, as much as the other way round (docs/notes.md), where 4 mm slices of
# a bell cost 1.2.
CERTAIN = 2.5
# lines beside each other are alike: one in so many is looked at
EVERY = 2
# where the brain of a whole head is
DEPTH_MM, HEIGHT_MM = 18.0, 110.0


@dataclass(frozen=True)
class SliceWidth:
    """width, deviation: the estimate and its standard deviation, mm; distance: of slices, mm."""

    width: float
    deviation: float
    distance: float

    @property
    def certain(self) -> bool:
        """Whether slices are thicker than they are apart, by more than chance explains."""
        return self.width - self.distance > CERTAIN * self.deviation

    @property
    def figures(self) -> str:
        """The estimate in words."""
        return f"{self.width:.2g} mm with a standard deviation of {self.deviation:.1g}"


def slice_width(volume: Volume, head: Head, across: int, profile: Profile) -> SliceWidth | None:
    """Return how thick the slices of ``volume`` across axis ``across`` were, if their profile is ``profile``.

    None for a scan that has too little of what is looked at: few slices, or voxels in the slices
    that are not much finer than the slices are apart.
    """
    image, inside = _looked_at(volume, head)
    distance = volume.spacing[across]
    sharp = [axis for axis in range(3) if axis != across and distance >= LEAST_STEP * volume.spacing[axis]]
    if image.shape[across] < FEWEST_SLICES or not sharp:
        return None
    found = []
    for axis in sharp:
        step = distance / volume.spacing[axis]
        lines, held = _lines(image, axis, across), _lines(inside, axis, across)
        ratios = [_log_ratio(lines, held, step, wide, profile) for wide in TRIED]
        found.append(np.array(ratios) - USUAL[across])
    # differences fall as the width grows
    ratio = np.minimum.accumulate(np.mean(found, axis=0))
    if not np.isfinite(ratio).all():
        return None
    width = float(np.interp(0.0, -ratio, TRIED))
    slope = float(np.interp(width, TRIED, np.gradient(ratio, TRIED)))
    return SliceWidth(width * distance, SPREAD / max(-slope, 1e-3) * distance, distance)


def _looked_at(volume: Volume, head: Head) -> tuple[Float, Float]:
    """Return the scan around the brain, its brightest voxels cut off, and where the brain is, nearly."""
    inside = head.mask if head.kind == "brain" else _deep(head.mask, volume.spacing)
    box = bounding_box(inside) if inside.any() else (slice(None),) * 3
    level = np.float32(tissue_level(volume.data))
    return np.minimum(volume.data[box], level), inside[box].astype(np.float32)


def _deep(head: Bool, spacing: tuple[float, float, float]) -> Bool:
    """Return what of a whole ``head`` lies ``DEPTH_MM`` below its surface and ``HEIGHT_MM`` below its top: skull, scalp
    and face differ along the axes more than brains do."""
    if not head.any():
        return head
    deep = ndimage.distance_transform_edt(np.pad(head, 1), sampling=spacing)[1:-1, 1:-1, 1:-1] > DEPTH_MM
    top = int(np.flatnonzero(head.any(axis=(0, 1)))[-1])
    deep[:, :, : max(0, top - round(HEIGHT_MM / spacing[2]))] = False
    return np.asarray(deep)


def _lines(image: Float, axis: int, across: int) -> Float:
    """Return lines along ``axis`` and ``across``, (n, slices, lines)."""
    return np.ascontiguousarray(np.moveaxis(image, (axis, across), (0, 1))[:, :, ::EVERY])


def _log_ratio(lines: Float, inside: Float, step: float, wide: float, profile: Profile) -> float:
    """Return the logarithm of squared differences along the first axis over those along the second, at the distance of
    slices, of ``lines`` blurred along the first by slices of ``wide`` of that distance; nan where there are too few.

    step: distance of slices in voxels of the first axis.
    """
    length, width = lines.shape[0], max(1.0, wide * step)
    edge = int(np.ceil(width / 2))
    count = int(length - 2 * edge - ORDER * step)
    if count < 1 or lines.shape[1] <= ORDER:
        return float("nan")
    signs = [(-1) ** index * comb(ORDER, index) for index in range(ORDER + 1)]
    blurs = [
        measuring(Axis(length, count, 1.0, width, edge + index * step, profile)).astype(np.float32)
        for index in range(ORDER + 1)
    ]
    along = np.tensordot(sum(sign * blur for sign, blur in zip(signs, blurs, strict=True)), lines, axes=(1, 0))
    whole = np.minimum.reduce([np.tensordot(blur, inside, axes=(1, 0)) for blur in blurs]) > 0.5
    blurred, held = np.tensordot(blurs[0], lines, axes=(1, 0)), np.tensordot(blurs[0], inside, axes=(1, 0)) > 0.5
    slices = lines.shape[1] - ORDER
    parts = [slice(index, index + slices) for index in range(ORDER + 1)]
    beside = sum(sign * blurred[:, part] for sign, part in zip(signs, parts, strict=True))
    there = np.logical_and.reduce([held[:, part] for part in parts])
    if min(int(whole.sum()), int(there.sum())) < FEWEST:
        return float("nan")
    energies = [max(float(np.square(part[where]).mean()), 1e-12) for part, where in ((along, whole), (beside, there))]
    return float(np.log(energies[0] / energies[1]))
