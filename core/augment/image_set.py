"""Labelled images with the patient or slide of each: what the study splits, trains on and tests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError

Float = NDArray[np.float32]
Ints = NDArray[np.int64]
Kind = Literal["rgb", "ir", "mri"]


@dataclass(frozen=True, eq=False)
class ImageSet:
    """N images of K classes.

    values: (N, C, H, W) float32: colours from 0 to 1 ("rgb"), absorbance ("ir"), or intensities with white matter about
    1 ("mri"). labels: (N,) 0 to K - 1. groups: (N,) patient, slide or head of each. positions: (C,) wavenumbers in
    cm^-1 of "ir", else numbers of the channels.
    """

    values: Float
    labels: Ints
    classes: tuple[str, ...]
    groups: Ints
    kind: Kind
    positions: tuple[float, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: NDArray[Any]) -> ImageSet:
        """Return the images at ``index``: their numbers, or a mask (N,) bool."""
        return replace(self, values=self.values[index], labels=self.labels[index], groups=self.groups[index])

    def with_others(self, values: Float, labels: Ints) -> ImageSet:
        """Return these images followed by others, which belong to no group (-1)."""
        none = np.full(len(labels), -1, np.int64)
        return replace(
            self,
            values=np.concatenate([self.values, values]),
            labels=np.concatenate([self.labels, labels]),
            groups=np.concatenate([self.groups, none]),
        )


@dataclass(frozen=True, eq=False)
class StudyData:
    """What one study works on; no group is in two of its parts.

    pools: real images to train on: one set for each seed, or one for all. test: real images on which every classifier
    is tested. beyond: images of another slide set or of other heads, on which the open-set generator is trained; None
    for a closed set alone. title: what they are. notices: warnings for the user.
    """

    pools: tuple[ImageSet, ...]
    test: ImageSet
    beyond: ImageSet | None
    source: Literal["simulated", "file", "heads"]
    title: str
    notices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        parts = [part for part in (*self.pools, self.test, self.beyond) if part is not None]
        require_apart(parts)

    def pool(self, place: int) -> ImageSet:
        """Return the pool of the seed at ``place`` among the seeds."""
        return self.pools[place if len(self.pools) > 1 else 0]

    @property
    def largest(self) -> int:
        """The number of real images of the smallest pool."""
        return min(map(len, self.pools))


def require_apart(parts: Sequence[ImageSet]) -> None:
    """Raise ``ValueError`` where two of ``parts`` share a group."""
    groups = [np.unique(part.groups) for part in parts]
    together = np.concatenate(groups)
    if len(np.unique(together)) < len(together):
        raise ValueError("a patient or slide is in two parts")


def nested_order(labels: Ints, seed: int) -> Ints:
    """Return a random order of images (N,) in which every beginning has the classes in nearly the shares of all.

    >>> nested_order(np.array([0, 0, 1, 1]), 0)[:2] // 2
    array([0, 1])
    """
    rng = np.random.default_rng([seed, 1])
    place = np.zeros(len(labels))
    for kind in np.unique(labels):
        here = rng.permutation(np.flatnonzero(labels == kind))
        # spread evenly over 0 to 1, with a random start
        place[here] = (np.arange(len(here)) + rng.random()) / len(here)
    return np.argsort(place, kind="stable").astype(np.int64)


def require_enough(data: StudyData, largest: int) -> None:
    """Refuse ``data`` of which ``largest`` images cannot be trained on. UserError too_few_images."""
    if data.largest < largest or len(data.test) < 2 * len(data.test.classes):
        raise UserError(
            "too_few_images",
            f"There are {data.largest} images to train on and {len(data.test)} to test on; {largest} are needed.",
            "Choose smaller base sizes, or give more images.",
        )
