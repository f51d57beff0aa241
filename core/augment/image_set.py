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
Kind = Literal["rgb", "grey", "ir", "mri"]

LARGEST_SIDE = 32
"""The longest side of an image that is studied, pixels."""
# of the test images, from which on one class has most of them
MOSTLY = 0.8


@dataclass(frozen=True, eq=False)
class ImageSet:
    """N images of K classes.

    values: (N, C, H, W) float32: colours or greys from 0 to 1 ("rgb", "grey"), absorbance ("ir"), or intensities with
    white matter about 1 ("mri"). labels: (N,) 0 to K - 1. groups: (N,) patient, slide or head of each. positions: (C,)
    wavenumbers in cm^-1 of "ir", else numbers of the channels.
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


def require_enough(data: StudyData, bases: Sequence[int]) -> None:
    """Refuse ``data`` that are too few, or of too many classes, for ``bases``. UserError too_few_images."""
    classes, largest, smallest = len(data.test.classes), 2 * max(bases), min(bases)
    if data.largest < largest or len(data.test) < 2 * classes:
        raise UserError(
            "too_few_images",
            f"There are {data.largest} images to train on and {len(data.test)} to test on; {largest} are needed to "
            f"train on and {2 * classes} to test on.",
            "Choose smaller base sizes (bases), or give more images.",
        )
    if smallest < 2 * classes:
        raise UserError(
            "too_few_images",
            f"{smallest} real images are too few for {classes} classes: the smallest base needs two of each.",
            "Choose larger base sizes (bases), or join classes (class_names).",
        )


def imbalance(data: StudyData, bases: Sequence[int]) -> tuple[str, ...]:
    """Return warnings where one class has most of the test images, or a class none of the smallest base."""
    found, shares = [], np.bincount(data.test.labels, minlength=len(data.test.classes)) / len(data.test)
    if shares.max() > MOSTLY:
        most = data.test.classes[int(shares.argmax())]
        found.append(
            f"{shares.max():.0%} of the test images are {most}: who always answers this has that accuracy, and rare "
            "classes hardly count. Leave out images of it."
        )
    labels = data.pools[0].labels
    base = labels[nested_order(labels, 0)[: min(bases)]]
    rare = [name for number, name in enumerate(data.test.classes) if not (base == number).any()]
    if rare:
        found.append(
            f"The first {min(bases)} images have none of {', '.join(rare[:5])}: no generator of them draws it. Choose "
            "larger base sizes, or join classes."
        )
    return tuple(found)
