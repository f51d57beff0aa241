"""Splines between the slices, made to agree with what was measured by back-projection (Irani and Peleg 1991), within
the range of a magnitude image."""

from __future__ import annotations

from collections.abc import Generator

from core.events import Progress
from core.imaging.options import Options
from core.imaging.problem import Estimate, ThickScan
from core.imaging.superres.nonnegative import within_range

BACK_PROJECTIONS = 10


def nearest(scan: ThickScan, options: Options) -> Generator[Progress, None, Estimate]:
    """Repeat the nearest slice: the estimate (X, Y, Z) on the fine grid, float32, in the scan's units."""
    return _spline(scan, options, 0)


def linear(scan: ThickScan, options: Options) -> Generator[Progress, None, Estimate]:
    """Interpolate linearly between slices: the estimate (X, Y, Z) as of ``nearest``."""
    return _spline(scan, options, 1)


def cubic(scan: ThickScan, options: Options) -> Generator[Progress, None, Estimate]:
    """Interpolate with cubic splines: the estimate (X, Y, Z) as of ``nearest``."""
    return _spline(scan, options, 3)


def spline5(scan: ThickScan, options: Options) -> Generator[Progress, None, Estimate]:
    """Interpolate with splines of order 5: the estimate (X, Y, Z) as of ``nearest``."""
    return _spline(scan, options, 5)


def _spline(scan: ThickScan, options: Options, order: int) -> Generator[Progress, None, Estimate]:
    yield Progress(0.0, 0, 1, "Interpolating")
    values = scan.acquisition.enlarge(scan.image, order)
    if options.consistent:
        values = within_range(scan.acquisition.back_project(values, scan.image, BACK_PROJECTIONS), scan)
    return Estimate(values)
