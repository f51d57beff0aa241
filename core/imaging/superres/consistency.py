"""Measures of a super-resolved scan without the truth: agreement with the measured one, and sharpness."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.acquisition import Acquisition
from core.volume import bounding_box

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]
Triple = tuple[float, float, float]


def disagreement(result: Float, acquisition: Acquisition, measured: Float, bright: float) -> tuple[float, float]:
    """Return RMS and largest absolute difference between ``measured`` (x, y, z) and what ``result`` (X, Y, Z) would
    measure, in parts of the tissue level ``bright``."""
    apart = acquisition.measure(result) - measured
    return float(np.sqrt(np.square(apart, dtype=np.float64).mean())) / bright, float(np.abs(apart).max()) / bright


def sharpness(result: Float, refined: Sequence[int], where: Bool, spacing: Triple) -> float:
    """Return the detail of ``result`` (X, Y, Z) along the axes ``refined`` beside that along the others.

    Detail is the root mean square second difference inside ``where`` at one distance for all axes, that of the coarsest
    voxel. 1 is natural (seven real scans: 0.7 to 1.4 an axis), less is blur. nan where every axis was refined.
    """
    others = [axis for axis in range(3) if axis not in refined]
    if not others or not where.any():
        return float("nan")
    box = bounding_box(where)
    image, inside = result[box], where[box]
    reach = [max(1, round(max(spacing) / size)) for size in spacing]
    power = [_second(image, inside, axis, reach[axis]) for axis in range(3)]
    along, beside = (float(np.mean([power[axis] for axis in axes])) for axes in (refined, others))
    return float(np.sqrt(along / beside)) if beside > 0 else float("nan")


def _second(image: Float, inside: Bool, axis: int, reach: int) -> float:
    """Return the mean square of f(-reach) - 2 f(0) + f(reach) along ``axis`` where all three lie inside."""
    moved, seen = np.moveaxis(image, axis, 0), np.moveaxis(inside, axis, 0)
    if len(moved) <= 2 * reach:
        return 0.0
    low, middle, high = slice(None, -2 * reach), slice(reach, -reach), slice(2 * reach, None)
    change = (moved[low] - 2 * moved[middle] + moved[high])[seen[low] & seen[middle] & seen[high]]
    return float(np.square(change, dtype=np.float64).mean()) if change.size else 0.0
