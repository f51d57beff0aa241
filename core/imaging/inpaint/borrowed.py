"""Tissue from elsewhere in the same head that continues what surrounds a masked region.

A brain shows most kinds of places more than once: in the other hemisphere, further along the midline, a gyrus further.
A few shifts of the scan, as it is and mirrored, that fit best around the mask and to what is likely within are joined,
each where it fits best (image completion by shifts: Pritch 2009; He and Sun 2012; here in 3D, with a mean to keep to).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from core.imaging.inpaint.mirror import Midline, find_midline, match
from core.imaging.problem import Problem
from core.volume import Box, bounding_box

Float = NDArray[np.float32]
Floats = NDArray[np.float64]
Bool = NDArray[np.bool_]

# shifts are searched for on a grid of about this, mm
WORK_MM = 2.0
# known tissue that is to be continued: as far as SHELL_MM from the mask, the nearer the more
SHELL_MM, FADE_MM = 8.0, 4.0
# a voxel of the mask whose variance is the median counts so much beside one at the border; compared smoothed
INSIDE, SMOOTH_MM = 0.125, 2.0
# shifts of each orientation, at least so far apart, and how many are joined
CANDIDATES, APART_MM, JOINED = 6, 8.0, 8
# in variances of the head, the cost of a source that is not known, but for a share of SPARE, and of a shift by FAR_MM
# along X, Y or Z: what lies below is another kind of place, a cerebellum, sooner than what lies before or behind
MISSING, SPARE, FAR, FAR_MM = 3.0, 0.02, 0.15, (50.0, 50.0, 20.0)
# how far around it a voxel is judged, and how soft the border between two sources is
LOCAL_MM, SOFT_MM = 4.0, 1.0
# a voxel that a source does not know is taken from another one
UNKNOWN = 10.0
# voxels compared at a step of a voxel, and shifts looked at for each candidate
POINTS, LOOKED_AT = 6_000, 1_000


@dataclass(frozen=True, eq=False)
class Borrowed:
    """values: (X, Y, Z) in the scan's units, 0 where not ``known``; known: where head tissue was found, in the mask;
    across: share of it that comes from the other hemisphere."""

    values: Float
    known: Bool
    across: float


class _Shift(NamedTuple):
    """Where a voxel's tissue is taken from: ``voxels`` (3,) further, of the scan or of its mirror image."""

    cost: float
    mirrored: bool
    voxels: NDArray[np.intp]


def borrow(problem: Problem, fill: Float, deviation: Float, opposite: bool = True) -> Borrowed:
    """Return tissue of the same head for the mask.

    fill, deviation: (X, Y, Z), what is likely within the mask, and how sure that is; in the scan's units.
    opposite: the other hemisphere may be taken from.
    """
    scene = _Scene(problem, fill, deviation, opposite)
    found = [*scene.search(mirrored=False), *(scene.search(mirrored=True) if opposite else [])]
    shifts = sorted(found, key=lambda shift: shift.cost)[:JOINED]
    return _mosaic(scene, [scene.taken(scene.refined(shift)) for shift in shifts])


@dataclass(frozen=True, eq=False)
class _Taken:
    """The tissue of one shift in the box around the mask, all (x, y, z): its values, where they are known and from the
    other hemisphere, and how badly it fits around each voxel."""

    values: Float
    known: Bool
    across: Bool
    cost: Float


class _Scene:
    """The scan with what is likely in its mask, and what of it may be taken from."""

    def __init__(self, problem: Problem, fill: Float, deviation: Float, opposite: bool) -> None:
        self.problem, self.spacing = problem, np.array(problem.spacing)
        self._midline = find_midline(problem)
        self._image = np.where(problem.mask, fill, problem.image).astype(np.float32)
        usable = problem.head & ~problem.mask
        if not opposite:
            usable &= _own_side(problem.mask, self._midline, problem.spacing)
        self._usable = usable.astype(np.float32)
        self._weight = _weight(problem, deviation)
        self._variance = max(float(self._image[problem.head].var()), 1e-12)
        self._steps = np.array([max(1, round(WORK_MM / size)) for size in problem.spacing])
        margin = [int(np.ceil((SHELL_MM + LOCAL_MM) / size)) for size in problem.spacing]
        self.box: Box = bounding_box(problem.mask, (margin[0], margin[1], margin[2]))
        # the same for all shifts: coarse scan, and voxels that are compared at a step of a voxel and that are filled
        self._coarse_image, self._coarse_weight, self._coarse_usable, self._coarse_mask = (
            self._coarse(part) for part in (self._image, self._weight, self._usable, problem.mask.astype(np.float32))
        )
        self._spline = ndimage.spline_filter(self._image, 3, output=np.float32)
        compared = np.argwhere(self._weight > 0)
        self._compared = compared[:: max(1, len(compared) // POINTS)].T
        ranges = (np.arange(part.start, part.stop) for part in self.box)
        self._here = np.stack(np.meshgrid(*ranges, indexing="ij")).reshape(3, -1)
        self._heights = self._midline.heights(self._here * self.spacing[:, None])
        self._local = _widths(LOCAL_MM, self.spacing)
        self._near = np.maximum(ndimage.gaussian_filter(self._weight[self.box], self._local), 1e-6)

    def search(self, mirrored: bool) -> Iterator[_Shift]:
        """Yield the ``CANDIDATES`` shifts of least cost: the sums over mask and shell for all shifts at once."""
        source, usable = self._source(mirrored)
        part = bounding_box(self._coarse_weight > 0)
        target, weight, mask = self._coarse_image[part], self._coarse_weight[part], self._coarse_mask[part]
        size = [fft.next_fast_len(a + b, real=True) for a, b in zip(source.shape, target.shape, strict=True)]
        error = (weight * target**2).sum() - 2 * _sums(weight * target, source, size) + _sums(weight, source**2, size)
        missing = 1 - _sums(mask / max(float(mask.sum()), 1e-6), usable, size)
        axes = [
            np.where(np.arange(n) < length, np.arange(n), np.arange(n) - n) - each.start
            for n, length, each in zip(size, source.shape, part, strict=True)
        ]
        sampling = self._steps * self.spacing
        x, y, z = ((axis * step / far) ** 2 for axis, step, far in zip(axes, sampling, FAR_MM, strict=True))
        cost = error / (weight.sum() * self._variance) + MISSING * np.maximum(missing - SPARE, 0)
        cost += FAR * (x[:, None, None] + y[None, :, None] + z[None, None, :])
        chosen: list[NDArray[np.intp]] = []
        for index in np.argsort(cost, axis=None)[: LOOKED_AT * CANDIDATES]:
            at = np.unravel_index(index, cost.shape)
            shift = np.array([axis[place] for axis, place in zip(axes, at, strict=True)])
            if all((np.abs(shift - other) * sampling).max() >= APART_MM for other in chosen):
                chosen.append(shift)
                yield _Shift(float(cost[at]), mirrored, shift * self._steps)
            if len(chosen) == CANDIDATES:
                return

    def refined(self, shift: _Shift) -> _Shift:
        """Return ``shift`` moved by a voxel, where the search left out voxels and that fits better."""
        weight, target = self._weight[tuple(self._compared)], self._image[tuple(self._compared)]

        def unlike(voxels: NDArray[np.intp]) -> float:
            there = self._places(self._compared, shift.mirrored, voxels)
            values = ndimage.map_coordinates(self._image, there, order=1)
            return float((weight * (values - target) ** 2).sum())

        best = shift.voxels
        for axis in np.flatnonzero(self._steps > 1):
            step = np.eye(3, dtype=np.intp)[axis]
            best = min((best, best - step, best + step), key=unlike)
        return shift._replace(voxels=best)

    def taken(self, shift: _Shift) -> _Taken:
        """Return what ``shift`` shows in the box, its contrast matched in the shell around the mask."""
        mask, weight, image = self.problem.mask[self.box], self._weight[self.box], self._image[self.box]
        there = self._places(self._here, shift.mirrored, shift.voxels)
        known = ndimage.map_coordinates(self._usable, there, order=1).reshape(mask.shape) > 0.9
        values = ndimage.map_coordinates(self._spline, there, order=3, prefilter=False).reshape(mask.shape)
        around = known & ~mask & (weight > 0)
        gain, offset = match(values[around], image[around])
        values = (gain * values + offset).astype(np.float32)
        across = self._heights * self._midline.heights(there * self.spacing[:, None]) < 0
        return _Taken(values, known, across.reshape(mask.shape), self._misfit(values, known))

    def _misfit(self, values: Float, known: Bool) -> Float:
        """Return how badly ``values`` fit around each voxel of the box: the shell as they are, the mean smoothed."""
        mask, weight, image = self.problem.mask[self.box], self._weight[self.box], self._image[self.box]
        off = values - image
        error = np.where(mask, ndimage.gaussian_filter(off, _widths(SMOOTH_MM, self.spacing)), off) ** 2
        fit = ndimage.gaussian_filter(weight * error, self._local) / self._near
        gone = ndimage.gaussian_filter((mask & ~known).astype(np.float32), _widths(SOFT_MM, self.spacing))
        return np.asarray(fit + UNKNOWN * self._variance * gone, np.float32)

    def _places(self, here: NDArray[np.intp], mirrored: bool, voxels: NDArray[np.intp]) -> Floats:
        """Return where in the scan the tissue of the voxels ``here`` (3, N) is taken from."""
        there = (here + voxels[:, None]).astype(np.float64)
        millimetres = self.spacing[:, None]
        return self._midline.reflect(there * millimetres) / millimetres if mirrored else there

    def _coarse(self, values: Float) -> Float:
        every = tuple(slice(None, None, int(step)) for step in self._steps)
        return np.asarray(ndimage.gaussian_filter(values, np.where(self._steps > 1, 0.4 * self._steps, 0))[every])

    def _source(self, mirrored: bool) -> tuple[Float, Float]:
        """Return the coarse scan and how far each voxel may be taken from, as they are or mirrored."""
        if not mirrored:
            return self._coarse_image, self._coarse_usable
        sampling, shape = (self._steps * self.spacing)[:, None], self._coarse_image.shape
        places = self._midline.reflect(np.indices(shape).reshape(3, -1) * sampling) / sampling
        image, usable = (
            ndimage.map_coordinates(part, places, order=1).reshape(shape)
            for part in (self._coarse_image, self._coarse_usable)
        )
        return image, usable


def _mosaic(scene: _Scene, taken: Sequence[_Taken]) -> Borrowed:
    """Return at each voxel what fits best around it, with soft borders."""
    problem, box = scene.problem, scene.box
    best = np.argmin([each.cost for each in taken], axis=0)
    widths = _widths(SOFT_MM, scene.spacing)
    mixed, whole = np.zeros(best.shape, np.float32), np.full(best.shape, 1e-6, np.float32)
    for index, each in enumerate(taken):
        share = ndimage.gaussian_filter((best == index).astype(np.float32), widths)
        mixed += share * each.values
        whole += share
    known = np.choose(best, [each.known for each in taken]) & problem.mask[box]
    across = np.choose(best, [each.across for each in taken]) & known
    values, where = np.zeros(problem.mask.shape, np.float32), np.zeros(problem.mask.shape, bool)
    values[box], where[box] = np.where(known, mixed / whole, 0), known
    return Borrowed(values, where, float(across.sum() / max(1, known.sum())))


def _own_side(mask: Bool, midline: Midline, spacing: tuple[float, float, float]) -> Bool:
    """Return the voxels no further across the midline than the mask reaches."""
    x, y, z = (index * size for index, size in zip(np.ogrid[tuple(slice(n) for n in mask.shape)], spacing, strict=True))
    heights = midline.heights((x, y, z))
    side = 1.0 if heights[mask].mean() >= 0 else -1.0
    return np.asarray(side * heights >= min(0.0, float((side * heights[mask]).min())))


def _weight(problem: Problem, deviation: Float) -> Float:
    """Return how much each voxel (X, Y, Z) counts when a source is compared: the shell, and less the sure mask."""
    mask, weight = problem.mask, np.zeros(problem.mask.shape, np.float32)
    margin = [int(np.ceil(SHELL_MM / size)) + 1 for size in problem.spacing]
    box = bounding_box(mask, (margin[0], margin[1], margin[2]))
    distance = ndimage.distance_transform_edt(~mask[box], sampling=problem.spacing)
    weight[box] = np.where(problem.head[box] & (distance <= SHELL_MM), np.exp(-distance / FADE_MM), 0)
    variance = np.maximum(deviation[mask].astype(np.float64) ** 2, 1e-12)
    weight[mask] = INSIDE * np.minimum(np.median(variance) / variance, 2)
    return weight


def _sums(of: Float, over: Float, size: Sequence[int]) -> Float:
    """Return for each shift the sum of ``of`` times ``over`` so shifted; negative shifts from the end."""
    product = np.conj(fft.rfftn(of, size)) * fft.rfftn(over, size)
    return np.asarray(fft.irfftn(product, size), np.float32)


def _widths(millimetres: float, spacing: Floats) -> Floats:
    return millimetres / spacing
