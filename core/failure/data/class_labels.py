"""Labels of any kind as numbers of classes with their names."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.files.whole_numbers import nearly_whole, whole_numbers

MOST_CLASSES = 100
NAME_CHARACTERS = 60


def numbered(
    labels: NDArray[Any],
    stored: NDArray[Any] | None,
    given: tuple[str, ...],
    *,
    negative: bool,
    fewest: int = 2,
) -> tuple[NDArray[np.int64], tuple[str, ...], NDArray[np.bool_]]:
    """Return ``labels`` as 0 to K - 1 (-1 for none), the names of the classes, and where there is a label.

    stored: names of numbered classes in the file, None for none; given: the user's, in the order of the classes, or as
    "label=name", where one name for two labels makes them one class. negative: whether no label is a negative number
    rather than 0. fewest: how many classes there must be. UserError no_labels, bad_parameter.
    """
    text = labels.dtype.kind == "U"
    if text:
        labels = np.char.strip(labels)
        known = labels != ""
    else:
        known = np.ones(labels.shape, bool) if labels.dtype.kind != "f" else np.isfinite(labels)
        if not nearly_whole(labels)[known].all():
            raise UserError(
                "no_labels", "The labels are measurements, not classes.", "Choose a column of classes (label_column)."
            )
        labels = whole_numbers(np.where(known, labels, 0))
        known &= labels >= 0 if negative else labels > 0
    kinds = np.unique(labels[known])
    if len(kinds) > MOST_CLASSES:
        raise UserError(
            "no_labels",
            f"There are labels of {len(kinds)} classes, and {MOST_CLASSES} are the most.",
            "Choose a column of classes (label_column).",
        )
    names = _named(kinds, _stored_names(kinds, None if text else stored, first=0 if negative else 1), given)
    classes = tuple(dict.fromkeys(names))
    if len(classes) < fewest:
        raise UserError("no_labels", "There are labels of fewer than two classes.", "Give examples of two or more.")
    number = np.array([classes.index(name) for name in names], np.int64)
    if not len(kinds):
        return np.full(labels.shape, -1, np.int64), (), known
    found = np.where(known, number[np.minimum(np.searchsorted(kinds, labels), len(kinds) - 1)], -1)
    return found.astype(np.int64), classes, known


def _stored_names(kinds: NDArray[Any], stored: NDArray[Any] | None, first: int) -> tuple[str, ...]:
    if stored is not None and stored.dtype.kind == "U" and len(kinds):
        places = kinds.astype(np.int64) - first
        if places.min() >= 0 and places.max() < stored.size:
            return tuple(str(name)[:NAME_CHARACTERS] for name in stored.ravel()[places])
    return tuple(str(kind)[:NAME_CHARACTERS] for kind in kinds)


def _named(kinds: NDArray[Any], names: tuple[str, ...], given: tuple[str, ...]) -> tuple[str, ...]:
    if not given:
        return names
    pairs = dict(pair.split("=", 1) for pair in given if "=" in pair)
    if not pairs and len(given) == len(kinds):
        return given
    shown = [str(kind) for kind in kinds]
    pairs = {label.strip(): name.strip() for label, name in pairs.items()}
    if len(pairs) != len(given) or not set(pairs) <= {*shown, *names}:
        raise UserError(
            "bad_parameter",
            f"The class names do not fit the {len(kinds)} labels {', '.join(shown[:10])}.",
            "Give one name for each label in this order, or label=name.",
        )
    return tuple(pairs.get(label, pairs.get(name, name)) for label, name in zip(shown, names, strict=True))
