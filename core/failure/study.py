"""The patches of one examination: what is trained on, what is tested on, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.failure.modality import channels, images
from core.failure.patches import PatchSet
from core.failure.train import Training
from core.synth.tissue import PRESETS, SHIFTS, simulate

Ints = NDArray[np.int64]

HOME, AWAY, CONFLICT = "id", "external", "conflict"
SET_TITLES = {
    HOME: "In distribution",
    AWAY: "External slides",
    CONFLICT: "Shortcut at random",
}
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
    """Return a simulated study: ``count`` patches to train on, ``tests`` of each shift, 200 without the shortcut."""
    first = 10 * seed
    return Study(
        simulate(preset, count, first),
        {shift: simulate(preset, tests, first + 1, shift) for shift in SHIFTS},
        simulate(preset, BALANCED_PATCHES, first + 2, "conflict"),
        "simulated",
        PRESETS[preset].title,
    )


def measured(patches: PatchSet, seed: int, notices: tuple[str, ...] = ()) -> Study:
    """Return a study of the user's own patches, split by group; without groups, by class, and the study says so."""
    test = held_out(patches, seed)
    more = (
        ()
        if patches.groups is not None
        else ("No patient or slide is known: training and test may share them, and then every number is too good.",)
    )
    return Study(patches.take(~test), {HOME: patches.take(test)}, None, "file", "", (*notices, *more))


def held_out(patches: PatchSet, seed: int, share: float = TEST_SHARE) -> NDArray[np.bool_]:
    """Return which patches are kept for the test, (N,): whole groups, all classes alike as far as groups allow."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    folds = max(2, round(1 / share))
    if patches.groups is None:
        dealer = StratifiedKFold(folds, shuffle=True, random_state=seed)
        test = next(iter(dealer.split(patches.labels, patches.labels)))[1]
    else:
        dealer = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
        test = next(iter(dealer.split(patches.labels, patches.labels, patches.groups)))[1]
    chosen = np.zeros(len(patches), bool)
    chosen[test] = True
    return chosen
