"""Whole numbers as files hold them: scaled, so that 4 comes back as 3.9999999, or as 1.00002 for 1; and mere counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# how far from a whole number rounding of slope and value may lead; labels lie 1 apart
NEARLY = 1e-3


def nearly_whole(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return where numbers of any type and shape lie within ``NEARLY`` of a whole number.

    >>> nearly_whole(np.array([3.9999999, 1.00002, 0.4, np.nan])).tolist()
    [True, True, False, False]
    """
    if values.dtype.kind != "f":
        return np.ones(values.shape, np.bool_)
    with np.errstate(invalid="ignore"):
        near: NDArray[np.bool_] = np.abs(values - np.rint(values)) <= NEARLY
    return near


def whole_numbers(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return numbers as the nearest integers, any shape.

    >>> whole_numbers(np.array([3.9999999, 1.00002])).tolist()
    [4, 1]
    """
    return np.rint(values).astype(np.int64) if values.dtype.kind == "f" else values.astype(np.int64)


def without_rounding(values: NDArray[Any]) -> NDArray[Any]:
    """Return ``values`` with the nearly whole ones made whole, same shape and type.

    >>> without_rounding(np.array([3.9999999, 0.4])).tolist()
    [4.0, 0.4]
    """
    return np.where(nearly_whole(values), np.rint(values), values) if values.dtype.kind == "f" else values


def is_index(positions: NDArray[np.float64]) -> bool:
    """Return whether positions are only numbers of bands: 0, 1, 2 ... or 1, 2, 3 ...

    >>> [is_index(np.arange(first, first + 9.0)) for first in (0, 1, 900)]
    [True, True, False]
    """
    return bool(len(positions) > 1 and positions[0] in (0, 1) and (np.diff(positions) == 1).all())
