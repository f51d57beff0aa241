"""Training crops for inpainting: a healthy crop, a mask in it, and the inputs of the network."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.imaging.brain_position import across, brain_box
from core.imaging.inpaint.network import CENTRE, RESIDUAL, SPREAD, prepare
from core.synth.labelmaps import LAST_BRAIN
from core.synth.subject import subject
from core.train.appearance import bias, blurred, curve, resliced
from core.train.batch import Batch
from core.train.crop_store import Crop, Grid, batch_of, points
from core.train.datasets import chances
from core.train.mask_shapes import hole
from core.train.pack import PackedSet
from core.train.window import pick, window
from core.volume import Box, without_holes

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class Size:
    """A kind of batch: cubes of ``side`` voxels, ``count`` of them, with masks of ``low`` to ``high`` ml."""

    side: int
    count: int
    low: float
    high: float


# In use a mask of 12 ml makes a crop of 60 voxels, one of 45 ml of 76. The largest is cut off by its cube.
SIZES = (
    Size(48, 4, 1.0, 10.0),
    Size(64, 2, 6.0, 30.0),
    Size(72, 2, 20.0, 70.0),
    Size(64, 2, 6.0, 40.0),
    Size(48, 4, 1.0, 12.0),
    Size(72, 2, 20.0, 70.0),
    Size(64, 2, 6.0, 30.0),
    Size(96, 1, 60.0, 300.0),
)
# changes whenever crops come out otherwise: a store holds crops of one recipe
RECIPE = 2
# what is brighter, in parts of the brightest, is head
HEAD = 0.02
# share of crops from real scans when label maps are there too
REAL_SHARE = 0.7
# scans made from each label map, every fourth of them a whole head
SYNTHETIC_VARIANTS = 4
WHOLE_VARIANT = 1
# share of masks that stay below the surface: what lies beyond it makes crops that are easy to better
INNER_SHARE = 0.6
INNER_MM = 3
# share of crops around a place near the midline, and how near
MIDLINE_SHARE, MIDLINE_MM = 0.12, 8
# shares of crops with another curve of intensities, a bias field, thick slices and blur
CURVED, BIASED, THICK, BLURRED = 0.7, 0.4, 0.25, 0.1
# voxels of head that stay known, at least, as a share of those that are masked
KNOWN_SHARE = 0.4
# volumes kept in memory
KEPT = 64


@dataclass(frozen=True, eq=False)
class _Scan:
    """image, usable: (X, Y, Z), where masks may be; box: around a stripped brain."""

    image: NDArray[np.float16]
    usable: Bool
    box: Box | None


@dataclass(frozen=True, eq=False)
class _Cut:
    """A cube of a scan, perhaps turned.

    truth, allowed, mirrored: (S, S, S), the scan, where masks may be, the scan across the midline; inside: where that
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
    """Draws crops; batch ``index`` depends on the seed, the packed set and nothing else.

    cache: folder of the scans made from label maps. split: whose crops, train or validation.
    """

    def __init__(self, packed: PackedSet, seed: int, cache: Path, split: str = "train") -> None:
        self._packed = packed
        self._seed = seed
        self._cache = cache
        items = packed.learnt_from("inpaint", split)
        scans = [item for item in items if "t1" in item.contrasts]
        self._scans = [item.name for item in scans]
        self._chances = chances(scans) if scans else np.empty(0)
        self._labels = [item.name for item in items if item.kind == "labels"]
        named = [item.name for item in items if item.kind == "shapes"]
        self._shapes = [shape for name in named for shape in packed.shapes(name)]
        self._spacing = packed.shape_spacing(named[0]) if named else (1.0, 1.0, 1.0)
        self._loaded: OrderedDict[str, _Scan] = OrderedDict()

    def batch(self, index: int, smallest: bool = False) -> Batch:
        """Return batch ``index`` as the network takes it; ``smallest`` keeps to the smallest cubes."""
        return batch_of(self.crops(index, smallest), np.random.default_rng([self._seed, index, 3]))

    def crops(self, index: int, smallest: bool = False) -> list[Crop]:
        """Return the crops of batch ``index``, cubes of one size."""
        rng = np.random.default_rng([self._seed, index])
        size = SIZES[0] if smallest else SIZES[index % len(SIZES)]
        return [self._crop(rng, size) for _ in range(size.count)]

    def _crop(self, rng: np.random.Generator, size: Size) -> Crop:
        while True:
            scan = self._volume(rng)
            cut = _cut(scan, rng, size.side)
            head = cut.truth > HEAD
            mask = self._mask(rng, size) & cut.allowed
            if rng.random() < INNER_SHARE:
                mask &= ndimage.binary_erosion(without_holes(head), iterations=INNER_MM, border_value=1)
            # the outermost layer stays known, as in use, where the crop has a margin
            mask[[0, -1]] = mask[:, [0, -1]] = mask[:, :, [0, -1]] = False
            if mask.sum() >= 200 and (head & ~mask).sum() > KNOWN_SHARE * mask.sum():
                break
        truth, mirrored = _scanned(scan, cut, rng)
        prepared = prepare(np.where(mask, 0, truth).astype(np.float32), mask, head, None)
        target = np.where(mask, (truth - prepared.fill) / (RESIDUAL * prepared.level), 0).astype(np.float32)
        if scan.box is None:
            return Crop(prepared.context[0], target, mask)
        known = cut.inside & ~cut.across(mask, scan.box)
        return Crop(
            prepared.context[0],
            target,
            mask,
            np.where(known, (mirrored / prepared.level - CENTRE) / SPREAD, 0).astype(np.float32),
            known,
            Grid(cut.matrix, cut.centre, scan.box),
        )

    def _mask(self, rng: np.random.Generator, size: Size) -> Bool:
        millilitres = float(np.exp(rng.uniform(np.log(size.low), np.log(size.high))))
        return hole(size.side, millilitres, rng, self._shapes, self._spacing)

    def _volume(self, rng: np.random.Generator) -> _Scan:
        real = self._scans and (not self._labels or rng.random() < REAL_SHARE)
        if real:
            return self._keep(self._scans[int(rng.choice(len(self._scans), p=self._chances))])
        name = self._labels[rng.integers(len(self._labels))]
        return self._keep(f"{name}#{rng.integers(SYNTHETIC_VARIANTS)}")

    def _keep(self, name: str) -> _Scan:
        if name not in self._loaded:
            image, usable = self._synthetic(name) if "#" in name else self._scan(name)
            # all volumes of a packed set have voxels of 1 mm
            self._loaded[name] = _Scan(image, usable, brain_box(image > HEAD, 1e-3))
            if len(self._loaded) > KEPT:
                self._loaded.popitem(last=False)
        self._loaded.move_to_end(name)
        return self._loaded[name]

    def _scan(self, name: str) -> tuple[NDArray[np.float16], Bool]:
        return self._packed.image(name, "t1"), self._packed.usable(name)

    def _synthetic(self, name: str) -> tuple[NDArray[np.float16], Bool]:
        """Return a generated scan and its head; kept on disk, for it takes seconds to make."""
        path = self._cache / f"{name}.npz"
        if not path.is_file():
            label, _, variant = name.partition("#")
            seed = self._labels.index(label) * SYNTHETIC_VARIANTS + int(variant)
            whole = int(variant) == WHOLE_VARIANT
            made = subject(self._packed.tissues(label), seed, ("t1",), whole_head=whole)
            image = made.images["t1"]
            usable = (made.tissues > 0) & (made.tissues <= LAST_BRAIN)
            # the brightest voxel of a whole head is fat: 1 is the same tissue as in the scans
            level = max(float(np.percentile(image[made.tissues > 0], 99.5)), 1e-6)
            temporary = path.with_name(path.name + ".part.npz")
            np.savez_compressed(temporary, image=(image / level).astype(np.float16), usable=usable)
            temporary.replace(path)
        with np.load(path, allow_pickle=False) as stored:
            return stored["image"], stored["usable"]


def _scanned(scan: _Scan, cut: _Cut, rng: np.random.Generator) -> tuple[Float, Float]:
    """Return the truth and the mirrored scan of ``cut`` as another scanner would have given them, (S, S, S) each."""
    parts = [cut.truth, cut.mirrored]
    side = cut.truth.shape[0]
    change: Callable[[Float], Float] | None = None
    if rng.random() < THICK:
        change = resliced(rng, side)
    elif rng.random() < BLURRED:
        change = blurred(rng)
    if change is not None:
        # a stripped brain was stripped after it was resampled: its edge stays
        parts = [np.where((part > 0) | (scan.box is None), np.maximum(change(part), 0), 0) for part in parts]
    if rng.random() < BIASED:
        gain = bias(rng)
        places = [cut.points - cut.centre[:, None, None, None]] * 2
        if scan.box is not None:
            opposite = cut.points.copy()
            opposite[0] = across(opposite[0], scan.box)
            places[1] = opposite - cut.centre[:, None, None, None]
        parts = [part * gain(place) for part, place in zip(parts, places, strict=True)]
    if rng.random() < CURVED:
        bent = curve(rng)
        parts = [bent(part) for part in parts]
    return parts[0], parts[1]


def _cut(scan: _Scan, rng: np.random.Generator, side: int) -> _Cut:
    """Return a cube around a random usable voxel; every other one turned and scaled a little (cubic spline)."""
    centre = _centre(scan, rng)
    turn = np.eye(3)
    if rng.random() < 0.5:
        turn = _rotation(rng.uniform(-0.2, 0.2, 3)) * rng.uniform(0.92, 1.1, 3)
    else:
        centre = np.round(centre) - side // 2 + side / 2
    voxels = points(turn, centre, side)
    allowed = _at(scan.usable, voxels, 0) > 0
    mirrored, inside = np.zeros(allowed.shape, np.float32), np.zeros(allowed.shape, bool)
    if scan.box is not None:
        other = voxels.copy()
        other[0] = across(other[0], scan.box)
        mirrored = _at(scan.image, other, 1)
        inside = (other[0] >= 0) & (other[0] <= scan.image.shape[0] - 1)
    return _Cut(_at(scan.image, voxels, 3), allowed, mirrored, inside, voxels, turn, centre)


def _centre(scan: _Scan, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a random usable voxel (3,), now and then one near the midline."""
    near = scan.box is not None and rng.random() < MIDLINE_SHARE
    for _ in range(50):
        point = pick(scan.usable, rng).astype(np.float64)
        if not near or scan.box is None or abs(across(point[0], scan.box) - point[0]) < 2 * MIDLINE_MM:
            break
    return point


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
