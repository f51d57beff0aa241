"""The answers of a user's own model: logits, labels and mean spectra, read from a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.failure.data.columns import array_of, groups_of, labels_of
from core.failure.data.labelled_patches import group_numbers
from core.files.arrays import MAX_BYTES
from core.files.spectra import read_safely
from core.files.whole_numbers import nearly_whole, whole_numbers

Float = NDArray[np.float32]
Ints = NDArray[np.int64]

LOGITS = "logits"
MOST_CLASSES = 1000
FEWEST = 40


@dataclass(frozen=True, eq=False)
class Predictions:
    """logits: (N, K). labels: (N,), 0 to K - 1. spectra: (N, B) mean spectrum of each patch, absorbance.
    wavenumbers: (B,) cm^-1. groups: (N,) patient or slide, or None.

    UserError patches_mismatch where the arrays do not belong together, are not finite or hold fewer than 40 patches.
    """

    logits: Float
    labels: Ints
    spectra: Float
    wavenumbers: NDArray[np.float64]
    classes: tuple[str, ...]
    groups: Ints | None = None

    def __post_init__(self) -> None:
        dimensions = {"logits": 2, "spectra": 2, "labels": 1, "wavenumbers": 1, "groups": 1}
        arrays = {name: getattr(self, name) for name in dimensions if getattr(self, name) is not None}
        shaped = all(array.ndim == dimensions[name] for name, array in arrays.items())
        rows = {len(array) for name, array in arrays.items() if name != "wavenumbers" and array.ndim}
        count = len(self.labels)
        fits = shaped and rows == {count} and self.spectra.shape[1] == len(self.wavenumbers)
        if not fits or not 2 <= len(self.classes) == self.logits.shape[1]:
            raise UserError(
                "patches_mismatch",
                "The logits, labels and spectra do not have matching sizes.",
                "Give N x K logits, N labels from 0 to K - 1 and N x B mean spectra.",
            )
        if (
            count < FEWEST
            or len(np.unique(self.labels)) < 2
            or not 0 <= self.labels.min() <= self.labels.max() < len(self.classes)
        ):
            raise UserError(
                "patches_mismatch",
                f"These are not {FEWEST} or more answers with labels of two or more classes.",
                "Give more patches, and number the classes from 0.",
            )
        if not (np.isfinite(self.logits).all() and np.isfinite(self.spectra).all()):
            raise UserError("patches_mismatch", "Some numbers are not finite.", "Leave those patches out.")


def read_predictions(path: Path) -> Predictions:
    """Read an .npz: logits (N, K), y (N,), spectra (N, B) and, if known, wn (B,) in cm^-1, group (N,), classes (K,).

    UserError as for ``read_safely``, cube_unreadable, patches_mismatch, and cube_too_large where a small file would
    fill the memory of this process with numbers or names.
    """
    arrays = read_safely([path])
    labels, spectra = labels_of(arrays), arrays.get("spectra")
    if labels is None or spectra is None or LOGITS not in arrays:
        raise _unreadable("It has not all of logits, y and spectra.")
    _require_room(arrays[LOGITS], spectra)
    logits = _numbers(arrays[LOGITS])
    numbers, classes = _classes(labels, arrays.get("classes"), logits.shape[-1] if logits.ndim == 2 else 0)
    wavenumbers, groups = array_of(arrays, "wavenumbers"), groups_of(arrays)
    bands = spectra.shape[-1] if spectra.ndim else 0
    return Predictions(
        logits,
        numbers,
        _numbers(spectra),
        np.arange(bands, dtype=np.float64) if wavenumbers is None else _numbers(wavenumbers).astype(np.float64),
        classes,
        None if groups is None else group_numbers(groups),
    )


def _classes(labels: NDArray[Any], names: NDArray[Any] | None, count: int) -> tuple[Ints, tuple[str, ...]]:
    if labels.ndim != 1 or labels.dtype.kind not in "iuf" or not nearly_whole(labels).all():
        raise _unreadable("y must be whole numbers, one a patch.")
    if names is not None and names.shape == (count,):
        return whole_numbers(labels), tuple(str(each)[:60] for each in names)
    return whole_numbers(labels), tuple(f"class {number}" for number in range(count))


def _numbers(values: NDArray[Any]) -> Float:
    if values.dtype.kind not in "fiu":
        raise _unreadable("An array that must hold numbers does not.")
    return values.astype(np.float32)


def _require_room(logits: NDArray[Any], spectra: NDArray[Any]) -> None:
    # a stored byte becomes a number of four, and zeros are packed a thousandfold
    size = (logits.size + spectra.size) * np.dtype(np.float32).itemsize
    if size > MAX_BYTES or (logits.ndim == 2 and logits.shape[1] > MOST_CLASSES):
        raise UserError(
            "cube_too_large",
            f"The answers take more than {MAX_BYTES >> 30} GB as 32-bit numbers, or have over {MOST_CLASSES} classes.",
            "Give a part of the answers, of fewer classes.",
        )


def _unreadable(why: str) -> UserError:
    return UserError("cube_unreadable", f"This is no file of answers. {why}", "Save logits, y, spectra and wn as .npz.")
