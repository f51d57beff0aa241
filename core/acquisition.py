"""How a scanner samples a volume along each axis, as a linear operator with its exact inverse on what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Matrix = NDArray[np.float64]
Image = NDArray[np.floating]
Profile = Literal["box", "gaussian"]

# full width at half maximum over standard deviation of a Gaussian
FWHM = 2.3548200450309493
# smallest singular value that is inverted, as a share of the largest
CUT = 1e-6


@dataclass(frozen=True)
class Axis:
    """Slices along one axis of a fine grid; all lengths in fine voxels.

    fine: voxels of the fine grid. coarse: slices measured. step: distance between slice centres.
    thickness: width of the slice profile (full width at half maximum); smaller than ``step`` leaves a gap.
    first: position of the first slice's centre, as an index of the fine grid.
    """

    fine: int
    coarse: int
    step: float
    thickness: float
    first: float
    profile: Profile = "box"

    @property
    def centres(self) -> NDArray[np.float64]:
        """Slice centres (coarse,) as indices of the fine grid."""
        return np.asarray(self.first + self.step * np.arange(self.coarse), np.float64)

    @property
    def untouched(self) -> bool:
        """Whether every fine voxel was measured by itself."""
        return self.coarse == self.fine and self.step == 1 and self.thickness <= 1 and self.first == 0


def whole(fine: int) -> Axis:
    """Return the axis of ``fine`` voxels that were each measured."""
    return Axis(fine, fine, 1.0, 1.0, 0.0)


def thick(fine: int, step: float, thickness: float | None = None, profile: Profile = "box") -> Axis:
    """Return an axis of slices ``step`` fine voxels apart, centred on ``fine`` voxels; without a gap by default.

    >>> thick(8, 4).centres
    array([1.5, 5.5])
    """
    coarse = max(1, int(fine / step + 1e-9))
    first = (fine - 1) / 2 - step * (coarse - 1) / 2
    if step == int(step) and fine % int(step) == 0:
        first = (step - 1) / 2
    return Axis(fine, coarse, step, step if thickness is None else thickness, first, profile)


@dataclass(frozen=True)
class Acquisition:
    """The separable measurement A of a fine volume (X, Y, Z): one ``Axis`` for each of its axes."""

    axes: tuple[Axis, Axis, Axis]

    @property
    def fine(self) -> tuple[int, int, int]:
        """Shape of the fine volume."""
        return self.axes[0].fine, self.axes[1].fine, self.axes[2].fine

    @property
    def coarse(self) -> tuple[int, int, int]:
        """Shape of what is measured."""
        return self.axes[0].coarse, self.axes[1].coarse, self.axes[2].coarse

    def measure(self, volume: Image) -> NDArray[np.float32]:
        """Return A x, (x, y, z) float32, of a fine ``volume`` (X, Y, Z)."""
        return self._apply(volume, self._forward)

    def spread(self, measured: Image) -> NDArray[np.float32]:
        """Return A+ y, (X, Y, Z) float32: the smallest fine volume that gives ``measured`` (x, y, z)."""
        return self._apply(measured, self._back)

    def project(self, volume: Image, measured: Image) -> NDArray[np.float32]:
        """Return the fine volume nearest to ``volume`` that gives ``measured``: x + A+(y - A x).

        The range-null decomposition of Wang et al. 2023 (DDNM), eq. 8.

        >>> sampled = Acquisition((whole(4), whole(4), thick(8, 4)))
        >>> measured = np.ones((4, 4, 2), np.float32)
        >>> made = sampled.project(np.zeros((4, 4, 8), np.float32), measured)
        >>> bool(np.allclose(sampled.measure(made), measured))
        True
        """
        return np.asarray(volume + self.spread(measured - self.measure(volume)), np.float32)

    def enlarge(self, measured: Image, order: int = 3) -> NDArray[np.float32]:
        """Return ``measured`` interpolated on the fine grid by splines of ``order`` (0, 1, 3 or 5), edges repeated."""
        return self._apply(measured, tuple(None if axis.untouched else _enlarging(axis, order) for axis in self.axes))

    def interpolate(self, measured: Image, order: int = 3) -> NDArray[np.float32]:
        """Return the spline of ``order`` whose measurement is exactly ``measured``: what back-projection tends to."""
        matrices = tuple(None if axis.untouched else interpolating(axis, order) for axis in self.axes)
        return self._apply(measured, matrices)

    def back_project(self, volume: Image, measured: Image, times: int = 10) -> NDArray[np.float32]:
        """Return ``volume`` after ``times`` rounds of x += enlarge(y - A x) (Irani & Peleg 1991)."""
        enlarging = tuple(None if axis.untouched else _enlarging(axis, 3) for axis in self.axes)
        pairs = zip(self._forward, enlarging, strict=True)
        both = tuple(None if down is None or up is None else down @ up for down, up in pairs)
        # what is left after a round is r - A U r: all but the first and the last step are taken on the coarse grid
        left = np.asarray(measured - self.measure(volume), np.float64)
        total = np.zeros_like(left)
        for _ in range(times):
            total += left
            left = left - _applied(left, both)
        return np.asarray(volume + self._apply(total, enlarging), np.float32)

    @cached_property
    def _forward(self) -> tuple[Matrix | None, ...]:
        return tuple(None if axis.untouched else measuring(axis) for axis in self.axes)

    @cached_property
    def _back(self) -> tuple[Matrix | None, ...]:
        return tuple(None if axis.untouched else spreading(axis) for axis in self.axes)

    def _apply(self, volume: Image, matrices: tuple[Matrix | None, ...]) -> NDArray[np.float32]:
        return np.ascontiguousarray(_applied(np.asarray(volume, np.float64), matrices), np.float32)


def along(matrix: Matrix, volume: Matrix, axis: int) -> Matrix:
    """Return ``matrix`` (m, n) times ``volume`` (X, Y, Z) along an ``axis`` of n voxels, float64; nothing is moved."""
    x, y, z = volume.shape
    if axis == 2:
        return np.asarray(volume.reshape(x * y, z) @ matrix.T).reshape(x, y, -1)
    if axis == 1:
        return np.asarray(matrix @ volume)
    return np.asarray(matrix @ volume.reshape(x, y * z)).reshape(-1, y, z)


def _applied(volume: Matrix, matrices: tuple[Matrix | None, ...]) -> Matrix:
    """Return ``volume`` (X, Y, Z) times a matrix along each axis that has one, float64."""
    # the matrix that shrinks most goes first, the one that enlarges most last
    for axis in sorted(range(3), key=lambda axis: _growth(matrices[axis])):
        matrix = matrices[axis]
        if matrix is not None:
            volume = along(matrix, volume, axis)
    return volume


@lru_cache(maxsize=64)
def measuring(axis: Axis) -> Matrix:
    """Return A of one axis, (coarse, fine): each row is a slice profile and sums to 1.

    box: overlap of the slice with each voxel. gaussian: the profile at voxel centres, up to 4 standard deviations.
    Beyond the edge of the grid the last voxel is taken to go on.
    """
    reach = int(np.ceil(4 * axis.thickness)) + 1
    index = np.arange(-reach, axis.fine + reach)
    distance = index[None, :] - axis.centres[:, None]
    if axis.profile == "box":
        half = axis.thickness / 2
        weights = np.clip(np.minimum(distance + 0.5, half) - np.maximum(distance - 0.5, -half), 0, None)
    else:
        sigma = axis.thickness / FWHM
        weights = np.where(np.abs(distance) <= 4 * sigma + 0.5, np.exp(-0.5 * (distance / sigma) ** 2), 0)
    inner = weights[:, reach : reach + axis.fine].copy()
    inner[:, 0] += weights[:, :reach].sum(axis=1)
    inner[:, -1] += weights[:, reach + axis.fine :].sum(axis=1)
    return np.asarray(inner / inner.sum(axis=1, keepdims=True))


@lru_cache(maxsize=64)
def spreading(axis: Axis) -> Matrix:
    """Return A+ of one axis, (fine, coarse): the Moore-Penrose inverse."""
    return np.asarray(np.linalg.pinv(measuring(axis), rcond=CUT), np.float64)


@lru_cache(maxsize=64)
def interpolating(axis: Axis, order: int = 3) -> Matrix:
    """Return U (A U)^-1 of one axis, (fine, coarse), with U the spline interpolation of ``order``."""
    enlarging = _enlarging(axis, order)
    return np.asarray(enlarging @ np.linalg.pinv(measuring(axis) @ enlarging, rcond=CUT))


@lru_cache(maxsize=64)
def _enlarging(axis: Axis, order: int) -> Matrix:
    """Return the spline interpolation from slices to fine voxels as a matrix (fine, coarse)."""
    positions = (np.arange(axis.fine) - axis.first) / axis.step
    columns = [
        ndimage.map_coordinates(unit, positions[None], order=order, mode="nearest") for unit in np.eye(axis.coarse)
    ]
    return np.stack(columns, axis=1)


def _growth(matrix: Matrix | None) -> float:
    return 1.0 if matrix is None else matrix.shape[0] / matrix.shape[1]
