"""Super-resolved scans that keep to the range of magnitude images: nowhere below the least that was measured."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.acquisition import Acquisition, Axis, along, measuring, whole
from core.anatomy.intensity import tissue_level
from core.imaging.problem import ThickScan

Float = NDArray[np.float32]
Real = NDArray[np.float64]

# rounds of the search, the first of them for all lines together, and the disagreement with a slice, in parts of
# bright tissue, at which it ends
ROUNDS, FIRST, EXACT = 60, 6, 1e-6
# lines across the slices that are worked on together
TOGETHER = 20_000
# the least curvature of the dual, in parts of that of the same slice with nothing at the bound; where slices share no
# voxel it only keeps from dividing by 0
LEAST_CURVATURE = {False: 1e-3, True: 1e-9}
# Share of bright tissue at which a fine voxel moves half as far as a dark one, in which splines and
# networks ring. PSNR in the brain, our network, OASIS 1015 in 4 mm slices: 26.85 without the bound, 26.70 where all
# move alike, 26.78 with this; with a Gaussian profile 27.19, 27.31, 27.52. Over the whole image: 27.93, 29.70, 29.86.
DARK = 0.2


class Limits(NamedTuple):
    """The least value that a voxel may have, and the scan's bright tissue."""

    least: float
    bright: float


def lower_bound(scan: ThickScan) -> float | None:
    """Return the least value that a finer ``scan`` may have, its own least one; None for one with negative voxels,
    which is no magnitude image."""
    least = float(scan.image.min())
    return least if least >= 0 else None


def within_range(values: Float, scan: ThickScan) -> Float:
    """Return the volume nearest to ``values`` (X, Y, Z) that measures as ``scan`` and is nowhere below its least voxel.

    Nearest in squares that count more the brighter a voxel is, see ``DARK``. ``values`` itself where nothing lies
    below, and for scans with negative voxels. Along one refined axis each line of voxels is a problem of its own, and
    only lines with a voxel below the range change. Where slices overlap such that no volume does both, the range is
    kept and the measurement nearly.
    """
    least = lower_bound(scan)
    if least is None or float(values.min()) >= least:
        return values
    limits = Limits(least, tissue_level(scan.image))
    refined = [number for number, axis in enumerate(scan.acquisition.axes) if not axis.untouched]
    if len(refined) != 1:
        return _nearest(values, scan.image, scan.acquisition, limits, (0, 1, 2), ROUNDS)[0]
    (number,) = refined
    made, seen = np.moveaxis(values, number, 2).copy(), np.moveaxis(scan.image, number, 2)
    x, y = np.nonzero(made.min(axis=2) < least)
    for start in range(0, len(x), TOGETHER):
        here = x[start : start + TOGETHER], y[start : start + TOGETHER]
        made[here] = _lines(made[here], seen[here], scan.acquisition, number, limits)
    return np.ascontiguousarray(np.moveaxis(made, 2, number))


def _lines(values: Float, measured: Float, acquisition: Acquisition, number: int, limits: Limits) -> Float:
    """Return ``values`` (n, fine), each line of which measures ``measured`` (n, slices) along axis ``number``."""

    def solved(lines: Float, slices: Float, rounds: int) -> tuple[Float, Real]:
        sampled = Acquisition((whole(len(lines)), whole(1), acquisition.axes[number]))
        made, apart = _nearest(lines[:, None], slices[:, None], sampled, limits, (1, 2), rounds)
        return made[:, 0], apart

    made, apart = solved(values, measured, FIRST)
    # most lines are done by now
    rest = apart > EXACT * limits.bright
    if rest.any():
        made[rest], _ = solved(values[rest], measured[rest], ROUNDS)
    return made


def _nearest(
    values: Float, measured: Float, acquisition: Acquisition, limits: Limits, together: tuple[int, ...], rounds: int
) -> tuple[Float, Real]:
    """Return the nearest volume with A x = y and x >= the least value, and how far each problem in it is from its y.

    It is max(v + M A^T m, least), M how far a voxel moves, for the multipliers m that solve the dual problem (the limit
    of Dykstra's projections, Boyle and Dykstra 1986). Where no voxel lies in two slices each multiplier is the root of
    a convex piecewise linear function, which Newton steps reach from above in few rounds. Elsewhere steps use the
    majorant diag(A D M A^T 1) of the curvature, D the voxels that are above the bound or rise, and Nesterov's momentum,
    restarted where it leads down (O'Donoghue and Candes 2015).
    together: the axes along which all is one problem.
    """
    least, exact = limits.least, EXACT * limits.bright
    alone = all(_apart(axis) for axis in acquisition.axes)
    if alone:
        # a slice that measured the least leaves no choice
        values = np.where(_transposed(measured <= least, acquisition) > 0, np.float32(least), values)
    moves = 1 / (1 + np.square(np.maximum(values - least, 0) / (DARK * limits.bright)))
    sums = moves * _transposed(np.ones(measured.shape), acquisition)
    floor = LEAST_CURVATURE[alone] * acquisition.measure(sums)
    ahead = before = np.zeros(measured.shape)
    pace = np.ones([1 if axis in together else side for axis, side in enumerate(measured.shape)])
    for turn in range(rounds + 1):
        above = np.maximum(values + moves * _transposed(ahead if turn < rounds else before, acquisition), least)
        apart = measured - acquisition.measure(above)
        if turn == rounds or float(np.abs(apart).max()) <= exact:
            break
        rises = False if alone else _transposed(apart, acquisition) > 0
        free = np.where((above > least) | rises, sums, 0)
        # what agrees stays: at the bound, rounding alone would throw it far off
        wrong = np.where(np.abs(apart) > exact, apart, 0)
        now = ahead + wrong / np.maximum(acquisition.measure(free), floor)
        down = (apart * (now - before)).sum(axis=together, keepdims=True) < 0
        pace = np.where(alone | down, 1.0, pace)
        faster = (1 + np.sqrt(1 + 4 * pace**2)) / 2
        ahead, before, pace = now + (pace - 1) / faster * (now - before), now, faster
    return above.astype(np.float32), np.abs(apart).max(axis=together).astype(np.float64)


def _apart(axis: Axis) -> bool:
    """Return whether no fine voxel of ``axis`` lies in two slices."""
    return axis.untouched or int(np.count_nonzero(measuring(axis), axis=0).max()) < 2


def _transposed(measured: NDArray[np.floating] | NDArray[np.bool_], acquisition: Acquisition) -> Real:
    """Return A^T y, (X, Y, Z), of ``measured`` (x, y, z)."""
    out = np.asarray(measured, np.float64)
    for number, axis in enumerate(acquisition.axes):
        if not axis.untouched:
            out = along(measuring(axis).T, out, number)
    return out
