"""Fill with the other hemisphere, mirrored across the brain's own midline."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, optimize

from core.events import Progress
from core.methods.base import Estimate, Options, Problem
from core.methods.classical import harmonic
from core.quality import Image, shell

Float = NDArray[np.float32]
Floats = NDArray[np.float64]
Bool = NDArray[np.bool_]

WORK_MM = 3.0
POINTS = 12_000
"""Places compared at each step of the search; with all of them (50,000 and more) it moves by < 0.3 mm."""
SEARCH_OFFSETS_MM = (-12.0, -6.0, 0.0, 6.0, 12.0)
SEARCH_ANGLES = (-0.2, 0.0, 0.2)


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
        normal = np.array(
            [np.cos(self.yaw) * np.cos(self.roll), np.sin(self.yaw) * np.cos(self.roll), np.sin(self.roll)]
        )
        height = normal @ (points - np.array(self.centre)[:, None]) - self.offset
        return np.asarray(points - 2 * normal[:, None] * height)


def mirror(problem: Problem, options: Options) -> Generator[Progress, None, Estimate]:
    """Fill with the mirrored hemisphere, its contrast matched around the mask; harmonic where it has no tissue."""
    smooth = yield from harmonic(problem, options)
    yield Progress(0.2, 1, 3, "Finding the midline")
    midline = find_midline(problem)
    yield Progress(0.8, 2, 3, "Mirroring")
    complete = np.where(problem.mask, smooth.values, problem.image)
    around = shell(problem.mask, problem.head, problem.spacing)
    seen, seen_valid = _mirrored(problem, complete, around, midline)
    gain, shift = match(seen[seen_valid], problem.image[around][seen_valid])
    taken, valid = _mirrored(problem, complete, problem.mask, midline)
    values = smooth.values.copy()
    values[problem.mask] = np.where(valid, gain * taken + shift, smooth.values[problem.mask])
    return Estimate(values)


def find_midline(problem: Problem) -> Midline:
    """Return the plane across which the scan looks most like itself.

    Correlates the scan with its reflection on a grid of about ``WORK_MM`` mm, in and just around the head, ignoring
    voxels whose place or mirror place is masked: a coarse search, then Powell's method.
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

    def unlikeness(parameters: Floats) -> float:
        places = plane(parameters).reflect(points) / sampling[:, None]
        kept = ndimage.map_coordinates(weight, places, order=1) > 0.9
        if kept.sum() < 0.3 * kept.size or kept.sum() < 10:
            return 1.0
        there = ndimage.map_coordinates(image, places[:, kept], order=1)
        return 1.0 - _correlation(here[kept], there)

    starts = [np.array(start) for start in product(SEARCH_OFFSETS_MM, SEARCH_ANGLES, SEARCH_ANGLES)]
    start = min(starts, key=unlikeness)
    directions = np.diag([2.0, 0.05, 0.05])
    found = optimize.minimize(
        unlikeness, start, method="Powell", options={"direc": directions, "xtol": 1e-2, "ftol": 1e-5, "maxfev": 300}
    )
    return plane(np.asarray(found.x))


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
    image = ndimage.gaussian_filter(problem.image, [step / 2.355 for step in steps], truncate=2.0)[every]
    touched = ndimage.maximum_filter(problem.mask, [2 * step + 1 for step in steps])[every]
    near = ndimage.binary_dilation(problem.head[every], iterations=2)
    sampling = np.array(steps) * np.array(problem.spacing)
    points = np.indices(image.shape).reshape(3, -1) * sampling[:, None]
    return image, near & ~touched, points, sampling


def _mirrored(problem: Problem, complete: Float, where: Bool, midline: Midline) -> tuple[Floats, Bool]:
    """Values at the mirror places of the voxels of ``where``, (N,), and whether known head tissue lies there."""
    if not where.any():
        return np.zeros(0), np.zeros(0, bool)
    spacing = np.array(problem.spacing)[:, None]
    places = midline.reflect(np.argwhere(where).T * spacing) / spacing
    # A cubic spline looks at the whole array: only the part around the mirror places is given to it.
    last = np.array(where.shape) - 1
    low = np.clip(np.floor(places.min(axis=1)).astype(int) - 8, 0, last)
    high = np.clip(np.ceil(places.max(axis=1)).astype(int) + 8, 0, last) + 1
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    places = places - low[:, None]
    known = (problem.head[box] & ~problem.mask[box]).astype(np.float32)
    valid = ndimage.map_coordinates(known, places, order=1) > 0.9
    return ndimage.map_coordinates(complete[box], places, order=3, mode="nearest", output=np.float64), valid


def _correlation(a: Float, b: Float) -> float:
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale > 0 else 0.0
