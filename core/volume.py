"""A scan in memory: float32 voxels in RAS+ order and the affine that places them in mm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

Kind = TypeVar("Kind", bound=np.generic)
Box = tuple[slice, slice, slice]
# a grid that differs by less than this is the same grid
SAME_MM = 1e-2
# cosine between two axes from which a grid counts as sheared
SLANT = 0.01


@dataclass(frozen=True, eq=False)
class Volume:
    """data: (X, Y, Z) float32, RAS+; affine: (4, 4) float64, voxel index -> mm."""

    data: NDArray[np.float32]
    affine: NDArray[np.float64]

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Voxel size in mm along X, Y, Z."""
        return spacing(self.affine)


def spacing(affine: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the voxel size in mm along each axis of a (4, 4) affine; of a slanted axis, how far its slices lie apart.

    >>> spacing(np.diag([-1.0, 1.0, 4.5, 1.0]))
    (1.0, 1.0, 4.5)
    """
    sizes = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    axis = slanted_axis(affine)
    if axis is not None:
        sizes[axis] = np.linalg.norm(_upright(affine, axis))
    x, y, z = sizes
    return float(x), float(y), float(z)


def slanted_axis(affine: NDArray[np.float64]) -> int | None:
    """Return the axis (0, 1, 2) of a sheared (4, 4) affine that is not perpendicular to the two others, None of an
    upright one; where more than one pair is aslant, the longest.

    >>> slanted_axis(np.array([[1, 0, 0, 0], [0, 1, 0.75, 0], [0, 0, 2.25, 0], [0, 0, 0, 1.0]]))
    2
    """
    sizes = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    units = affine[:3, :3] / sizes
    aslant = np.abs(units.T @ units - np.eye(3)) > SLANT
    if not aslant.any():
        return None
    # the axis whose leaving makes the rest upright; of two such axes the longer one counts as that of the slices
    order = sorted(range(3), key=lambda axis: -float(sizes[axis]))
    return next((axis for axis in order if not np.delete(np.delete(aslant, axis, 0), axis, 1).any()), order[0])


def _upright(affine: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Return the part of the column ``axis`` that is perpendicular to the two other columns."""
    first, second = (affine[:3, other] for other in range(3) if other != axis)
    normal = np.cross(first, second)
    normal /= np.linalg.norm(normal)
    part: NDArray[np.float64] = (affine[:3, axis] @ normal) * normal
    return part


def upright_grid(
    affine: NDArray[np.float64], shape: tuple[int, ...]
) -> tuple[NDArray[np.float64], tuple[int, int, int]]:
    """Return affine and shape of an upright grid that covers a slanted one: its slices in their planes and at their
    distance, larger in the plane by what they shift. An upright grid is returned as it is."""
    x, y, z = shape
    axis = slanted_axis(affine)
    if axis is None:
        return affine, (x, y, z)
    upright = affine.copy()
    upright[:3, axis] = _upright(affine, axis)
    # where the last slice of the slanted grid lies on the upright one, in voxels from the first
    shift = np.linalg.solve(upright[:3, :3], (affine[:3, axis] - upright[:3, axis]) * (shape[axis] - 1))
    before = np.floor(np.minimum(shift, 0) + 1e-6).astype(int)
    after = np.ceil(np.maximum(shift, 0) - 1e-6).astype(int)
    upright[:3, 3] += upright[:3, :3] @ before
    x, y, z = (int(side) for side in np.array(shape) - before + after)
    return upright, (x, y, z)


def straightened(volume: Volume) -> Volume:
    """Return ``volume`` on its upright grid: each slice shifted back in its plane, linearly, 0 in the new corners."""
    affine, shape = upright_grid(volume.affine, volume.data.shape)
    if affine is volume.affine:
        return volume
    return Volume(resample(volume.data, volume.affine, affine, shape, order=1), affine)


def bounding_box(mask: NDArray[np.bool_], margin: int | tuple[int, int, int] = 0) -> Box:
    """Return the smallest box that holds every True voxel of ``mask`` (X, Y, Z) bool, widened by ``margin`` voxels
    along all axes, or along each, and clipped to the grid; ``ValueError`` for an empty mask.

    >>> mask = np.zeros((8, 8, 8), bool)
    >>> mask[3:5, 2, 7] = True
    >>> bounding_box(mask, margin=1)
    (slice(2, 6, None), slice(1, 4, None), slice(6, 8, None))
    """
    margins = (margin,) * 3 if isinstance(margin, int) else margin
    slices = []
    for axis, extra in enumerate(margins):
        others = tuple(other for other in range(3) if other != axis)
        hits = np.flatnonzero(mask.any(axis=others))
        if hits.size == 0:
            raise ValueError("empty mask")
        slices.append(slice(max(0, int(hits[0]) - extra), min(mask.shape[axis], int(hits[-1]) + 1 + extra)))
    return slices[0], slices[1], slices[2]


@dataclass(frozen=True)
class Orientation:
    """How a file's axes become RAS+: ``axes[i]`` is the file axis that runs along RAS axis i, ``flips[i]``
    whether it runs the other way."""

    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    def to_ras(self, stored: NDArray[Kind]) -> NDArray[Kind]:
        """Return a view of ``stored`` (file order) in RAS+ order."""
        return stored.transpose(self.axes)[self._steps()]

    def from_ras(self, data: NDArray[Kind]) -> NDArray[Kind]:
        """Return a view of ``data`` (RAS+ order) in file order; the exact inverse of ``to_ras``."""
        return data[self._steps()].transpose(np.argsort(self.axes))

    def _steps(self) -> tuple[slice, slice, slice]:
        x, y, z = (slice(None, None, -1) if flip else slice(None) for flip in self.flips)
        return x, y, z


def orientation_of(affine: NDArray[np.float64]) -> Orientation:
    """Return the orientation of a file's grid from its (4, 4) affine, voxel -> mm RAS+: for each RAS axis the file axis
    closest to it, each file axis once.

    A sagittal scan whose axes run to the back, down and to the left:

    >>> affine = np.array([[0, 0, -1.5, 90], [-1, 0, 0, 120], [0, -1, 0, 110], [0, 0, 0, 1]])
    >>> orientation_of(affine)
    Orientation(axes=(2, 0, 1), flips=(True, True, True))
    >>> orientation_of(affine).to_ras(np.zeros((256, 240, 120))).shape
    (120, 256, 240)
    """
    directions = affine[:3, :3] / np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    strength = np.abs(directions)
    axes = [-1, -1, -1]
    for _ in range(3):
        ras, stored = np.unravel_index(int(np.argmax(strength)), (3, 3))
        axes[ras] = int(stored)
        strength[ras, :] = -1.0
        strength[:, stored] = -1.0
    flips = tuple(bool(directions[ras, stored] < 0) for ras, stored in enumerate(axes))
    return Orientation((axes[0], axes[1], axes[2]), (flips[0], flips[1], flips[2]))


def ras_affine(affine: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the affine of the RAS+ view of a file grid of ``shape`` with ``affine``."""
    orientation = orientation_of(affine)
    turned = affine.copy()
    for ras, stored in enumerate(orientation.axes):
        column = affine[:3, stored]
        turned[:3, ras] = -column if orientation.flips[ras] else column
        if orientation.flips[ras]:
            turned[:3, 3] += column * (shape[stored] - 1)
    return turned


def corners(affine: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the centres of the 8 corner voxels of a grid in mm, (8, 3), last axis fastest."""
    index = np.indices((2, 2, 2)).reshape(3, -1).T * (np.array(shape) - 1)
    points: NDArray[np.float64] = index @ affine[:3, :3].T + affine[:3, 3]
    return points


def same_grid(affine: NDArray[np.float64], shape: tuple[int, ...], other: Volume) -> bool:
    """Return whether the grid of (4, 4) ``affine`` and ``shape`` is that of ``other``, to ``SAME_MM`` mm."""
    if shape != other.data.shape:
        return False
    return bool(np.abs(corners(affine, shape) - corners(other.affine, shape)).max() < SAME_MM)


def resample(
    data: NDArray[Kind],
    affine: NDArray[np.float64],
    to_affine: NDArray[np.float64],
    to_shape: tuple[int, int, int],
    order: Literal[0, 1],
    edge: Literal["grid-constant", "nearest"] = "grid-constant",
) -> NDArray[Kind]:
    """Return ``data`` (I, J, K) with ``affine`` on another grid, by nearest voxel (``order`` 0) or linearly (1).

    affine, to_affine: (4, 4) float64, voxel -> mm; the result (X, Y, Z) = ``to_shape`` has the type of ``data``.
    Outside the field of view the result is 0, or with ``edge`` "nearest" the value at its border. Nothing
    is smoothed first: to a much coarser grid, fine detail aliases.

    >>> ramp = np.arange(4, dtype=np.float32).reshape(4, 1, 1)
    >>> half = np.diag([0.5, 1, 1, 1])
    >>> resample(ramp, np.eye(4), half, (7, 1, 1), order=1).ravel().tolist()
    [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    """
    from scipy import ndimage

    step = np.linalg.solve(affine, to_affine)
    source = data.view(np.uint8) if data.dtype == np.bool_ else data
    turn, along = step[:3, :3], np.diag(step[:3, :3])
    # the same numbers, by a third faster, where the grids have the same axes
    turn = along if np.array_equal(turn, np.diag(along)) else turn
    result: NDArray[Kind] = ndimage.affine_transform(
        source, turn, step[:3, 3], to_shape, order=order, mode=edge, cval=0.0
    )
    return result.view(np.bool_) if data.dtype == np.bool_ else result


def without_holes(mask: NDArray[np.bool_], across: int | None = None) -> NDArray[np.bool_]:
    """Return ``mask`` (X, Y, Z) bool with what it encloses in space or, with ``across``, in each plane perpendicular to
    that axis; voxels hang together by their faces.

    >>> ring = np.ones((3, 3, 1), bool)
    >>> ring[1, 1] = False
    >>> bool(without_holes(ring).all()), bool(without_holes(ring, across=2).all())
    (False, True)
    """
    from scipy import ndimage

    beside = ndimage.generate_binary_structure(3, 1)
    if across is not None:
        np.moveaxis(beside, across, 0)[[0, 2]] = False
    # all planes at once: many times faster than a flood (``binary_fill_holes``) of each
    labels, count = ndimage.label(~mask, beside)
    outside = np.zeros(count + 1, bool)
    for axis in {0, 1, 2} - {across}:
        outside[labels.take((0, -1), axis)] = True
    outside[0] = False
    return np.asarray(~outside[labels])


def largest_part(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the largest part of ``mask`` (X, Y, Z) bool; voxels hang together by their faces."""
    from scipy import ndimage

    labels, count = ndimage.label(mask)
    return np.asarray(labels == np.bincount(labels.ravel())[1:].argmax() + 1) if count > 1 else mask


def resized(affine: NDArray[np.float64], ratio: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (4, 4) ``affine`` with voxels ``ratio`` (3,) times as large: the outer face of the first voxel stays
    in place, not its centre.

    >>> resized(np.eye(4), np.array([1.0, 1.0, 4.0]))[:3, 3].tolist()
    [0.0, 0.0, 1.5]
    """
    larger = affine.copy()
    larger[:3, :3] *= ratio
    larger[:3, 3] += affine[:3, :3] @ ((ratio - 1) / 2)
    return larger


def to_spacing(volume: Volume, size: tuple[float, float, float]) -> Volume:
    """Return ``volume`` with voxels of ``size`` mm over the same field of view (to the nearest voxel), linearly."""
    ratio = np.array(size) / np.array(volume.spacing)
    affine = resized(volume.affine, ratio)
    x, y, z = (max(1, round(n / r)) for n, r in zip(volume.data.shape, ratio, strict=True))
    return Volume(resample(volume.data, volume.affine, affine, (x, y, z), order=1, edge="nearest"), affine)
