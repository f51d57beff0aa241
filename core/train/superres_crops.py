"""Training crops for super-resolution: a sharp crop and the slices that a scanner would have made of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.acquisition import Acquisition, Axis, Profile, whole
from core.imaging.superres.prepared import RESIDUAL, measured_part, prepare
from core.train.appearance import curve
from core.train.batch import Batch
from core.train.datasets import Packed, chances
from core.train.pack import PackedSet

Float = NDArray[np.float32]

SIDE = 40
COUNT = 3
# a voxel outside the head counts this much
BACKGROUND = 0.02
HEAD = 0.02
# share of crops with one thick axis, and with the same factor on all three; the rest are thick on two
ONE, ALL = 0.6, 0.35
# share of crops at the factor of four that most low-field and clinical protocols come to
FOURFOLD = 0.8
# share of crops with another curve of intensities
CURVED = 0.8
# share of crops from scans of which only the axes in the slice plane are sharp
PLANAR = 0.1


class _Drawn:
    """Images to draw from: (item, contrast)."""

    def __init__(self, images: list[tuple[Packed, str]]) -> None:
        self.images = images
        self._chances = chances([item for item, _ in images]) if images else np.empty(0)

    def draw(self, rng: np.random.Generator) -> tuple[str, str]:
        """Return the subject and the contrast of a random image."""
        item, contrast = self.images[int(rng.choice(len(self.images), p=self._chances))]
        return item.name, contrast


class ThickSource:
    """Draws crops of the sharp scans of a packed set."""

    def __init__(self, packed: PackedSet, seed: int, split: str = "train") -> None:
        self._packed = packed
        self._seed = seed
        scans = [item for item in packed.learnt_from("superres", split) if item.kind == "scan"]
        self._sharp = _Drawn([(item, contrast) for item in scans for contrast in item.sharp])
        self._planar = _Drawn([(item, contrast) for item in scans if not item.sharp for contrast in item.contrasts])
        self._loaded: dict[tuple[str, str], NDArray[np.float16]] = {}

    def batch(self, index: int, smallest: bool = False) -> Batch:
        """Return batch ``index``."""
        rng = np.random.default_rng([self._seed, index, 7])
        crops = [self._crop(rng) for _ in range(1 if smallest else COUNT)]
        return Batch(*(np.stack(part) for part in zip(*crops, strict=True)))

    def _crop(self, rng: np.random.Generator) -> tuple[Float, Float, Float, Float, Float]:
        planar = bool(self._planar.images) and (not self._sharp.images or rng.random() < PLANAR)
        image = self._image((self._planar if planar else self._sharp).draw(rng))
        truth = _cut(image, rng)
        axes = _thick_axes(rng, planar)
        sampled = [_sampled(rng, axis in axes, factor) for axis, factor in zip(range(3), _factors(rng), strict=True)]
        if not planar and rng.random() < 0.5:
            # any axis of a sharp scan may be the thick one
            order = rng.permutation(3)
            truth = truth.transpose(order)
        truth = np.ascontiguousarray(truth[tuple(slice(None, None, rng.choice((-1, 1))) for _ in range(3))])
        if rng.random() < CURVED:
            truth = curve(rng)(truth)
        acquisition = Acquisition((sampled[0], sampled[1], sampled[2]))
        prepared = prepare(acquisition.measure(truth), acquisition, 1.0)
        target = (truth - prepared.base) / RESIDUAL
        region = np.where(truth > HEAD, 1.0, BACKGROUND).astype(np.float32)
        parts = np.stack([measured_part(axis) for axis in acquisition.axes])
        return prepared.context, target[None], region[None], prepared.conditioning, parts

    def _image(self, name: tuple[str, str]) -> NDArray[np.float16]:
        if name not in self._loaded:
            self._loaded[name] = self._packed.image(*name)
        return self._loaded[name]


def _cut(image: NDArray[np.float16], rng: np.random.Generator) -> Float:
    """Return a random cube of which at least a third lies in the head."""
    sides = [max(0, side - SIDE) for side in image.shape]
    cube = np.zeros((SIDE, SIDE, SIDE), np.float32)
    for _ in range(20):
        low = [int(rng.integers(room + 1)) for room in sides]
        part = image[tuple(slice(start, start + SIDE) for start in low)].astype(np.float32)
        if (part > HEAD).mean() > 0.33:
            break
    cube[tuple(slice(side) for side in part.shape)] = part
    return cube


def _thick_axes(rng: np.random.Generator, planar: bool) -> tuple[int, ...]:
    if planar:
        return (int(rng.integers(2)),)
    kind = rng.random()
    if kind < ONE:
        return (2 if rng.random() < 0.6 else int(rng.integers(2)),)
    if kind < ONE + ALL:
        return (0, 1, 2)
    left_out = int(rng.integers(3))
    return tuple(axis for axis in range(3) if axis != left_out)


def _factors(rng: np.random.Generator) -> tuple[float, float, float]:
    if rng.random() < FOURFOLD:
        return 4.0, 4.0, 4.0
    factor = float(np.exp(rng.uniform(np.log(1.4), np.log(8))))
    return (factor, factor, factor) if rng.random() < 0.5 else (factor, min(4.0, factor), factor)


def _sampled(rng: np.random.Generator, coarse: bool, step: float) -> Axis:
    """Return how one axis of the crop is sampled: any phase, box or Gaussian, sometimes a gap."""
    if not coarse:
        return whole(SIDE)
    step = min(step, SIDE / 6)
    profile: Profile = "box" if rng.random() < 0.5 else "gaussian"
    width = 1 - rng.uniform(0, 0.3) if rng.random() < 0.4 else 1.0
    if profile == "gaussian" and width == 1.0:
        width = rng.uniform(0.85, 1.15) if rng.random() < 0.5 else 1.0
    first = rng.uniform(-0.5, step - 0.5)
    if step == int(step):
        # slices that begin at a voxel border, as block means do
        first = (step - 1) / 2 - float(rng.integers(int(step))) if rng.random() < 0.7 else first
        first = first + step if first < -0.5 else first
    count = int((SIDE - 0.5 - first) / step) + 1
    return Axis(SIDE, count, step, max(1.0, step * width), float(first), profile)
