"""Splits of a set of patches into training and test parts: a patient or slide lies in one part only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError

Ints = NDArray[np.int64]
By = Literal["auto", "group", "patch"]

NO_GROUPS = (
    "No patients or slides are known, so the split is random: the accuracy is too good if there are several patches of "
    "each."
)


class Labelled(Protocol):
    """What is split: labels (N,) as numbers of ``classes``, and the patient or slide (N,) of each, None if unknown."""

    @property
    def labels(self) -> Ints: ...
    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def groups(self) -> Ints | None: ...
    def __len__(self) -> int: ...


@dataclass(frozen=True, eq=False)
class Split:
    """parts: patch numbers, ascending, of each part. by: "group" or "patch". notices: warnings for the user."""

    parts: tuple[Ints, ...]
    by: str
    notices: tuple[str, ...] = ()


def split(patches: Labelled, shares: Sequence[float], seed: int, by: By = "auto") -> Split:
    """Split ``patches`` into parts of about ``shares``, each class in about these shares too.

    by: group, no patient or slide in two parts; patch, at random, refused where groups are known; auto, by group where
    they are known and with a notice where not. UserError random_split, no_groups, too_few_groups (not one group for
    each part, or a part without one of the classes).
    """
    if by == "patch" and patches.groups is not None:
        raise UserError(
            "random_split",
            "The patches have patients or slides, and a random split would put the same ones in both parts.",
            "Split by patient or slide.",
        )
    if by == "group" and patches.groups is None:
        raise UserError("no_groups", "No patient or slide of the patches is known.", "Give a group for each patch.")
    if patches.groups is None:
        return Split(_parts(np.arange(len(patches)), patches, shares, seed), "patch", (NO_GROUPS,))
    return Split(_parts(patches.groups, patches, shares, seed), "group")


def folds(patches: Labelled, number: int, seed: int, by: Literal["group", "patch"]) -> tuple[Ints, ...]:
    """Return the test patches of each of ``number`` folds.

    By patch even where groups are known: the difference to folds by group is the leak that is measured. UserError as
    for ``split``.
    """
    if by == "group":
        return split(patches, [1 / number] * number, seed, "group").parts
    return _parts(np.arange(len(patches)), patches, [1 / number] * number, seed)


def most_folds(patches: Labelled, number: int, seed: int, by: Literal["group", "patch"]) -> tuple[Ints, ...]:
    """Return the test patches of ``number`` folds, or of as many below as leave every class in each; UserError of
    ``split`` where two are too many."""
    for fewer in range(number, 2, -1):
        try:
            return folds(patches, fewer, seed, by)
        except UserError:
            continue
    return folds(patches, 2, seed, by)


def _parts(units: NDArray[np.int64], patches: Labelled, shares: Sequence[float], seed: int) -> tuple[Ints, ...]:
    """Deal whole ``units`` (N,), the largest first, each to the part that lacks most of what it holds."""
    _, unit = np.unique(units, return_inverse=True)
    classes = len(patches.classes)
    held = np.zeros((int(unit.max(initial=-1)) + 1, classes))
    np.add.at(held, (unit, patches.labels), 1)
    total = np.maximum(held.sum(axis=0), 1)
    wanted = np.asarray(shares, np.float64)[:, None] / sum(shares) * np.ones(classes)
    rng = np.random.default_rng(seed)
    part = np.zeros(len(held), np.int64)
    # shuffled first, so that units of one size come in random order
    order = rng.permutation(len(held))
    for each in order[np.argsort(-held[order].sum(axis=1), kind="stable")]:
        part[each] = ((wanted * (held[each] / total)).sum(axis=1) + 1e-9 * rng.random(len(wanted))).argmax()
        wanted[part[each]] -= held[each] / total
    _require_classes(held, part, len(shares))
    return tuple(np.flatnonzero(part[unit] == number) for number in range(len(shares)))


def _require_classes(held: NDArray[np.float64], part: Ints, parts: int) -> None:
    present = held.sum(axis=0) > 0
    for number in range(parts):
        if not (held[part == number].sum(axis=0)[present] > 0).all() or not (part == number).any():
            raise UserError(
                "too_few_groups",
                "There are too few patients or slides: a part of the split would lack one of the classes.",
                "Give more patients or slides of each class, or leave out the rare class.",
            )
