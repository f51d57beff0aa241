"""Training crops for inpainting: a healthy crop, a hole in it, and what the network is told about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.imaging.brain_position import Place, across, brain_box, position, reversed_left_right
from core.imaging.inpaint.network import PLACE_X, RESIDUAL, prepare
from core.synth.labelmaps import LAST_BRAIN
from core.synth.lesion import lumpy_mask
from core.synth.subject import subject
from core.train.batch import Batch
from core.train.pack import PackedSet
from core.train.window import pick, window
from core.volume import Box

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class Size:
    """A kind of batch: cubes of ``side`` voxels, ``count`` of them, with holes of ``low`` to ``high`` ml."""

    side: int
    count: int
    low: float
    high: float


SIZES = (
    Size(48, 4, 1.5, 10.0),
    Size(64, 2, 8.0, 30.0),
    Size(48, 4, 1.5, 10.0),
    Size(64, 2, 8.0, 30.0),
    Size(72, 2, 25, 60),
)
# what is brighter, in parts of the brightest, is head
HEAD = 0.02
# share of crops that are told nothing beyond their own voxels, as those of whole heads
PLACELESS_SHARE = 0.15
# share of crops from real scans when label maps are there too
REAL_SHARE = 0.7
SYNTHETIC_VARIANTS = 2
# share of holes that stay below the surface: what lies beyond it makes crops that are easy to better
INNER_SHARE = 0.6
INNER_MM = 3


@dataclass(frozen=True, eq=False)
class _Scan:
    """image, usable: (X, Y, Z), where holes may be; box: around a stripped brain."""

    image: Float
    usable: Bool
    box: Box | None


@dataclass(frozen=True, eq=False)
class _Cut:
    """A cube of a scan, perhaps turned.

    truth, allowed, mirrored: (S, S, S), the scan, where holes may be, the scan across the midline; inside: where that
    lies within the field of view. points: (3, S, S, S), the scan's voxel at each voxel of the cube; matrix: from
    offsets in the cube to offsets in the scan; centre: the scan's voxel at the cube's middle.
    """

    truth: Float
    allowed: Bool
    mirrored: Float
    inside: Bool
    points: NDArray[np.float64]
    matrix: NDArray[np.float64]
    centre: NDArray[np.float64]

    def across(self, mask: Bool, box: Box) -> Bool:
        """Return ``mask`` (S, S, S) as it lies across the midline."""
        other = self.points.copy()
        other[0] = across(other[0], box)
        inverse = np.linalg.inv(self.matrix)
        back = np.tensordot(inverse, other - self.centre[:, None, None, None], axes=1) + mask.shape[0] / 2
        return np.asarray(ndimage.map_coordinates(mask, back, order=0, mode="constant"), bool)


class CropSource:
    """Draws batches; batch ``index`` depends on the seed, the packed set and nothing else."""

    def __init__(self, packed: PackedSet, seed: int, cache: Path) -> None:
        self._packed = packed
        self._seed = seed
        self._cache = cache
        self._scans = [item.name for item in packed.items if item.split == "train" and "t1" in item.sharp]
        self._labels = [item.name for item in packed.items if item.kind == "labels"]
        self._loaded: dict[str, _Scan] = {}

    def batch(self, index: int, smallest: bool = False) -> Batch:
        """Return batch ``index``; ``smallest`` keeps to the smallest cubes (for smoke runs)."""
        rng = np.random.default_rng([self._seed, index])
        size = SIZES[0] if smallest else SIZES[index % len(SIZES)]
        contexts, targets = [], []
        for _ in range(size.count):
            context, target = self._crop(rng, size)
            contexts.append(context)
            targets.append(target)
        context = np.stack(contexts).astype(np.float16)
        return Batch(context, np.stack(targets)[:, None].astype(np.float16), context[:, 1:2])

    def _crop(self, rng: np.random.Generator, size: Size) -> tuple[Float, Float]:
        scan = self._volume(rng)
        cut = _cut(scan, rng, size.side)
        truth, mirrored = cut.truth, cut.mirrored
        if rng.random() < 0.5:
            power = np.float32(np.exp(rng.uniform(-0.22, 0.22)))
            truth, mirrored = np.maximum(truth, 0) ** power, np.maximum(mirrored, 0) ** power
        middle = tuple(int(size.side // 2 + rng.integers(-3, 4)) for _ in range(3))
        millilitres = float(np.exp(rng.uniform(np.log(size.low), np.log(size.high))))
        hole = lumpy_mask(truth.shape, (middle[0], middle[1], middle[2]), millilitres, rng)
        head = truth > HEAD
        mask = hole & cut.allowed
        if rng.random() < INNER_SHARE:
            mask &= ndimage.binary_erosion(ndimage.binary_fill_holes(head), iterations=INNER_MM, border_value=1)
        if mask.sum() < 200:
            return self._crop(rng, size)
        # the outermost layer stays known, as in use, where the crop has a margin
        mask[[0, -1]] = mask[:, [0, -1]] = mask[:, :, [0, -1]] = False
        place = None
        if scan.box is not None and rng.random() >= PLACELESS_SHARE:
            known = cut.inside & ~cut.across(mask, scan.box)
            place = Place(position(cut.points, scan.box), mirrored, known)
        prepared = prepare(np.where(mask, 0, truth).astype(np.float32), mask, head, place)
        target = np.where(mask, (truth - prepared.fill) / (RESIDUAL * prepared.level), 0).astype(np.float32)
        if rng.random() < 0.5:
            return reversed_left_right(prepared.context, PLACE_X), target[::-1]
        return prepared.context, target

    def _volume(self, rng: np.random.Generator) -> _Scan:
        real = self._scans and (not self._labels or rng.random() < REAL_SHARE)
        if real:
            name = self._scans[rng.integers(len(self._scans))]
            return self._keep(name)
        name = self._labels[rng.integers(len(self._labels))]
        return self._keep(f"{name}#{rng.integers(SYNTHETIC_VARIANTS)}")

    def _keep(self, name: str) -> _Scan:
        if name not in self._loaded:
            image, usable = self._synthetic(name) if "#" in name else self._scan(name)
            # all volumes of a packed set have voxels of 1 mm
            self._loaded[name] = _Scan(image, usable, brain_box(image > HEAD, 1e-3))
        return self._loaded[name]

    def _scan(self, name: str) -> tuple[Float, Bool]:
        return self._packed.image(name, "t1").astype(np.float32), self._packed.usable(name)

    def _synthetic(self, name: str) -> tuple[Float, Bool]:
        """Return a generated scan and its head; kept on disk, for it takes seconds to make."""
        path = self._cache / f"{name}.npz"
        if not path.is_file():
            label, _, variant = name.partition("#")
            seed = self._labels.index(label) * SYNTHETIC_VARIANTS + int(variant)
            made = subject(self._packed.tissues(label), seed, ("t1",), whole_head=variant == "1")
            image = made.images["t1"]
            usable = (made.tissues > 0) & (made.tissues <= LAST_BRAIN)
            temporary = path.with_name(path.name + ".part.npz")
            np.savez(temporary, image=(image / max(float(image.max()), 1e-6)).astype(np.float16), usable=usable)
            temporary.replace(path)
        with np.load(path, allow_pickle=False) as stored:
            return stored["image"].astype(np.float32), stored["usable"]


def _cut(scan: _Scan, rng: np.random.Generator, side: int) -> _Cut:
    """Return a cube around a random usable voxel; every other one turned and scaled a little (cubic spline)."""
    centre = pick(scan.usable, rng).astype(np.float64)
    offsets = np.stack(np.meshgrid(*[np.arange(side) - side / 2] * 3, indexing="ij"), axis=0)
    turn = np.eye(3)
    if rng.random() < 0.5:
        turn = _rotation(rng.uniform(-0.2, 0.2, 3)) * rng.uniform(0.92, 1.1, 3)
    else:
        centre = np.round(centre) - side // 2 + side / 2
    points = np.tensordot(turn, offsets, axes=1) + centre[:, None, None, None]
    allowed = _at(scan.usable, points, 0) > 0
    mirrored, inside = np.zeros(allowed.shape, np.float32), np.zeros(allowed.shape, bool)
    if scan.box is not None:
        other = points.copy()
        other[0] = across(other[0], scan.box)
        mirrored = _at(scan.image, other, 1)
        inside = (other[0] >= 0) & (other[0] <= scan.image.shape[0] - 1)
    return _Cut(_at(scan.image, points, 3), allowed, mirrored, inside, points, turn, centre)


def _at(image: NDArray[np.generic], points: NDArray[np.float64], order: int) -> Float:
    """Return ``image`` at ``points`` (3, S, S, S), 0 beyond its field of view; exact where points are voxels."""
    low = np.floor(points.reshape(3, -1).min(axis=1)).astype(int) - 3
    reach = int(np.ceil((points.reshape(3, -1).max(axis=1) - low).max())) + 4
    local = points - low[:, None, None, None]
    part: Float = window(image, low, reach).astype(np.float32)
    if not np.any(local % 1):
        x, y, z = local.astype(np.intp)
        exact: Float = part[x, y, z]
        return exact
    values: Float = ndimage.map_coordinates(part, local, order=order, mode="constant")
    return np.maximum(values, 0)


def _rotation(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles), np.sin(angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x)
