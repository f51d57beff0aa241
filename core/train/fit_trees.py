"""Boosted trees over the training subjects: those that ship, and those that have not seen the subject of a crop."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.contrasts import CONTRASTS
from core.imaging.translate.trees import Model, beside, gather
from core.nets.boosted_trees import MODELS, TREES
from core.train.boosting import boost, constant
from core.train.contrast_subjects import read
from core.train.datasets import Packed
from core.train.pack import PackedSet

Float = NDArray[np.float32]

VOXELS = 20_000
# neighbours are nearly equal: no more than this share of a brain
SHARE = 0.1
FOLDS = 3
# trees of a smoke run
FEWEST = 4


@dataclass(frozen=True, eq=False)
class Sample:
    """Voxels of one brain: contrast -> features (N, F) as of ``patch_maps``, and ``place`` (N, 3)."""

    features: Mapping[str, Float]
    place: Float

    def gather(self, names: Collection[str]) -> Float:
        """Return the features of ``names`` as ``core.imaging.translate.trees.gather`` orders them."""
        return beside(self.features, self.place, names)


def draw(packed: PackedSet, item: Packed, number: int) -> Sample:
    """Return random voxels of subject ``number``."""
    rng = np.random.default_rng([number, 2])
    subject = read(packed, item, rng)
    count = min(VOXELS, int(SHARE * subject.useful.sum()))
    picked = rng.choice(np.flatnonzero(subject.useful), count, replace=False)
    nothing = np.zeros((0, *subject.brain.shape), np.float32)
    features = {name: gather({name: subject.patch_maps(name)}, nothing, picked) for name in item.contrasts}
    return Sample(features, gather({}, subject.place, picked))


def fit(drawn: Sequence[Sample], names: Collection[str], target: str, trees: int = TREES) -> Model:
    """Return the ``trees`` that make ``target`` from ``names``, fitted on the samples that have all of them; without
    such a sample they predict 0."""
    used = [sample for sample in drawn if {*names, target} <= set(sample.features)]
    if not used:
        return constant(0.0)
    features = np.concatenate([sample.gather(names) for sample in used])
    return boost(features, np.concatenate([sample.features[target][:, 0] for sample in used]), trees)


def fit_all(packed: PackedSet, items: Sequence[Packed], trees: int = TREES) -> dict[str, Tensor]:
    """Return the tensors of ``core.nets.boosted_trees.BoostedTrees``, fitted on ``items``."""
    drawn = [draw(packed, item, number) for number, item in enumerate(items)]
    models = [
        fit(drawn, [CONTRASTS[source] for source in sources], CONTRASTS[target], trees) for sources, target in MODELS
    ]
    return {
        "nodes": torch.from_numpy(np.stack([model.nodes for model in models])),
        "start": torch.tensor([model.start for model in models], dtype=torch.float32),
    }


class Others:
    """The trees that a subject is shown while a network learns: fitted at the first use, on the other subjects.

    Trees predict the subjects they were fitted on better than a new one, and a network that learnt
    from it would trust them too far. Subjects are dealt out to ``FOLDS``; a single one is among those that are fitted.
    Those fitted stay in ``folder``, for a run that goes on in another session.
    """

    def __init__(self, sample: Callable[[int], Sample], count: int, folder: Path) -> None:
        self._sample = sample
        self._count = count
        self._folder = folder
        self._drawn: list[Sample] = []
        self._models: dict[tuple[int, tuple[str, ...], str, int], Model] = {}

    def model(self, number: int, names: Collection[str], target: str, trees: int = TREES) -> Model:
        """Return the ``trees`` from ``names`` to ``target`` for crops of subject ``number``."""
        key = (number % FOLDS, tuple(sorted(names)), target, trees)
        if key not in self._models:
            self._models[key] = self._stored(key)
        return self._models[key]

    def _stored(self, key: tuple[int, tuple[str, ...], str, int]) -> Model:
        fold, names, target, trees = key
        path = self._folder / f"{fold}-{'+'.join(names)}-{target}-{trees}.npz"
        if path.is_file():
            with np.load(path, allow_pickle=False) as stored:
                return Model(stored["nodes"], float(stored["start"]))
        if not self._drawn:
            self._drawn = [self._sample(index) for index in range(self._count)]
        others = [sample for index, sample in enumerate(self._drawn) if index % FOLDS != fold]
        model = fit(others or self._drawn, names, target, trees)
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".part.npz")
        np.savez(temporary, nodes=model.nodes, start=model.start)
        temporary.replace(path)
        return model
