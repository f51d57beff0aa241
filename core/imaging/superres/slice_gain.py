"""Brightness that alternates from slice to slice, as in interleaved 2D scans: found, measured and evened out.

Odd and even slices of an interleaved scan are two passes of the scanner. Where these differ, by a few percent and often
with another sign left and right, every view across the slices is striped. A smooth field of gain, whose sign changes
from one slice to the next, is estimated from slices and the mean of their two neighbours; it may drift along the
slices. A gain that slices have by themselves is not distinguished from anatomy, which changes as much between slices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.anatomy.intensity import MAD, tissue_level

Float = NDArray[np.float32]
Real = NDArray[np.float64]
Triple = tuple[float, float, float]
Reach = tuple[float, float]

# voxels above this share of bright tissue are looked at, in slices smoothed by this many mm
TISSUE, SMOOTH_MM = 0.15, 1.2
# relative change of the anatomy, in the slice and to the slices beside it, at which a voxel counts half
UNEVEN = 0.05
# no pass of a scanner differs from another by more
LARGEST = 0.3
# the field is found on cells of this size
CELL_MM = 4.0
# The field is a sum of ever finer ones; standard deviation of each: mm in the slices, slices across. Each is scaled
# down by what patterns that no scanner makes reach there. RMS error, as a share, of a gain that is the same everywhere
# (3 and 5 mm slices): 0.06 and 0.27; with the last reach alone 0.17 and 0.48. Of one that varies over 40 mm: 0.36 and
# 0.59; 0.33 and 0.66.
REACHES: tuple[Reach, Reach, Reach] = ((120.0, 30.0), (25.0, 5.0), (15.0, 2.5))
# the reach at which it is detected
DETECT = 1
# passes of the robust mean, and how many spreads off a voxel no longer counts: off the field, and off 0 while it is
# detected. With 4 in place of 1.5 there, scans that do not alternate reach 2.4, and some that do by 2 % no more.
PASSES, OUTLYING, STANDING_OUT = 3, 2.5, 1.5
# How much stronger the field must be than those of patterns of periods 3 and 4, which no scanner makes: docs/results.md
FOUND = 2.8
# RMS of the gain less 1 that is worth a correction, and slices that can show a pattern
LEAST, FEWEST_SLICES = 0.0025, 12
# share of the largest trust from which tissue counts in the largest gain
TRUSTED = 0.05


@dataclass(frozen=True, eq=False)
class SliceGain:
    """gain: (x, y, z) float32, about 1; the scan is the even one times ``gain``. typical: RMS of ``gain`` - 1 in
    tissue, largest: its largest size there. strength: beside patterns that no scanner makes, see ``FOUND``."""

    gain: Float
    typical: float
    largest: float
    strength: float

    @property
    def figures(self) -> str:
        """How much slices differ from the next, in words."""
        return (
            f"The brightness of the slices alternates, by {200 * self.typical:.1f}% from one to the next (RMS; at most "
            f"{200 * self.largest:.1f}%), as in interleaved scans"
        )


def slice_gain(image: Float, spacing: Triple, axis: int) -> SliceGain | None:
    """Return the alternating gain of the slices of ``image`` (x, y, z) along ``axis``; None where there is none.

    spacing: mm. None also for scans with negative voxels, with fewer than ``FEWEST_SLICES`` slices, and for a gain of
    less than ``LEAST``.
    """
    seen = _seen(image, spacing, axis)
    strength = 0.0 if seen is None else seen.strength()
    if seen is None or strength < FOUND:
        return None
    field = np.clip(seen.measured(), -LARGEST / 2, LARGEST / 2)
    typical = float(np.sqrt(np.average(np.square(field), weights=seen.weight)))
    if typical < LEAST:
        return None
    inside = np.abs(field[seen.weight > TRUSTED * seen.weight.max()])
    count = image.shape[axis]
    gain = 1 + _on_voxels(field, np.moveaxis(image, axis, 2).shape, seen.block) * _signs(count)
    return SliceGain(
        np.ascontiguousarray(np.moveaxis(gain.astype(np.float32), 2, axis)),
        typical,
        float(np.percentile(inside, 99)),
        strength,
    )


def gain_strength(image: Float, spacing: Triple, axis: int) -> float:
    """Return how much more the slices of ``image`` along ``axis`` alternate than they follow other patterns; 0 where
    ``slice_gain`` does not look."""
    seen = _seen(image, spacing, axis)
    return 0.0 if seen is None else seen.strength()


def _seen(image: Float, spacing: Triple, axis: int) -> _Seen | None:
    if image.shape[axis] < FEWEST_SLICES or float(image.min()) < 0:
        return None
    return _Seen(np.moveaxis(image, axis, 2), [size for other, size in enumerate(spacing) if other != axis])


class _Seen:
    """Slices as far as they show a gain: each beside the mean of its two neighbours, on cells of some voxels."""

    def __init__(self, slices: Float, sides: list[float]) -> None:
        self.block = max(1, round(CELL_MM / sides[0])), max(1, round(CELL_MM / sides[1]))
        self._size = [block * size for block, size in zip(self.block, sides, strict=True)]
        smooth = ndimage.gaussian_filter(slices, [*(SMOOTH_MM / size for size in sides), 0])
        below, here, above = smooth[..., :-2], smooth[..., 1:-1], smooth[..., 2:]
        middle = np.maximum((below + above) / 2, np.float32(1e-6))
        tissue = np.minimum(np.minimum(below, here), above) > TISSUE * tissue_level(slices)
        slope = np.hypot(*np.gradient(middle, axis=(0, 1)))
        uneven = (np.abs(above - below) / 2 + slope) / middle
        self._change = np.where(tissue, here / middle - 1, 0)
        self._trust = np.where(tissue & (np.abs(self._change) < LARGEST), 1 / (1 + (uneven / UNEVEN) ** 2), 0)
        self.weight = self._cells(self._trust)
        self._alternating = _signs(slices.shape[2])[1:-1]
        self._others = _patterns(len(self._alternating))

    def strength(self) -> float:
        """Return the RMS of the alternating field beside that of fields of other patterns; 0 without tissue."""
        if not self.weight.any():
            return 0.0
        trust = self._trust * self._likely(self._change, STANDING_OUT)
        weight, sums = self._cells(trust), self._cells(trust * self._change)
        fields = self._fields([self._alternating, *self._others], weight, sums, REACHES[DETECT])
        alternating, *others = (self._power(field) for field in fields)
        return float(np.sqrt(alternating / max(float(np.mean(others)), 1e-12)))

    def measured(self) -> Real:
        """Return the smooth field (cells x, cells y, inner slices) whose alternation is the gain less 1."""
        trust = self._robust()
        weight, sums = self._cells(trust), self._cells(trust * self._change)
        total, found = np.zeros(weight.shape), np.zeros(weight.shape)
        chances = [np.zeros(weight.shape) for _ in self._others]
        for reach in REACHES:
            finer, *others = self._fields([self._alternating, *self._others], weight, sums, reach)
            chance = np.mean([self._power(one - before) for one, before in zip(others, chances, strict=True)])
            detail = finer - found
            total += max(0.0, 1 - float(chance) / max(self._power(detail), 1e-12)) * detail
            found, chances = finer, others
        return total

    def _robust(self) -> Real:
        """Return the trust in each voxel (x, y, inner slices), none in those that no smooth field explains."""
        trust = self._trust
        for _ in range(PASSES - 1):
            weight, sums = self._cells(trust), self._cells(trust * self._change)
            (field,) = self._fields([self._alternating], weight, sums, REACHES[-1])
            explained = 2 * self._alternating * _on_voxels(field, self._change.shape, self.block)
            trust = self._trust * self._likely(self._change - explained, OUTLYING)
        return trust

    def _likely(self, apart: Real, spreads: float) -> Real:
        """Return Tukey's weight of each voxel ``apart`` (x, y, inner slices), 0 from so many ``spreads`` on."""
        typical = float(np.median(np.abs(apart[self._trust > 0.1 * self._trust.max()])))
        limit = max(spreads * MAD * typical, 1e-9)
        return np.asarray(np.square(np.clip(1 - np.square(apart / limit), 0, 1)))

    def _fields(self, patterns: Sequence[Real], weight: Real, sums: Real, reach: Reach) -> list[Real]:
        """Return for each of ``patterns`` of signs the smooth field (cells x, cells y, inner slices) that is the gain
        less 1 when multiplied by them.

        A slice stands out from the mean of its neighbours by twice that. weight, sums: of trust and trusted change in
        each cell. Normalised convolution (Knutsson and Westin 1993).
        """
        sigma = [*(reach[0] / size for size in self._size), reach[1]]
        there = ndimage.gaussian_filter(weight, sigma, mode="constant")
        there = np.maximum(there, 1e-3 * float(there.max()) + 1e-12)
        totals = (ndimage.gaussian_filter(sums * signs, sigma, mode="constant") for signs in patterns)
        return [np.asarray(total / there / 2, np.float64) for total in totals]

    def _power(self, field: Real) -> float:
        return float(np.average(np.square(field), weights=self.weight))

    def _cells(self, values: NDArray[np.floating]) -> Real:
        """Return the sums over the cells of ``values`` (x, y, inner slices)."""
        x, y = self.block
        padded = np.pad(values, [(0, -values.shape[0] % x), (0, -values.shape[1] % y), (0, 0)])
        parts = padded.reshape(padded.shape[0] // x, x, padded.shape[1] // y, y, -1)
        return np.asarray(parts.sum(axis=(1, 3), dtype=np.float64))


def _signs(count: int) -> Real:
    return np.where(np.arange(count) % 2, -1.0, 1.0)


def _patterns(count: int) -> list[Real]:
    """Return signs of ``count`` slices with periods of 4 and 3, mean square 1."""
    third = 2 * np.pi * np.arange(count) / 3
    return [
        np.resize([1.0, 1, -1, -1], count),
        np.resize([1.0, -1, -1, 1], count),
        np.sqrt(2) * np.cos(third),
        np.sqrt(2) * np.sin(third),
    ]


def _on_voxels(field: Real, shape: tuple[int, ...], block: tuple[int, int]) -> Float:
    """Return the ``field`` of cells and inner slices on voxels (x, y, slices) of ``shape``, linearly; the first and
    last slice as the one beside them."""
    out = field.astype(np.float32)
    for axis, size in enumerate(block):
        place = np.clip((np.arange(shape[axis]) + 0.5) / size - 0.5, 0, out.shape[axis] - 1)
        low = np.floor(place).astype(np.intp)
        share = (place - low).astype(np.float32).reshape([-1 if other == axis else 1 for other in range(3)])
        high = np.minimum(low + 1, out.shape[axis] - 1)
        out = np.take(out, low, axis) * (1 - share) + np.take(out, high, axis) * share
    ends = (shape[2] - field.shape[2]) // 2
    return np.pad(out, [(0, 0), (0, 0), (ends, ends)], mode="edge")
