"""The people that translation learns from, whole or in cubes, as what is known of a place in a brain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.anatomy.intensity import LIMIT, scaled
from core.imaging.brain_position import places
from core.imaging.translate.regression import surroundings
from core.imaging.translate.trees import patch_maps
from core.train import cubes
from core.train.datasets import Packed
from core.train.heldout import TUMOUR
from core.train.pack import PackedSet
from core.train.window import window

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

# how far the surroundings of a voxel reach, voxels
REACH = 18
# voxels at the faces of a cube, whose surroundings are mostly guessed, that teach nothing
FACE = 3


@dataclass(frozen=True, eq=False)
class Subject:
    """A brain, or a part of one, in voxels of 1 mm. images: contrast -> ``scaled`` (X, Y, Z); brain: where it is;
    useful: the voxels of it that may be learnt from; place: (3, X, Y, Z) as from ``places``."""

    images: dict[str, NDArray[np.floating]]
    brain: Bool
    useful: Bool
    place: Float

    def cut(self, low: NDArray[np.intp], side: int) -> Subject:
        """Return the cube [low, low + side), empty where it leaves the subject."""
        images = {name: window(image, low, side) for name, image in self.images.items()}
        place = np.stack([window(part, low, side) for part in self.place])
        return Subject(images, window(self.brain, low, side), window(self.useful, low, side), place)

    def surroundings(self, name: str) -> Float:
        """Return ``core.imaging.translate.regression.surroundings`` of one contrast."""
        return surroundings(self.images[name].astype(np.float32), self.brain)

    def patch_maps(self, name: str) -> Float:
        """Return ``core.imaging.translate.trees.patch_maps`` of one contrast."""
        return patch_maps(self.images[name].astype(np.float32))


def subjects(packed: PackedSet, split: str = "train") -> list[Packed]:
    """Return the items of a split that have two contrasts or more of a stripped brain; the bench's own is in none."""
    items: Iterable[Packed] = packed.learnt_from("translate", split)
    return [item for item in items if item.stripped and len(item.contrasts) > 1 and item.name != TUMOUR]


def whole(packed: PackedSet) -> list[Packed]:
    """Return the training subjects of whom there are whole brains.

    Regression and trees are fitted on these alone: cubes are half tumour, and of a voxel and its surroundings alone
    neither can know whether it is in one; with cubes both made healthy tissue as bright as oedema.
    """
    return [item for item in subjects(packed) if item.kind == "scan"]


def read(packed: PackedSet, item: Packed, rng: np.random.Generator) -> Subject:
    """Return a subject; of one in cubes a random one, its standard scores taken to be those of a random whole brain."""
    if item.kind == "cubes":
        return _of_cube(packed.cubes(item.name), rng)
    brain = packed.head(item.name)
    images = {name: scaled(packed.image(item.name, name), brain).astype(np.float16) for name in item.contrasts}
    return Subject({**images}, brain, brain, places(brain))


def _of_cube(own: cubes.Cubes, rng: np.random.Generator) -> Subject:
    """Return one of the cubes with its mirror image around it, as far as surroundings reach."""
    chosen = int(rng.integers(len(own.values)))
    scores, brain = cubes.millimetres(own.values[chosen])
    useful = np.zeros(brain.shape, bool)
    inner = (slice(FACE, -FACE),) * 3
    useful[inner] = brain[inner]
    images: dict[str, NDArray[np.floating]] = {}
    around = np.pad(brain, REACH, mode="reflect")
    for name, image in scores.items():
        median = np.float32(rng.normal(*cubes.MEDIANS[name]))
        values = np.where(brain, np.clip(image - median, -LIMIT, LIMIT), 0)
        images[name] = np.pad(values, REACH, mode="reflect")
    place = cubes.positions(own.corners[chosen], brain.shape, REACH)
    return Subject(images, around, np.pad(useful, REACH), place)
