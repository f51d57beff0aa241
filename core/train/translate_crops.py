"""Training crops for translation: some contrasts of a subject, and another one of the same place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.imaging.translate.network import prepare
from core.imaging.translate.regression import predict
from core.imaging.translate.trees import gather
from core.imaging.translate.trees import predict as grown_of
from core.nets.boosted_trees import TREES
from core.train.batch import Batch
from core.train.contrast_subjects import REACH, Subject, read, subjects, whole
from core.train.datasets import Packed
from core.train.fit_regression import fit
from core.train.fit_trees import FEWEST, Others, draw
from core.train.pack import PackedSet
from core.volume import bounding_box

Float = NDArray[np.float32]

SIDE = 40
SMALLEST = 24
COUNT = 4
# crops of whole scans among those of scans and cubes
WHOLE = 0.5


class ContrastSource:
    """Draws crops of the subjects of a packed set that have two contrasts or more, whole or in cubes.

    folder: where the regression and the trees of a run are kept.
    grown: add the prediction of boosted trees, which the papers' networks do not take.
    split: of whom; regression and trees are those of the whole training subjects.
    """

    def __init__(self, packed: PackedSet, seed: int, folder: Path, grown: bool = True, split: str = "train") -> None:
        self._packed = packed
        self._grown = grown
        self._seed = seed
        learnt = whole(packed)
        by_kind = {kind: [item for item in subjects(packed, split) if item.kind == kind] for kind in ("scan", "cubes")}
        # the number of a whole training subject is its own among those that trees are fitted on
        self._numbered = [list(enumerate(items)) for items in by_kind.values() if items]
        self._loaded: dict[str, Subject] = {}
        self._table = _regression(packed, folder / "regression.npy")
        self._trees = Others(lambda number: draw(packed, learnt[number], number), len(learnt), folder)

    def batch(self, index: int, smallest: bool = False) -> Batch:
        """Return batch ``index``, crops of random subjects."""
        rng = np.random.default_rng([self._seed, index, 11])
        crops = [self._crop(rng, smallest) for _ in range(1 if smallest else COUNT)]
        context, target, region, conditioning = (np.stack(part) for part in zip(*crops, strict=True))
        return Batch(context, target, region, conditioning)

    def _crop(self, rng: np.random.Generator, smallest: bool) -> tuple[Float, Float, Float, Float]:
        several = self._numbered[int(len(self._numbered) > 1 and rng.random() >= WHOLE)]
        number, item = several[rng.integers(len(several))]
        subject = self._subject(item, rng)
        side, trees = (SMALLEST, FEWEST) if smallest else (SIDE, TREES)
        # with what the surroundings of its voxels reach
        around = subject.cut(_cube(subject, rng, side) - REACH, side + 2 * REACH)
        inside = slice(REACH, REACH + side)
        middle = (..., inside, inside, inside)
        brain, place = around.brain[middle], around.place[middle]
        names = sorted(subject.images)
        target = names[rng.integers(len(names))]
        others = [name for name in names if name != target]
        kept = [others[number] for number in rng.permutation(len(others))[: 1 + rng.integers(len(others))]]
        sources = {name: around.surroundings(name)[middle] for name in kept}
        base = np.where(brain, predict(self._table, sources, target), 0).astype(np.float32)
        useful = around.useful[middle]
        truth = np.where(useful, around.images[target][middle].astype(np.float32) - base, 0)
        images = {name: parts[0] for name, parts in sources.items()}
        grown = None
        if self._grown:
            maps = {name: around.patch_maps(name)[middle] for name in kept}
            grown = np.zeros(brain.shape, np.float32)
            grown[brain] = grown_of(self._trees.model(number, kept, target, trees), gather(maps, place, brain))
        context, conditioning = prepare(images, brain, target, place, base, grown)
        return context, truth[None].astype(np.float32), useful[None].astype(np.float32), conditioning

    def _subject(self, item: Packed, rng: np.random.Generator) -> Subject:
        if item.kind != "scan":
            return read(self._packed, item, rng)
        if item.name not in self._loaded:
            self._loaded[item.name] = read(self._packed, item, rng)
        return self._loaded[item.name]


def _regression(packed: PackedSet, path: Path) -> Float:
    """Return the table of the regression, fitted unless an earlier session of the run has stored it at ``path``."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name("part-" + path.name)
        np.save(temporary, fit(packed))
        temporary.replace(path)
    table: Float = np.load(path, allow_pickle=False)
    return table


def _cube(subject: Subject, rng: np.random.Generator, side: int) -> NDArray[np.intp]:
    """Return the low corner of a random cube of which at least a quarter is useful, if chance finds one."""
    box = bounding_box(subject.useful)
    for _ in range(20):
        low = [int(rng.integers(part.start - 4, max(part.start, part.stop - side + 4) + 1)) for part in box]
        if subject.cut(np.array(low), side).useful.mean() > 0.25:
            break
    return np.array(low)
