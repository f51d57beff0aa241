"""The patches of one examination: what is trained on, what is tested on, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.failure.data.labelled import Loaded
from core.failure.data.modality import channels, images
from core.failure.data.splits import split
from core.failure.models.training import Training
from core.spectra.patches import PatchSet
from core.spectra.simulated_tissue import PRESETS, SHIFTS, Tissue, simulate

Ints = NDArray[np.int64]

HOME, CONFLICT = "id", "conflict"
TEST_PATCHES = 500
BALANCED_PATCHES = 200
TEST_SHARE = 0.3


@dataclass(frozen=True, eq=False)
class Study:
    """train: what networks learn from. tests: set name -> patches, "id" always among them. balanced: further patches
    without the shortcut, None where there are none. notices: what the user should know."""

    train: PatchSet
    tests: Mapping[str, PatchSet]
    balanced: PatchSet | None
    source: str
    tissue: str
    notices: tuple[str, ...] = ()

    @property
    def modalities(self) -> tuple[str, ...]:
        """What there is to see: ir, and rgb where the tissue was stained."""
        return ("ir", "rgb") if self.train.rgb is not None else ("ir",)

    @property
    def spatial(self) -> bool:
        """Whether a patch is more than one pixel."""
        return bool(self.train.ir.shape[2] * self.train.ir.shape[3] > 1)

    @property
    def everything(self) -> PatchSet:
        """The infrared side of all patches of the user, as they were before the split."""
        parts = (self.train, *self.tests.values())
        groups = [part.groups for part in parts if part.groups is not None]
        return PatchSet(
            np.concatenate([part.ir for part in parts]),
            self.train.wavenumbers,
            np.concatenate([part.labels for part in parts]),
            self.train.classes,
            np.concatenate(groups) if len(groups) == len(parts) else None,
        )

    def training(self, modality: str) -> Training:
        """Return what a network of ``modality`` learns from."""
        train = self.train
        slides = train.groups if train.groups is not None else np.zeros(len(train), np.int64)
        balanced = None if self.balanced is None else (images(self.balanced, modality), self.balanced.labels)
        positions = channels(train, modality)[1]
        return Training(
            images(train, modality), train.labels, len(train.classes), slides, positions, modality == "rgb", balanced
        )


def simulated(preset: str, count: int, seed: int, tests: int = TEST_PATCHES) -> Study:
    """Return a study of one of the simulator's kinds of tissue, see ``of_tissue``."""
    return of_tissue(PRESETS[preset], count, seed, tests)


def of_tissue(tissue: Tissue, count: int, seed: int, tests: int = TEST_PATCHES) -> Study:
    """Return a simulated study: ``count`` patches to train on, ``tests`` of each shift, 200 without the shortcut."""
    first = 10 * seed
    return Study(
        simulate(tissue, count, first),
        {shift: simulate(tissue, tests, first + 1, shift) for shift in SHIFTS},
        simulate(tissue, BALANCED_PATCHES, first + 2, "conflict"),
        "simulated",
        tissue.title,
    )


def measured(loaded: Loaded, seed: int) -> Study:
    """Return a study of the user's own patches, split by group; without groups at random, and the study says so.

    UserError too_few_groups.
    """
    patches = loaded.patches
    dealt = split(patches, (1 - TEST_SHARE, TEST_SHARE), seed)
    train, test = (patches.take(part) for part in dealt.parts)
    notices = tuple(dict.fromkeys((*loaded.notices, *dealt.notices)))
    return Study(train, {HOME: test}, None, "file", "", notices)
