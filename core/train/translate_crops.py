"""Training crops for translation: some contrasts of a subject, and another one of the same place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.anatomy.intensity import scaled
from core.imaging.brain_position import places, reversed_left_right
from core.imaging.translate.network import PLACE_X, prepare
from core.imaging.translate.regression import predict, surroundings
from core.imaging.translate.trees import gather, patch_maps
from core.imaging.translate.trees import predict as grown_of
from core.nets.boosted_trees import TREES
from core.train.batch import Batch
from core.train.fit_regression import fit, subjects
from core.train.fit_trees import FEWEST, Others, draw
from core.train.pack import PackedSet
from core.train.window import window

Float = NDArray[np.float32]

SIDE = 40
SMALLEST = 24
COUNT = 4


@dataclass(frozen=True, eq=False)
class _Subject:
    images: dict[str, NDArray[np.float16]]  # contrast -> ``surroundings`` (scales, X, Y, Z)
    maps: dict[str, NDArray[np.float16]]  # contrast -> ``patch_maps`` (maps, X, Y, Z)
    brain: NDArray[np.bool_]
    place: Float


class ContrastSource:
    """Draws crops of the subjects of a packed set that have two contrasts or more.

    folder: where the trees of a run are kept.
    grown: add the prediction of boosted trees, which the papers' networks do not take.
    """

    def __init__(self, packed: PackedSet, seed: int, folder: Path, grown: bool = True) -> None:
        self._packed = packed
        self._grown = grown
        self._seed = seed
        self._items = subjects(packed)
        self._loaded: dict[str, _Subject] = {}
        self._table = fit(packed)
        self._trees = Others(lambda number: draw(packed, self._items[number], number), len(self._items), folder)

    def batch(self, index: int, smallest: bool = False) -> Batch:
        """Return batch ``index``, crops of different subjects where there are several."""
        rng = np.random.default_rng([self._seed, index, 11])
        count = 1 if smallest else COUNT
        chosen = rng.permutation(len(self._items))[:count] if len(self._items) >= count else [0] * count
        crops = [self._crop(int(number), rng, smallest) for number in chosen]
        context, target, region, conditioning = (np.stack(part) for part in zip(*crops, strict=True))
        return Batch(context, target, region, conditioning)

    def _crop(self, number: int, rng: np.random.Generator, smallest: bool) -> tuple[Float, Float, Float, Float]:
        subject = self._subject(number)
        side, trees = (SMALLEST, FEWEST) if smallest else (SIDE, TREES)
        where = _cube(subject.brain, rng, side)
        brain = window(subject.brain, where, side)
        names = sorted(subject.images)
        target = names[rng.integers(len(names))]
        others = [name for name in names if name != target]
        kept = [others[number] for number in rng.permutation(len(others))[: 1 + rng.integers(len(others))]]
        sources = {name: _windows(subject.images[name], where, side) for name in kept}
        base = np.where(brain, predict(self._table, sources, target), 0).astype(np.float32)
        truth = window(subject.images[target][0], where, side).astype(np.float32) - base
        images = {name: parts[0] for name, parts in sources.items()}
        place = _windows(subject.place, where, side)
        grown = None
        if self._grown:
            maps = {name: _windows(subject.maps[name], where, side) for name in kept}
            grown = np.zeros(brain.shape, np.float32)
            grown[brain] = grown_of(self._trees.model(number, kept, target, trees), gather(maps, place, brain))
        context, conditioning = prepare(images, brain, target, place, base, grown)
        if rng.random() < 0.5:
            context, truth, brain = reversed_left_right(context, PLACE_X), truth[::-1], brain[::-1]
        return context, np.ascontiguousarray(truth)[None], brain[None].astype(np.float32), conditioning

    def _subject(self, number: int) -> _Subject:
        item = self._items[number]
        if item.name not in self._loaded:
            brain = self._packed.head(item.name)
            own = {contrast: scaled(self._packed.image(item.name, contrast), brain) for contrast in item.contrasts}
            images = {name: surroundings(image, brain).astype(np.float16) for name, image in own.items()}
            maps = {name: patch_maps(image).astype(np.float16) for name, image in own.items() if self._grown}
            self._loaded[item.name] = _Subject(images, maps, brain, places(brain))
        return self._loaded[item.name]


def _windows(parts: NDArray[np.floating], where: tuple[int, int, int], side: int) -> Float:
    return np.stack([window(part, where, side) for part in parts]).astype(np.float32)


def _cube(brain: NDArray[np.bool_], rng: np.random.Generator, side: int) -> tuple[int, int, int]:
    """Return the low corner of a random cube of which at least a quarter is brain, if chance finds one."""
    for _ in range(20):
        low = [int(rng.integers(-4, max(1, extent - side + 4))) for extent in brain.shape]
        if window(brain, (low[0], low[1], low[2]), side).mean() > 0.25:
            break
    return low[0], low[1], low[2]
