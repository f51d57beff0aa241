"""Rigid registration of two scans of one head, whatever their contrasts: how far apart they lie, and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.anatomy.head import Head
from core.anatomy.mutual_information import MutualInformation
from core.smoothing import gaussian
from core.volume import Volume, corners, resample

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]
Matrix = NDArray[np.float64]

# grids of the search, mm, and how many different ends of each the next one begins with
LEVELS_MM = ((8.0, 6), (4.0, 1), (2.0, 1))
BINS = 32
# neighbourhood of the head that is looked at, so that its surface counts
AROUND_MM = 8.0
# turns that are looked at on the coarsest grid, degrees about each axis, and from how many of them it is searched
TURNS = (-30.0, -15.0, 0.0, 15.0, 30.0)
CLIMBED = 4
# gain of mutual information up to which the files' own placement is not questioned on the coarsest grid
NEARLY = 0.05


@dataclass(frozen=True, eq=False)
class Alignment:
    """How a scan lies on another one of the same head.

    matrix: (4, 4) float64, rigid, takes mm of the moving scan's file to mm of the fixed scan; ``matrix @ affine`` is
    the moving scan's affine once it lies right. distance_mm: how far it moves the head's voxels, on average;
    degrees: its rotation. before, after: mutual information in nats as the files have it and once moved.
    """

    matrix: Matrix
    distance_mm: float
    degrees: float
    before: float
    after: float

    def reversed(self) -> Alignment:
        """Return the alignment of the fixed scan with the moving one; ``matrix`` is inverted."""
        back = np.asarray(np.linalg.inv(self.matrix), np.float64)
        return Alignment(back, self.distance_mm, self.degrees, self.before, self.after)


def register(fixed: Volume, moving: Volume, head: Bool) -> Alignment | None:
    """Return how ``moving`` lies on ``fixed``, whose ``head`` is (X, Y, Z) bool; None where the two have no overlap.

    Both are RAS+, of any contrast and units. Maximises Mattes' mutual information (Mattes et al. 2003) over rigid
    transforms, on three grids, with every voxel of the head and its neighbourhood and in one thread: the same scans
    give the same answer. Starts at the coarsest level from the files' own placement and from heads brought together,
    turned and not.
    """
    with _one_thread():
        search = _Search(fixed, moving, head, LEVELS_MM[0][0])
        starts = search.starts()
        for size, kept in LEVELS_MM:
            search = search if size == LEVELS_MM[0][0] else _Search(fixed, moving, head, size)
            ends = [end for start in starts if (end := search.climb(start)) is not None]
            if not ends:
                return None
            starts = search.different([end[1] for end in sorted(ends, key=lambda end: -end[0])])[:kept]
        still = search.identity()
        before, after = search.value(still), max(end[0] for end in ends)
        return search.alignment(starts[0] if after > before else still, before, max(after, before))


def register_heads(fixed: Volume, head: Head, moving: Volume, moving_head: Head) -> Alignment | None:
    """Return how ``moving`` lies on ``fixed``, each with its head on its own grid, by ``register``: searched within the
    brain where one of the two is stripped; None where the two have no overlap."""
    if moving_head.kind == "brain" and head.kind == "head":
        found = register(moving, fixed, moving_head.mask)
        return found and found.reversed()
    return register(fixed, moving, head.mask)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep SimpleITK to one thread: the order in which several add up changes the last digits of the metric."""
    import SimpleITK as sitk

    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


class _Search:
    """The two scans on grids of one size, along the axes of the world."""

    def __init__(self, fixed: Volume, moving: Volume, head: Bool, size: float) -> None:
        import SimpleITK as sitk

        self._size = size
        still, around = _on_axes(fixed, size), _on_axes(Volume(head.astype(np.float32), fixed.affine), size)
        inside = around.data > 0.5
        self._points = np.argwhere(inside) @ still.affine[:3, :3].T + still.affine[:3, 3]
        wide = ndimage.distance_transform_edt(~inside, sampling=size) <= AROUND_MM
        other = _on_axes(moving, size)
        self._fixed, self._moving = _image(still.data, still.affine), _image(other.data, other.affine)
        self._mask = _image(wide.astype(np.uint8), still.affine)
        self._looked_at = np.argwhere(wide) @ still.affine[:3, :3].T + still.affine[:3, 3]
        self._information = MutualInformation(still.data[wide], other, BINS)
        self._centre = self._points.mean(axis=0)
        bright = np.argwhere(other.data > other.data.mean())
        self._other_centre = bright.mean(axis=0) @ other.affine[:3, :3].T + other.affine[:3, 3]
        self._euler: Any = sitk.Euler3DTransform

    def identity(self) -> Any:
        """Return the transform that leaves everything where the files have it."""
        return self._transform((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))

    def starts(self) -> list[Any]:
        """Return where the coarsest search begins: as the files have it, and unless that is nearly a top, the likeliest
        turns of heads brought together."""
        still = self.identity()
        climbed = self.climb(still)
        if climbed and climbed[0] < (1 + NEARLY) * self.value(still):
            return [still]
        together = tuple(self._other_centre - self._centre)
        turned = [self._transform(angles, together) for angles in product(np.radians(TURNS), repeat=3)]
        likely = sorted(turned, key=self.value, reverse=True)[:CLIMBED]
        return [still, self._transform((0.0, 0.0, 0.0), together), *likely]

    def climb(self, start: Any) -> tuple[float, Any] | None:
        """Return mutual information and transform at the top above ``start``; None where nothing overlaps."""
        import SimpleITK as sitk

        method = self._method()
        method.SetOptimizerAsRegularStepGradientDescent(
            learningRate=self._size / 2, minStep=self._size / 400, numberOfIterations=100, relaxationFactor=0.6
        )
        method.SetOptimizerScalesFromPhysicalShift()
        method.SetInitialTransform(self._euler(start), inPlace=False)
        try:
            found = method.Execute(self._fixed, self._moving)
        except RuntimeError:
            # what SimpleITK raises where too few voxels of the two overlap
            return None
        if isinstance(found, sitk.CompositeTransform):
            found = found.GetNthTransform(0)
        return -method.GetMetricValue(), self._euler(found)

    def different(self, transforms: list[Any]) -> list[Any]:
        """Return ``transforms``, best first, without those that lead within half a voxel of a better one."""
        kept: list[tuple[Any, Matrix]] = []
        for transform in transforms:
            there = _matrix(transform)
            moved = self._points @ there[:3, :3].T + there[:3, 3]
            if all(np.linalg.norm(moved - other, axis=1).mean() > self._size / 2 for _, other in kept):
                kept.append((transform, moved))
        return [transform for transform, _ in kept]

    def value(self, transform: Any) -> float:
        """Return the mutual information in nats at ``transform``; 0 where nothing overlaps."""
        there = _matrix(transform)
        return self._information.at(self._looked_at @ there[:3, :3].T + there[:3, 3])

    def alignment(self, transform: Any, before: float, after: float) -> Alignment:
        """Return ``transform``, which takes fixed mm to moving mm, as an ``Alignment``."""
        there = _matrix(transform)
        moved = self._points @ there[:3, :3].T + there[:3, 3] - self._points
        cosine = np.clip((np.trace(there[:3, :3]) - 1) / 2, -1, 1)
        distance = float(np.linalg.norm(moved, axis=1).mean())
        return Alignment(
            np.asarray(np.linalg.inv(there), np.float64), distance, float(np.degrees(np.arccos(cosine))), before, after
        )

    def _method(self) -> Any:
        import SimpleITK as sitk

        method = sitk.ImageRegistrationMethod()
        method.SetMetricAsMattesMutualInformation(BINS)
        method.SetMetricSamplingStrategy(method.NONE)
        method.SetMetricFixedMask(self._mask)
        method.SetInterpolator(sitk.sitkLinear)
        return method

    def _transform(self, angles: tuple[float, ...], shift: tuple[float, ...]) -> Any:
        transform = self._euler()
        transform.SetCenter([float(value) for value in self._centre])
        transform.SetRotation(*(float(angle) for angle in angles))
        transform.SetTranslation([float(value) for value in shift])
        return transform


def _matrix(transform: Any) -> Matrix:
    """Return ``transform`` as (4, 4), mm of the fixed scan to mm of the moving one."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(transform.GetMatrix()).reshape(3, 3)
    matrix[:3, 3] = transform.TransformPoint((0.0, 0.0, 0.0))
    return matrix


def _on_axes(volume: Volume, size: float) -> Volume:
    """Return ``volume`` with voxels of ``size`` mm along the axes of the world, over all of its field of view."""
    sigma = [max(0.0, 0.5 * (size / own - 1)) for own in volume.spacing]
    smooth = gaussian(volume.data, sigma, "nearest")
    points = corners(volume.affine, volume.data.shape)
    low, high = points.min(axis=0), points.max(axis=0)
    affine = np.diag([size, size, size, 1.0])
    affine[:3, 3] = low
    x, y, z = (int(n) + 1 for n in np.ceil((high - low) / size))
    return Volume(resample(smooth, volume.affine, affine, (x, y, z), order=1, edge="nearest"), affine)


def _image(data: NDArray[Any], affine: Matrix) -> Any:
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(np.ascontiguousarray(data.transpose(2, 1, 0)))
    image.SetSpacing([float(affine[axis, axis]) for axis in range(3)])
    image.SetOrigin([float(value) for value in affine[:3, 3]])
    return image
