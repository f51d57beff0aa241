"""Rigid registration of two scans of one head, whatever their contrasts: how far apart they lie, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

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
# most steps of a search, what a step that turns back is shortened to, and the gradient that counts as none
STEPS, SHORTER, FLAT = 100, 0.6, 1e-4
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
    transforms, on three grids, with every voxel of the head and its neighbourhood: the same scans give the same answer.
    Starts at the coarsest level from the files' own placement and from heads brought together, turned and not.
    """
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


@dataclass(frozen=True, eq=False)
class _Rigid:
    """A rotation about ``centre`` and a shift, both (3,) mm; parameters: (6,), the angles about X, Y and Z in radians,
    applied in the order Y, X, Z, and the shift."""

    parameters: Matrix
    centre: Matrix

    @property
    def matrix(self) -> Matrix:
        """The transform as (4, 4), mm of the fixed scan to mm of the moving one."""
        x, y, z = (_turn(axis, angle) for axis, angle in enumerate(self.parameters[:3]))
        matrix = np.eye(4)
        matrix[:3, :3] = z @ x @ y
        matrix[:3, 3] = self.centre + self.parameters[3:] - matrix[:3, :3] @ self.centre
        return matrix

    def slopes(self) -> list[Matrix]:
        """Return the derivatives of the rotation (3, 3) by the three angles."""
        x, y, z = (_turn(axis, angle) for axis, angle in enumerate(self.parameters[:3]))
        # a quarter turn further, less what does not turn
        dx, dy, dz = (
            _turn(axis, angle + np.pi / 2) - np.diag(np.eye(3)[axis]) for axis, angle in enumerate(self.parameters[:3])
        )
        return [z @ dx @ y, z @ x @ dy, dz @ x @ y]

    def moved(self, step: Matrix) -> _Rigid:
        """Return the transform with ``step`` (6,) added to the parameters."""
        return _Rigid(self.parameters + step, self.centre)


def _turn(axis: int, angle: float) -> Matrix:
    """Return the rotation (3, 3) by ``angle`` radians about an axis."""
    matrix = np.eye(3)
    first, second = [other for other in range(3) if other != axis]
    sign = -1 if axis == 1 else 1
    matrix[first, first] = matrix[second, second] = np.cos(angle)
    matrix[second, first], matrix[first, second] = sign * np.sin(angle), -sign * np.sin(angle)
    return matrix


class _Search:
    """The two scans on grids of one size, along the axes of the world."""

    def __init__(self, fixed: Volume, moving: Volume, head: Bool, size: float) -> None:
        self._size = size
        still, around = _on_axes(fixed, size), _on_axes(Volume(head.astype(np.float32), fixed.affine), size)
        inside = around.data > 0.5
        self._points = np.argwhere(inside) @ still.affine[:3, :3].T + still.affine[:3, 3]
        wide = ndimage.distance_transform_edt(~inside, sampling=size) <= AROUND_MM
        other = _on_axes(moving, size)
        self._looked_at = (still.affine[:3, :3] @ np.argwhere(wide).T + still.affine[:3, 3:]).astype(np.float32)
        self._information = MutualInformation(still.data[wide], other, BINS)
        self._corners = corners(still.affine, still.data.shape)
        self._centre = self._points.mean(axis=0)
        bright = np.argwhere(other.data > other.data.mean())
        self._other_centre = bright.mean(axis=0) @ other.affine[:3, :3].T + other.affine[:3, 3]

    def identity(self) -> _Rigid:
        """Return the transform that leaves everything where the files have it."""
        return _Rigid(np.zeros(6), self._centre)

    def starts(self) -> list[_Rigid]:
        """Return where the coarsest search begins: as the files have it, and unless that is nearly a top, the likeliest
        turns of heads brought together."""
        still = self.identity()
        climbed = self.climb(still)
        if climbed and climbed[0] < (1 + NEARLY) * self.value(still):
            return [still]
        together = self._other_centre - self._centre
        turned = [still.moved(np.array([*angles, *together])) for angles in product(np.radians(TURNS), repeat=3)]
        likely = sorted(turned, key=self.value, reverse=True)[:CLIMBED]
        return [still, still.moved(np.array([0, 0, 0, *together])), *likely]

    def climb(self, start: _Rigid) -> tuple[float, _Rigid] | None:
        """Return mutual information and transform at the top above ``start``; None where nothing overlaps.

        Steps along the gradient, each parameter in units of what it moves the farthest corner by; shorter ones after a
        turn back (``RegularStepGradientDescentOptimizerv4`` of ITK).
        """
        units = self._reaches(start) ** 2
        here, step, before = start, self._size / 2, np.zeros(6)
        value = 0.0
        for _ in range(STEPS):
            found = self._slope(here)
            if found is None:
                return None
            value, uphill = found[0], found[1] / units
            length = float(np.linalg.norm(uphill))
            step *= SHORTER if before @ uphill < 0 else 1.0
            if length < FLAT or step < self._size / 400:
                break
            here, before = here.moved(step / length * uphill), uphill
        return value, here

    def _reaches(self, here: _Rigid) -> Matrix:
        """Return how far each parameter moves the corner that it moves farthest, mm for each radian or mm."""
        away = (self._corners - here.centre).T
        return np.array([*(np.linalg.norm(slope @ away, axis=0).max() for slope in here.slopes()), 1.0, 1.0, 1.0])

    def _slope(self, here: _Rigid) -> tuple[float, Matrix] | None:
        """Return the mutual information and its derivatives (6,) by the parameters; None where nothing overlaps."""
        found = self._information.at(_brought(self._looked_at, here.matrix))
        if found is None:
            return None
        value, pull = found
        away = self._looked_at - here.centre[:, None].astype(np.float32)
        turning = pull @ away.T
        return value, np.array([*((slope * turning).sum() for slope in here.slopes()), *pull.sum(axis=1)])

    def different(self, transforms: list[_Rigid]) -> list[_Rigid]:
        """Return ``transforms``, best first, without those that lead within half a voxel of a better one."""
        kept: list[tuple[_Rigid, Matrix]] = []
        for transform in transforms:
            there = transform.matrix
            moved = self._points @ there[:3, :3].T + there[:3, 3]
            if all(np.linalg.norm(moved - other, axis=1).mean() > self._size / 2 for _, other in kept):
                kept.append((transform, moved))
        return [transform for transform, _ in kept]

    def value(self, transform: _Rigid) -> float:
        """Return the mutual information in nats at ``transform``; 0 where nothing overlaps."""
        found = self._information.at(_brought(self._looked_at, transform.matrix))
        return found[0] if found else 0.0

    def alignment(self, transform: _Rigid, before: float, after: float) -> Alignment:
        """Return ``transform``, which takes fixed mm to moving mm, as an ``Alignment``."""
        there = transform.matrix
        moved = self._points @ there[:3, :3].T + there[:3, 3] - self._points
        cosine = np.clip((np.trace(there[:3, :3]) - 1) / 2, -1, 1)
        distance = float(np.linalg.norm(moved, axis=1).mean())
        return Alignment(
            np.asarray(np.linalg.inv(there), np.float64), distance, float(np.degrees(np.arccos(cosine))), before, after
        )


def _brought(points: Float, matrix: Matrix) -> Float:
    """Return ``points`` (3, N) float32 mm where the (4, 4) ``matrix`` takes them."""
    return matrix[:3, :3].astype(np.float32) @ points + matrix[:3, 3:].astype(np.float32)


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
