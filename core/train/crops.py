"""Training crops for inpainting: a healthy crop, a hole in it, and what the network is told about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.methods.inpaint import RESIDUAL, prepare
from core.synth.anatomy import LAST_BRAIN
from core.synth.lesion import lumpy_mask
from core.synth.subject import subject
from core.train.batch import Batch
from core.train.pack import PackedSet
from core.train.window import window

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
# share of crops from real scans when label maps are there too
REAL_SHARE = 0.7
SYNTHETIC_VARIANTS = 2
# share of holes that stay below the surface: what lies beyond it makes crops that are easy to better
INNER_SHARE = 0.6
INNER_MM = 3


class CropSource:
    """Draws batches; batch ``index`` depends on the seed, the packed set and nothing else."""

    def __init__(self, packed: PackedSet, seed: int, cache: Path) -> None:
        self._packed = packed
        self._seed = seed
        self._cache = cache
        self._scans = [item.name for item in packed.items if item.split == "train" and "t1" in item.sharp]
        self._labels = [item.name for item in packed.items if item.kind == "labels"]
        self._loaded: dict[str, tuple[Float, Bool]] = {}

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
        image, usable = self._volume(rng)
        truth, allowed = _cut(image, usable, rng, size.side)
        if rng.random() < 0.5:
            truth, allowed = truth[::-1], allowed[::-1]
        if rng.random() < 0.5:
            truth = np.maximum(truth, 0) ** np.float32(np.exp(rng.uniform(-0.22, 0.22)))
        middle = tuple(int(size.side // 2 + rng.integers(-3, 4)) for _ in range(3))
        millilitres = float(np.exp(rng.uniform(np.log(size.low), np.log(size.high))))
        hole = lumpy_mask(truth.shape, (middle[0], middle[1], middle[2]), millilitres, rng)
        head = truth > 0.02
        mask = hole & allowed
        if rng.random() < INNER_SHARE:
            mask &= ndimage.binary_erosion(ndimage.binary_fill_holes(head), iterations=INNER_MM, border_value=1)
        if mask.sum() < 200:
            return self._crop(rng, size)
        # the outermost layer stays known, as in use, where the crop has a margin
        mask[[0, -1]] = mask[:, [0, -1]] = mask[:, :, [0, -1]] = False
        prepared = prepare(np.where(mask, 0, truth).astype(np.float32), mask, head)
        target = np.where(mask, (truth - prepared.fill) / (RESIDUAL * prepared.level), 0)
        return prepared.context, target.astype(np.float32)

    def _volume(self, rng: np.random.Generator) -> tuple[Float, Bool]:
        real = self._scans and (not self._labels or rng.random() < REAL_SHARE)
        if real:
            name = self._scans[rng.integers(len(self._scans))]
            return self._keep(name)
        name = self._labels[rng.integers(len(self._labels))]
        return self._keep(f"{name}#{rng.integers(SYNTHETIC_VARIANTS)}")

    def _keep(self, name: str) -> tuple[Float, Bool]:
        if name not in self._loaded:
            self._loaded[name] = self._synthetic(name) if "#" in name else self._scan(name)
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


def _cut(image: Float, usable: Bool, rng: np.random.Generator, side: int) -> tuple[Float, Bool]:
    """Return a cube around a random usable voxel; every other one turned and scaled a little (cubic spline)."""
    centre = _pick(usable, rng).astype(np.float64)
    grid = np.stack(np.meshgrid(*[np.arange(side) - side / 2] * 3, indexing="ij"), axis=0)
    if rng.random() < 0.5:
        low = np.round(centre).astype(int) - side // 2
        return window(image, low, side), window(usable, low, side)
    turn = _rotation(rng.uniform(-0.2, 0.2, 3)) * rng.uniform(0.92, 1.1, 3)
    positions = np.tensordot(turn, grid, axes=1) + centre[:, None, None, None]
    low = np.floor(positions.reshape(3, -1).min(axis=1)).astype(int) - 3
    reach = int(np.ceil((positions.reshape(3, -1).max(axis=1) - low).max())) + 4
    local = positions - low[:, None, None, None]
    cube = ndimage.map_coordinates(window(image, low, reach), local, order=3, mode="constant")
    allowed = ndimage.map_coordinates(window(usable, low, reach), local, order=0, mode="constant")
    return np.maximum(cube, 0).astype(np.float32), np.asarray(allowed, bool)


def _pick(usable: Bool, rng: np.random.Generator) -> NDArray[np.intp]:
    while True:
        point = np.array([rng.integers(side) for side in usable.shape])
        if usable[tuple(point)]:
            return point


def _rotation(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles), np.sin(angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x)
