"""The brain of a whole head by a surface that grows to its border (Smith, Hum. Brain Mapp. 17:143, 2002: BET)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse

from core.anatomy.head import find_head
from core.smoothing import gaussian
from core.volume import Volume, largest_part, without_holes

Float = NDArray[np.float32]
Real = NDArray[np.float64]
Bool = NDArray[np.bool_]
Index = NDArray[np.intp]

# the paper's fractional threshold, and those tried where it leads to no likely brain
THRESHOLDS = (0.5, 0.6, 0.7, 0.4)
LIKELY_ML = (800.0, 1900.0)
# how far below its top a head is looked at, mm: no brain is taller, and a long neck misleads
TALLEST_MM = 165.0
# the part of it that is mostly brain, not face or neck: where the ball to start from is measured
CROWN_MM = 115.0
# divisions of the surface and the steps it takes with each
STAGES = ((3, 500), (4, 250))
# what is smoothed away first: one dark voxel of noise counts as an end of the brain
SMOOTH_MM = 0.6
# the paper's constants: depths of the two searches, radii of curvature that are smoothed
DEEP_MM, NEAR_MM = 20.0, 10.0
FLAT_MM, SHARP_MM = 10.0, 3.33


@dataclass(frozen=True)
class Levels:
    """Intensities of a head: robust ends, head against air, and the median of what is likely brain."""

    low: float
    air: float
    middle: float
    high: float


def surface_brain(volume: Volume, head: Bool | None = None) -> Bool:
    """Return the brain of the whole head ``volume``, (X, Y, Z) bool, about 1 mm; nothing where no likely one is found.

    head: what ``find_head`` found in it, (X, Y, Z) bool; None where that is still to be done.
    Looked at on two heads (T1): all of the cortex is inside, and where the skull is thin a few ml of it as well.
    """
    if head is None:
        head = find_head(volume).mask
    if not head.any():
        return head
    sides = np.array(volume.spacing)
    data = gaussian(volume.data, list(SMOOTH_MM / sides), "nearest")
    levels, centre, radius = _begin(data, upper(head, sides[2], CROWN_MM), sides)
    allowed = upper(head, sides[2], TALLEST_MM)
    for threshold in THRESHOLDS:
        surface = _surface(_Scene(data, sides, levels, threshold), centre, radius)
        if surface is not None:
            brain = _tidied(_filled(surface, sphere(STAGES[-1][0])[1], data.shape, sides) & allowed)
            if LIKELY_ML[0] <= brain.sum() * np.prod(sides) / 1000 <= LIKELY_ML[1]:
                return brain
    return np.zeros_like(head)


@dataclass(frozen=True, eq=False)
class _Scene:
    """What a surface sees: voxels (X, Y, Z), their sides in mm, intensities, and the fractional threshold."""

    data: Float
    sides: Real
    levels: Levels
    threshold: float


def _surface(scene: _Scene, centre: Real, radius: float) -> Real | None:
    """Return the surface (n, 3) in mm that a small ball grows to; None where it bursts."""
    vertices = centre + 0.5 * radius * sphere(STAGES[0][0])[0]
    for level, steps in STAGES:
        points, faces = sphere(level)
        if len(vertices) < len(points):
            vertices = _divided(vertices, sphere(level - 1)[1])[0]
        edges, means = _joined(len(vertices), faces)
        # 1.7 times the edge that a ball of this radius has
        longest = radius * 2.0 ** (1 - level)
        for _ in range(steps):
            edge = float(np.linalg.norm(vertices[edges[:, 0]] - vertices[edges[:, 1]], axis=1).mean())
            if edge > longest:
                return None
            vertices = _step(vertices, means @ vertices, normals(vertices, faces), edge, scene)
    return vertices


def upper(head: Bool, size: float, height_mm: float) -> Bool:
    """Return the part of ``head`` (X, Y, Z) bool, RAS+, within ``height_mm`` of its top; size: mm along Z."""
    planes = np.flatnonzero(head.any(axis=(0, 1)))
    head = head.copy()
    head[:, :, : max(0, int(planes[-1] + 1 - height_mm / size))] = False
    return head


def _begin(data: Float, head: Bool, sides: Real) -> tuple[Levels, Real, float]:
    """Return the intensities, and the centre and radius (mm) of a ball that has the volume of the head."""
    inside = data[head]
    low, high = (float(value) for value in np.percentile(inside, (2, 98)))
    air = low + 0.1 * (high - low)
    solid = head & (data > air)
    index = np.argwhere(solid)
    weight = np.minimum(data[solid], high) - low
    centre = np.average(index, axis=0, weights=weight) * sides
    radius = float((3 * solid.sum() * np.prod(sides) / (4 * np.pi)) ** (1 / 3))
    near = np.linalg.norm(index * sides - centre, axis=1) < radius
    values = data[solid][near]
    return Levels(low, air, float(np.median(values[values < high])), high), centre, radius


def _step(vertices: Real, middle: Real, normal: Real, edge: float, scene: _Scene) -> Real:
    """Return the vertices (n, 3) after one step of the paper's three forces.

    middle: the mean of each one's neighbours (n, 3); edge: mean distance of neighbours, mm.
    """
    flat, sharp = 1 / FLAT_MM, 1 / SHARP_MM
    offset = middle - vertices
    along = (offset * normal).sum(axis=1, keepdims=True)
    across = offset - along * normal
    curvature = 2 * np.abs(along) / edge**2
    bend = (1 + np.tanh(6 / (sharp - flat) * (curvature - (flat + sharp) / 2))) / 2
    push = 0.05 * edge * _outward(vertices, normal, scene)[:, None]
    farthest = (np.array(scene.data.shape) - 1) * scene.sides
    return np.asarray(np.clip(vertices + 0.5 * across + bend * along * normal + push * normal, 0, farthest))


def _outward(vertices: Real, normal: Real, scene: _Scene) -> Real:
    """Return the paper's f3 (n,): above 0 where the surface lies inside the brain, below 0 outside."""
    data, levels = scene.data, scene.levels
    depth = np.arange(0.0, DEEP_MM + 0.5)
    places = (vertices[:, None] - depth[None, :, None] * normal[:, None]) / scene.sides
    index = np.rint(places).astype(np.intp)
    limits = np.array(data.shape) - 1
    seen = ((index >= 0) & (index <= limits)).all(axis=2)
    x, y, z = np.moveaxis(np.clip(index, 0, limits), 2, 0)
    values = np.where(seen, data[x, y, z], levels.low)
    least = np.clip(values.min(axis=1), levels.low, levels.middle)
    most = np.clip(values[:, depth <= NEAR_MM].max(axis=1), levels.air, levels.middle)
    wanted = (most - levels.low) * scene.threshold + levels.low
    return np.asarray(2 * (least - wanted) / np.maximum(most - levels.low, 1e-6))


def normals(vertices: Real, faces: Index) -> Real:
    """Return the unit normals (n, 3) of a closed surface whose ``faces`` (m, 3) run counterclockwise seen outside."""
    a, b, c = vertices[faces[:, 0]], vertices[faces[:, 1]], vertices[faces[:, 2]]
    face = np.cross(b - a, c - a)
    each = [np.bincount(faces.T.ravel(), np.tile(face[:, axis], 3), len(vertices)) for axis in range(3)]
    total = np.stack(each, axis=1)
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12))


def _filled(vertices: Real, faces: Index, shape: tuple[int, ...], sides: Real) -> Bool:
    """Return the voxels within a closed surface (n, 3) in mm, its own among them."""
    corners = vertices[faces] / sides
    longest = float(np.abs(corners - np.roll(corners, 1, axis=1)).max())
    count = int(np.ceil(2 * longest)) + 1
    one, two = np.meshgrid(np.linspace(0, 1, count), np.linspace(0, 1, count), indexing="ij")
    keep = one + two <= 1 + 1e-9
    weights = np.stack([one[keep], two[keep], 1 - one[keep] - two[keep]], axis=1)
    index = np.rint(np.einsum("wc,fcx->fwx", weights, corners)).astype(np.intp).reshape(-1, 3)
    index = np.clip(index, 0, np.array(shape) - 1)
    shell = np.zeros(shape, bool)
    shell[index[:, 0], index[:, 1], index[:, 2]] = True
    return without_holes(shell)


def _tidied(brain: Bool) -> Bool:
    """Return ``brain`` without the flaps and islands that a folded surface leaves."""
    return largest_part(np.asarray(ndimage.binary_opening(brain, iterations=2)))


@lru_cache
def sphere(level: int) -> tuple[Real, Index]:
    """Return an icosahedron divided ``level`` times: points (n, 3) on the unit sphere and faces (m, 3), whose corners
    run counterclockwise seen from outside."""
    golden = (1 + 5**0.5) / 2
    signs = [(a, b * golden) for a in (-1, 1) for b in (-1, 1)]
    points = np.array([p for a, b in signs for p in ((0, a, b), (a, b, 0), (b, 0, a))], float)
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    close = (distance > 0) & (distance < 2.1)
    triples = [(a, b, c) for a in range(12) for b in range(a) for c in range(b)]
    faces = np.array([t for t in triples if close[t[0], t[1]] and close[t[1], t[2]] and close[t[0], t[2]]])
    turned = np.einsum("ij,ij->i", np.cross(*_sides(points, faces)), points[faces[:, 0]]) < 0
    faces[turned] = faces[turned][:, ::-1]
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    for _ in range(level):
        points, faces = _divided(points, faces)
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    return points, faces


def _sides(points: Real, faces: Index) -> tuple[Real, Real]:
    return points[faces[:, 1]] - points[faces[:, 0]], points[faces[:, 2]] - points[faces[:, 0]]


def _divided(points: Real, faces: Index) -> tuple[Real, Index]:
    """Return each triangle as four."""
    pairs = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    edges, which = np.unique(pairs, axis=0, return_inverse=True)
    middles = points[edges].mean(axis=1)
    ab, bc, ca = which.reshape(3, -1) + len(points)
    a, b, c = faces.T
    parts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    return np.concatenate([points, middles]), np.concatenate([np.stack(part, axis=1) for part in parts])


def _joined(count: int, faces: Index) -> tuple[Index, sparse.csr_array]:
    """Return the edges (k, 2) of a closed surface, each in both directions, and the matrix (count, count) that gives
    each point the mean of its neighbours."""
    edges = np.stack([faces.T.ravel(), np.roll(faces, -1, axis=1).T.ravel()], axis=1)
    share = 1 / np.bincount(edges[:, 0], minlength=count)[edges[:, 0]]
    return edges, sparse.csr_array((share, (edges[:, 0], edges[:, 1])), shape=(count, count))
