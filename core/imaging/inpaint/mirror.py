"""Fill with the other hemisphere, mirrored across the brain's own midline."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core import device as devices
from core.events import Progress
from core.imaging.inpaint.classical import harmonic
from core.imaging.options import Options
from core.imaging.problem import Estimate, Problem
from core.measure.quality import Image, shell
from core.volume import Box

Float = NDArray[np.float32]
Floats = NDArray[np.float64]
Bool = NDArray[np.bool_]

WORK_MM = 3.0
POINTS = 12_000
"""Places compared at each step of the search; with all of them (50,000 and more) it moves by < 0.3 mm."""
# the surface's slope is that of the depth smoothed so; deeper than the second number, places stay where they are
SLOPE_MM = 1.5
LEVEL_MM = 20.0
SEARCH_OFFSETS_MM = (-12.0, -6.0, 0.0, 6.0, 12.0)
SEARCH_ANGLES = (-0.2, 0.0, 0.2)
# every which place is looked at by the coarse search, and how far apart, mm and radians, the planes are of which each
# round takes the best: coarse ones, then of all places
FEW = 4
FIRST, NEAR = (1.0, 0.5), (0.25, 0.12, 0.06)
APART = np.array([3.0, 0.1, 0.1])


@dataclass(frozen=True)
class Midline:
    """The mirror plane: ``normal . (p - centre) = offset``, p in mm along the grid's axes from its first voxel.

    centre: (x, y, z) mm; offset: mm to the right; yaw, roll: radians, turns of the normal towards +Y and +Z.
    """

    centre: tuple[float, float, float]
    offset: float
    yaw: float
    roll: float

    def reflect(self, points: Floats) -> Floats:
        """Return the mirror images of ``points`` (3, N), mm; its own inverse."""
        return np.asarray(points - 2 * np.array(self._normal())[:, None] * self.heights(points))

    def heights(self, points: Floats | tuple[Floats, Floats, Floats]) -> Floats:
        """Return how far to the right of the plane ``points`` lie, mm; their three parts may be of any shape."""
        x, y, z = (n * (part - c) for n, part, c in zip(self._normal(), points, self.centre, strict=True))
        return np.asarray(x + y + z - self.offset)

    def _normal(self) -> tuple[float, float, float]:
        yaw, roll = self.yaw, self.roll
        return float(np.cos(yaw) * np.cos(roll)), float(np.sin(yaw) * np.cos(roll)), float(np.sin(roll))


def mirror(problem: Problem, options: Options) -> Generator[Progress, None, Estimate]:
    """Fill with the mirrored hemisphere, its contrast matched around the mask; harmonic where it has no tissue."""
    smooth = yield from harmonic(problem, options)
    yield Progress(0.2, 1, 2, "Finding the midline and mirroring")
    seen, known = opposite(problem, smooth.values)
    return Estimate(np.where(known, seen, smooth.values))


def opposite(problem: Problem, filled: Float) -> tuple[Float, Bool]:
    """Return what the other hemisphere shows at the mirror places of the mask, and where that is known head tissue.

    Contrast is matched in the shell around the mask; both are (X, Y, Z), 0 where nothing is known. ``filled`` stands in
    for the masked region where a spline looks into it.
    """
    midline = find_midline(problem)
    complete = np.where(problem.mask, filled, problem.image)
    where = shell(problem.mask, problem.head, problem.spacing) | problem.mask
    taken, valid = _mirrored(problem, complete, where, midline)
    within = problem.mask[where]
    gain, shift = match(taken[valid & ~within], problem.image[where][valid & ~within])
    values, known = np.zeros(problem.mask.shape, np.float32), np.zeros(problem.mask.shape, bool)
    known[where] = valid & within
    values[known] = (gain * taken + shift)[valid & within]
    return values, known


def find_midline(problem: Problem) -> Midline:
    """Return the plane across which the scan looks most like itself.

    Correlates the scan with its reflection on a grid of about ``WORK_MM`` mm, in and just around the head, ignoring
    voxels whose place or mirror place is masked: a coarse search, then rounds of ``_nearer`` ever closer planes.
    """
    image, usable, points, sampling = _coarse(problem)
    centre = points[:, usable.ravel()].mean(axis=1) if usable.any() else points.mean(axis=1)
    points, here = points[:, usable.ravel()], image[usable]
    if here.size > POINTS:
        chosen = np.random.default_rng(0).choice(here.size, POINTS, replace=False)
        points, here = points[:, chosen], here[chosen]
    weight = usable.astype(np.float32)

    def plane(parameters: Floats) -> Midline:
        offset, yaw, roll = (float(value) for value in parameters)
        return Midline((float(centre[0]), float(centre[1]), float(centre[2])), offset, yaw, roll)

    def unlikeness(parameters: Floats, every: int = 1) -> float:
        places = plane(parameters).reflect(points[:, ::every]) / sampling[:, None]
        kept = ndimage.map_coordinates(weight, places, order=1) > 0.9
        if kept.sum() < 0.3 * kept.size or kept.sum() < 10:
            return 1.0
        there = ndimage.map_coordinates(image, places[:, kept], order=1)
        return 1.0 - _correlation(here[::every][kept], there)

    coarsely = partial(unlikeness, every=FEW)
    starts = [np.array(start) for start in product(SEARCH_OFFSETS_MM, SEARCH_ANGLES, SEARCH_ANGLES)]
    found = min(starts, key=coarsely)
    for share in FIRST:
        found = _nearer(coarsely, found, share * APART)
    for share in NEAR:
        found = _nearer(unlikeness, found, share * APART)
    return plane(found)


def _nearer(function: Callable[[Floats], float], middle: Floats, apart: Floats) -> Floats:
    """Return the parameters of the least value of ``function``, of those at and ``apart`` from ``middle`` (3,), and
    of where the quadratic through these is least."""
    steps = np.vstack([np.zeros(3), np.eye(3), -np.eye(3), 1 - np.eye(3)])
    values = np.array([function(middle + step * apart) for step in steps])
    here, high, low = values[0], values[1:4], values[4:7]
    slope, bends = (high - low) / 2, np.diag(high + low - 2 * here)
    for left_out, value in enumerate(values[7:]):
        i, j = (axis for axis in range(3) if axis != left_out)
        bends[i, j] = bends[j, i] = value - high[i] - high[j] + here
    if np.linalg.eigvalsh(bends)[0] > 0:
        least = np.clip(-np.linalg.solve(bends, slope), -1.5, 1.5)
        steps, values = np.vstack([steps, least]), np.append(values, function(middle + least * apart))
    return np.asarray(middle + steps[np.argmin(values)] * apart)


def match(source: Image, target: Image, fewest: int = 50) -> tuple[float, float]:
    """Return gain and shift that give ``source`` the median and the 10-90 % spread of ``target`` (both 1D).

    Not a regression: folds that do not line up would flatten its slope. (1, 0) for fewer than ``fewest`` values.
    """
    if source.size < fewest:
        return 1.0, 0.0
    low, middle, high = np.percentile(source, (10, 50, 90))
    target_low, target_middle, target_high = np.percentile(target, (10, 50, 90))
    gain = float(np.clip((target_high - target_low) / max(high - low, 1e-9), 0.5, 2.0))
    return gain, float(target_middle - gain * middle)


def _coarse(problem: Problem) -> tuple[Float, Bool, Floats, Floats]:
    """Image, usable voxels, voxel centres (3, N) mm and voxel size (3,) mm of every k-th voxel, smoothed before."""
    steps = [max(1, round(WORK_MM / size)) for size in problem.spacing]
    every = tuple(slice(None, None, step) for step in steps)
    image, touched = problem.image, problem.mask
    # what the next axis does not see is left out before it is smoothed
    for axis, step in enumerate(steps):
        here = (slice(None),) * axis + (slice(None, None, step),)
        image = ndimage.gaussian_filter1d(image, step / 2.355, axis, truncate=2.0)[here]
        touched = ndimage.maximum_filter1d(touched, 2 * step + 1, axis)[here]
    near = ndimage.binary_dilation(problem.head[every], iterations=2)
    sampling = np.array(steps) * np.array(problem.spacing)
    points = np.indices(image.shape).reshape(3, -1) * sampling[:, None]
    return image, near & ~touched, points, sampling


def _depth(problem: Problem, box: Box) -> Float:
    """Return how far below the surface of the head each voxel of ``box`` lies, mm, smoothed; negative outside.

    Where the scan goes on beyond the box, no voxel is taken to lie deeper than the box's border is away.
    """
    goes_on = [(int(part.start > 0), int(part.stop < n)) for part, n in zip(box, problem.head.shape, strict=True)]
    inner = tuple(slice(low, low + part.stop - part.start) for (low, _), part in zip(goes_on, box, strict=True))
    head = np.pad(problem.head[box], goes_on)
    inside, outside = devices.side_by_side(
        lambda part: ndimage.distance_transform_edt(part, sampling=problem.spacing)[inner], (head, ~head)
    )
    widths = [SLOPE_MM / size for size in problem.spacing]
    return np.asarray(ndimage.gaussian_filter(inside - outside, widths), np.float32)


def _levelled(places: Floats, wanted: Floats, depth: Float, spacing: Floats) -> Floats:
    """Return voxel ``places`` (3, N) moved along the slope of ``depth`` to the depths ``wanted`` (N,).

    All of the way at the surface, none of it ``LEVEL_MM`` below: the hemispheres' surfaces are some millimetres apart.
    """
    share = np.clip(1 - wanted / LEVEL_MM, 0, 1)
    slopes = [np.gradient(depth, size, axis=axis) for axis, size in enumerate(spacing.ravel())]
    for _ in range(2):
        off = share * (wanted - ndimage.map_coordinates(depth, places, order=1, mode="nearest"))
        slope = np.stack([ndimage.map_coordinates(part, places, order=1, mode="nearest") for part in slopes])
        places = places + off * slope / np.maximum((slope**2).sum(axis=0), 0.25) / spacing
    return places


def _mirrored(problem: Problem, complete: Float, where: Bool, midline: Midline) -> tuple[Floats, Bool]:
    """Values at the mirror places of the voxels of ``where``, (N,), and whether known head tissue lies there."""
    spacing = np.array(problem.spacing)[:, None]
    own = np.argwhere(where).T
    places = midline.reflect(own * spacing) / spacing
    # Splines, depths and slopes look at the whole array: only the part around both places is given to them.
    last = np.array(where.shape) - 1
    margin = 8 + np.ceil(LEVEL_MM / spacing.ravel()).astype(int)
    low = np.clip(np.floor(np.minimum(own, places).min(axis=1)).astype(int) - margin, 0, last)
    high = np.clip(np.ceil(np.maximum(own, places).max(axis=1)).astype(int) + margin, 0, last) + 1
    x, y, z = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    box = (x, y, z)
    depth = _depth(problem, box)
    places = _levelled(places - low[:, None], depth[where[box]].astype(np.float64), depth, spacing)
    known = (problem.head[box] & ~problem.mask[box]).astype(np.float32)
    valid = ndimage.map_coordinates(known, places, order=1) > 0.9
    return ndimage.map_coordinates(complete[box], places, order=3, mode="nearest", output=np.float64), valid


def _correlation(a: Float, b: Float) -> float:
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale > 0 else 0.0
