"""Fills that need no network: shell mean, harmonic and biharmonic interpolation in 3D."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import cg

from core.events import Progress
from core.imaging.options import Options
from core.imaging.problem import Estimate, Problem
from core.volume import bounding_box

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

SHELL_MM = 8.0


class Solved(NamedTuple):
    """values: (X, Y, Z), 0 outside the mask; seconds: that solving took."""

    values: Float
    seconds: float


# by order, of the problems that are being worked on
_SOLVED: WeakKeyDictionary[Problem, dict[int, Solved]] = WeakKeyDictionary()


def shell_mean(problem: Problem, options: Options) -> Generator[Progress, None, Estimate]:
    """Fill with the mean of the known head tissue within ``SHELL_MM`` of the mask."""
    yield Progress(0.0, 0, 1, "Shell mean")
    margin = [int(np.ceil(SHELL_MM / size)) + 1 for size in problem.spacing]
    box = bounding_box(problem.mask, (margin[0], margin[1], margin[2]))
    mask = problem.mask[box]
    distance = ndimage.distance_transform_edt(~mask, sampling=problem.spacing)
    known = problem.head[box] & ~mask
    shell = known & (distance <= SHELL_MM)
    source = shell if shell.any() else problem.head & ~problem.mask
    image = problem.image[box] if shell.any() else problem.image
    level = float(image[source].mean()) if source.any() else 0.0
    return Estimate(np.where(problem.mask, np.float32(level), np.float32(0)))


def harmonic(problem: Problem, options: Options) -> Generator[Progress, None, Estimate]:
    """Fill with the solution of Laplace's equation, the voxels around the mask as boundary values."""
    yield Progress(0.0, 0, 1, "3D harmonic")
    return _filled(problem, order=1)


def biharmonic(problem: Problem, options: Options) -> Generator[Progress, None, Estimate]:
    """Fill so that the squared Laplacian vanishes inside the mask: values and slopes continue smoothly."""
    yield Progress(0.0, 0, 1, "3D biharmonic")
    return _filled(problem, order=2)


def smooth(problem: Problem, order: int) -> Float:
    """Return what ``interpolate`` makes of ``problem``, (X, Y, Z), 0 outside the mask: solved once for all methods."""
    solved = _SOLVED.setdefault(problem, {})
    if order not in solved:
        begun = time.monotonic()
        box = bounding_box(problem.mask, 2 * order)
        values = np.zeros(problem.mask.shape, np.float32)
        values[box] = interpolate(problem.image[box], problem.mask[box], order)
        solved[order] = Solved(values, time.monotonic() - begun)
    return solved[order].values


def _filled(problem: Problem, order: int) -> Estimate:
    earlier = _SOLVED.get(problem, {}).get(order)
    return Estimate(smooth(problem, order), earlier=earlier.seconds if earlier else 0.0)


def interpolate(image: Float, mask: Bool, order: int) -> Float:
    """Solve Laplace (``order`` 1) or the biharmonic equation (2) inside ``mask`` on a unit grid.

    image, mask: (X, Y, Z), any units; grid edges reflect as in ``scipy.ndimage.laplace``.
    Returns (X, Y, Z) float32, 0 outside the mask.
    Solved coarse to fine: conjugate gradients from the doubled solution of the half-size grid
    (cascadic multigrid, Bornemann & Deuflhard 1996).

    >>> ramp = np.tile(np.arange(5, dtype=np.float32)[:, None, None], (1, 5, 5))
    >>> mask = np.zeros((5, 5, 5), bool)
    >>> mask[2, 2, 2] = True
    >>> round(float(interpolate(np.where(mask, 0, ramp), mask, order=1)[2, 2, 2]), 3)
    2.0
    """
    scale = float(np.abs(image[~mask]).max(initial=0.0)) or 1.0
    solution = _cascade(np.where(mask, 0.0, image / scale), mask, order)
    return np.where(mask, solution * scale, 0.0).astype(np.float32)


def _cascade(image: NDArray[np.float64], mask: Bool, order: int) -> NDArray[np.float64]:
    known = ~mask
    if min(mask.shape) < 12 or mask.sum() < 500:
        level = image[known].mean() if known.any() else 0.0
        return _solve(image, mask, np.full(mask.shape, level), order, iterations=800)
    half_known = _halve(known.astype(np.float64))
    half_image = _halve(np.where(known, image, 0.0)) / np.maximum(half_known, 1e-9)
    half = _cascade(np.where(half_known > 0, half_image, 0.0), half_known <= 0, order)
    half = np.where(half_known > 0, half_image, half)
    guess = ndimage.zoom(half, 2, order=1, grid_mode=True, mode="nearest")[tuple(slice(n) for n in mask.shape)]
    return _solve(image, mask, guess, order, iterations=240 * order)


def _halve(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of 2 x 2 x 2 blocks, the last voxel repeated where a side is odd."""
    image = np.pad(image, [(0, n % 2) for n in image.shape], mode="edge")
    x, y, z = (n // 2 for n in image.shape)
    return np.asarray(image.reshape(x, 2, y, 2, z, 2).mean(axis=(1, 3, 5)))


def _solve(
    image: NDArray[np.float64], mask: Bool, guess: NDArray[np.float64], order: int, iterations: int
) -> NDArray[np.float64]:
    """Return ``image`` with the unknowns of ``mask`` solved for by conjugate gradients from ``guess``."""
    box = bounding_box(mask, order)
    inside, known = mask[box], np.where(mask[box], 0.0, image[box])
    operator = _laplacian(inside, order)
    unknown = inside.ravel()
    right = -(operator @ known.ravel())[unknown]
    matrix = operator[unknown][:, unknown]
    found, _ = cg(matrix, right, x0=guess[box].ravel()[unknown], rtol=1e-5, maxiter=iterations)
    solved = image.copy()
    solved[mask] = found
    return solved


def _laplacian(inside: Bool, order: int) -> csr_array:
    """Return -Laplacian (order 1) or Laplacian squared (order 2) on the whole box, edges reflecting."""
    index = np.arange(inside.size).reshape(inside.shape)
    rows, columns = [], []
    for axis in range(3):
        low = np.take(index, range(inside.shape[axis] - 1), axis).ravel()
        high = np.take(index, range(1, inside.shape[axis]), axis).ravel()
        rows += [low, high]
        columns += [high, low]
    row, column = np.concatenate(rows), np.concatenate(columns)
    adjacency = csr_array((np.ones(row.size), (row, column)), shape=(inside.size, inside.size))
    laplacian = (diags_array(adjacency.sum(axis=1)) - adjacency).tocsr()
    return laplacian if order == 1 else (laplacian @ laplacian).tocsr()
