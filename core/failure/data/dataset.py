"""The patches of one run: a training set, test sets, and a set without the shortcut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.failure.data.labelled_patches import Loaded
from core.failure.data.splits import NO_GROUPS, most_folds, split
from core.spectra.patches import PatchSet
from core.spectra.simulated_tissue import SHIFTS, Tissue, simulate

HOME, CONFLICT = "id", "conflict"
TEST_PATCHES = 500
BALANCED_PATCHES = 200
TEST_SHARE = 0.3
FOLDS = 5


@dataclass(frozen=True, eq=False)
class Dataset:
    """train: patches that networks learn from. tests: name of a set -> patches, "id" always among them. balanced:
    further patches without the shortcut, None where there are none. notices: warnings for the user."""

    train: PatchSet
    tests: Mapping[str, PatchSet]
    balanced: PatchSet | None
    source: Literal["simulated", "file"]
    tissue: str
    notices: tuple[str, ...] = ()

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities of the patches: ir, and rgb where the tissue was stained."""
        return ("ir", "rgb") if self.train.rgb is not None else ("ir",)

    @property
    def spatial(self) -> bool:
        """Whether a patch is more than one pixel."""
        return self.train.spatial

    @property
    def everything(self) -> PatchSet:
        """The infrared side of training and test patches together, as they were before the split."""
        parts = (self.train, *self.tests.values())
        groups = [part.groups for part in parts if part.groups is not None]
        return PatchSet(
            np.concatenate([part.ir for part in parts]),
            self.train.wavenumbers,
            np.concatenate([part.labels for part in parts]),
            self.train.classes,
            np.concatenate(groups) if len(groups) == len(parts) else None,
            raman=self.train.raman,
        )


def simulated_dataset(tissue: Tissue, count: int, seed: int, tests: int = TEST_PATCHES) -> Dataset:
    """Return ``count`` simulated patches to train on, ``tests`` of each shift, and 200 without the shortcut.

    No two of the sets share a slide, nor do datasets of two seeds.
    """
    first = 10 * seed
    return Dataset(
        simulate(tissue, count, first),
        {shift: simulate(tissue, tests, first + 1, shift) for shift in SHIFTS},
        simulate(tissue, BALANCED_PATCHES, first + 2, "conflict"),
        "simulated",
        tissue.title,
    )


def user_folds(loaded: Loaded, seed: int) -> list[Dataset]:
    """Return the user's own patches in five folds by group, or as many as the rarest class allows: each is the test set
    of one dataset, the others its training set; without groups at random, with a notice.

    UserError too_few_groups.
    """
    patches = loaded.patches
    by: Literal["group", "patch"] = "patch" if patches.groups is None else "group"
    notices = tuple(dict.fromkeys((*loaded.notices, *(() if by == "group" else (NO_GROUPS,)))))
    found = []
    for part in most_folds(patches, FOLDS, seed, by):
        train = patches.take(np.setdiff1d(np.arange(len(patches)), part))
        found.append(Dataset(train, {HOME: patches.take(part)}, None, "file", "", notices))
    return found


def user_dataset(loaded: Loaded, seed: int) -> Dataset:
    """Return the user's own patches split by group, 70 % to train on; without groups at random, with a notice.

    UserError too_few_groups.
    """
    patches = loaded.patches
    parts = split(patches, (1 - TEST_SHARE, TEST_SHARE), seed)
    train, test = (patches.take(part) for part in parts.parts)
    notices = tuple(dict.fromkeys((*loaded.notices, *parts.notices)))
    return Dataset(train, {HOME: test}, None, "file", "", notices)
