"""Patches of a scan for a network to learn from: an axis in the slices, measured as the axis across them was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.acquisition import Acquisition, Axis, measuring, whole
from core.imaging.superres.adaptation_cost import SIDE
from core.imaging.superres.prepared import RESIDUAL, measured_part, prepare

Float = NDArray[np.float32]
Matrix = NDArray[np.float32]

# voxels along a side of the smallest patch that holds enough slices
LEAST = 24
# so many of them fit along the longest axis of a scan of which one can be held back
LONGEST = 2.5
# patches held back, to see whether what was learnt holds where it was not
HELD_BACK = 8
# in parts of bright tissue: what is darker is air
AIR = 0.02
# share of a patch that tissue must fill, as in training
FILLED = 0.33
# a measured voxel of which a patch holds less is left out
WITHIN = 0.999
TRIES = 20


@dataclass(frozen=True, eq=False)
class Patch:
    """What a network is given, and what is known of the truth.

    context: (11, S, S, S), conditioning: (9,), as ``Prepared`` has them; parts: A+ A of each axis, (3, S, S).
    target: (S, S, S), the residual that is wanted; region: (S, S, S), 1 in tissue.
    known: for each axis the matrix (n, S) of what was measured of the target, None where each voxel was.
    """

    context: Float
    conditioning: Float
    parts: Float
    target: Float
    region: Float
    known: tuple[Matrix | None, Matrix | None, Matrix | None]


class OwnPatches:
    """Draws patches of one scan.

    volume: (X, Y, Z) float32, a first super-resolution of it, in parts of bright tissue, of which ``acquisition``
    measures exactly the scan; across: the axis across its slices. The same index gives the same patch.
    """

    def __init__(self, volume: Float, acquisition: Acquisition, across: int, multiple: int) -> None:
        self._volume, self._acquisition, self._across = volume, acquisition, across
        self._sharp = [axis for axis in sharpest(acquisition) if axis != across]
        self.side = min(SIDE, *(length // multiple * multiple for length in volume.shape))
        self._slab_axis, self._slab = self._held_back()

    @property
    def enough(self) -> bool:
        """Whether the scan is large enough to learn from one part of it and look at another."""
        return bool(self.side >= LEAST and self._volume.shape[self._slab_axis] >= LONGEST * self.side)

    def training(self, index: int) -> Patch:
        """Return patch ``index`` from outside the slab that is held back."""
        rng = np.random.default_rng([index, 11])
        return self._made(self._corner(rng, held_back=False), rng)

    def held_back(self) -> list[Patch]:
        """Return the patches from the slab that is held back."""
        drawn = (np.random.default_rng([index, 12]) for index in range(HELD_BACK))
        return [self._made(self._corner(rng, held_back=True), rng) for rng in drawn]

    def _held_back(self) -> tuple[int, slice]:
        """Return the longest axis, and a slab through the middle of the head across it."""
        axis = max(range(3), key=lambda one: self._volume.shape[one])
        filled = (self._volume > AIR).sum(axis=tuple(other for other in range(3) if other != axis))
        middle = int(np.searchsorted(np.cumsum(filled), filled.sum() / 2))
        last = self._volume.shape[axis] - self.side
        start = min(max(0, middle - self.side // 2), last)
        if start < self.side and last - start < self.side:
            # patches must fit beside it
            start = last
        return axis, slice(start, start + self.side)

    def _corner(self, rng: np.random.Generator, *, held_back: bool) -> tuple[int, ...]:
        """Return the first voxel of a patch of which a third or more is tissue, if one is found."""
        low: tuple[int, ...] = (0, 0, 0)
        for _ in range(TRIES):
            low = tuple(self._start(rng, axis, held_back) for axis in range(3))
            if (self._cut(low) > AIR).mean() >= FILLED:
                break
        return low

    def _start(self, rng: np.random.Generator, axis: int, held_back: bool) -> int:
        room = self._volume.shape[axis] - self.side
        if axis != self._slab_axis:
            return int(rng.integers(room + 1))
        if held_back:
            return int(self._slab.start)
        return int(rng.choice([*range(self._slab.start - self.side + 1), *range(self._slab.stop, room + 1)]))

    def _cut(self, low: Sequence[int]) -> Float:
        return self._volume[tuple(slice(start, start + self.side) for start in low)]

    def _made(self, low: Sequence[int], rng: np.random.Generator) -> Patch:
        across, sharp = self._across, int(rng.choice(self._sharp))
        truth = np.ascontiguousarray(np.swapaxes(self._cut(low), across, sharp))
        known = [_rows(axis, start, self.side) for axis, start in zip(self._acquisition.axes, low, strict=True)]
        known[across], known[sharp] = known[sharp], known[across]
        mirrored = [axis for axis in range(3) if rng.random() < 0.5]
        truth = np.ascontiguousarray(np.flip(truth, tuple(mirrored)))
        for axis in mirrored:
            matrix = known[axis]
            known[axis] = None if matrix is None else np.ascontiguousarray(matrix[:, ::-1])
        x, y, z = (_again(axis, self.side, rng) for axis in self._acquisition.axes)
        acquisition = Acquisition((x, y, z))
        prepared = prepare(acquisition.measure(truth), acquisition, 1.0)
        parts = np.stack([measured_part(axis) for axis in acquisition.axes])
        region = (truth > AIR).astype(np.float32)
        target = ((truth - prepared.base) / np.float32(RESIDUAL)).astype(np.float32)
        return Patch(prepared.context, prepared.conditioning, parts, target, region, (known[0], known[1], known[2]))


def sharpest(acquisition: Acquisition) -> list[int]:
    """Return the axes that were measured at the smallest distance, in fine voxels."""
    least = min(axis.step for axis in acquisition.axes)
    return [number for number, axis in enumerate(acquisition.axes) if axis.step <= 1.05 * least]


def _again(axis: Axis, side: int, rng: np.random.Generator) -> Axis:
    """Return how ``side`` voxels are sampled as ``axis`` samples its own, the first slice at random."""
    if axis.untouched:
        return whole(side)
    step = axis.step
    first = float(rng.uniform(-0.5, step - 0.5))
    if step == int(step):
        # slices that begin at a voxel border, as those of the scan do
        first = (axis.first + float(rng.integers(int(step)))) % step
        first -= step if first > step - 0.5 else 0
    count = max(1, int((side - 0.5 - first) / step) + 1)
    return replace(axis, fine=side, coarse=count, first=first)


def _rows(axis: Axis, start: int, side: int) -> Matrix | None:
    """Return what is measured of ``side`` voxels from ``start``, by the slices that lie wholly in them."""
    if axis.untouched:
        return None
    part = measuring(axis)[:, start : start + side]
    rows = part[part.sum(axis=1) > WITHIN]
    return np.asarray(rows, np.float32)
