"""From the user's file to what can be examined: patches or spectra, or the answers of a model."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.failure.data.labelled import NAMES, Loaded, counted, read_patches
from core.failure.predictions import Predictions
from core.files.arrays import MAX_BYTES
from core.files.spectra import read_safely
from core.files.whole_numbers import nearly_whole, whole_numbers

ANSWERS = "logits"
MOST_CLASSES = 1000
ENVI_DATA = ("", ".dat", ".img", ".raw", ".bin", ".bsq", ".bil", ".bip")


def load(path: Path, labels: Path | None = None) -> Loaded | Predictions:
    """Read a file of patches, an infrared image with its label image, spectra, or the answers of a model.

    UserError with a code of docs/errors.md for what cannot be read.
    """
    if _holds_answers(path):
        return read_predictions(path)
    return read_patches([path, *_data_of(path)], labels)


def _data_of(path: Path) -> list[Path]:
    """Return the data file beside an ENVI header, which has its name with another ending or with none."""
    if path.suffix.lower() != ".hdr":
        return []
    beside = [path.with_suffix(ending) for ending in ENVI_DATA]
    return [each for each in beside if each.is_file()][:1]


def read_predictions(path: Path) -> Predictions:
    """Read an .npz: logits (N, K), y (N,), spectra (N, B) and, if known, wn (B,) in cm^-1, group (N,), classes (K,).

    UserError as for ``read_safely``, cube_unreadable, patches_mismatch, and cube_too_large where a small file would
    fill the memory of this process with numbers or names.
    """
    arrays = read_safely([path])
    labels, spectra = _named(arrays, "labels"), arrays.get("spectra")
    if labels is None or spectra is None:
        raise _unreadable("It has logits, but not both y and spectra.")
    _require_room(arrays[ANSWERS], spectra)
    logits = _numbers(arrays[ANSWERS])
    numbers, classes = _classes(labels, arrays.get("classes"), logits.shape[-1] if logits.ndim == 2 else 0)
    wavenumbers, groups = _named(arrays, "wavenumbers"), _named(arrays, "groups")
    bands = spectra.shape[-1] if spectra.ndim else 0
    return Predictions(
        logits,
        numbers,
        _numbers(spectra),
        np.arange(bands, dtype=np.float64) if wavenumbers is None else _numbers(wavenumbers).astype(np.float64),
        classes,
        None if groups is None else counted(groups),
    )


def _holds_answers(path: Path) -> bool:
    """Whether a file is an .npz with logits; nothing of it is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            return f"{ANSWERS}.npy" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def _classes(labels: NDArray[Any], names: NDArray[Any] | None, count: int) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    if labels.ndim != 1 or labels.dtype.kind not in "iuf" or not nearly_whole(labels).all():
        raise _unreadable("y must be whole numbers, one a patch.")
    if names is not None and names.shape == (count,):
        return whole_numbers(labels), tuple(str(each)[:60] for each in names)
    return whole_numbers(labels), tuple(f"class {number}" for number in range(count))


def _named(arrays: Mapping[str, NDArray[Any]], what: str) -> NDArray[Any] | None:
    return next((arrays[name] for name in NAMES[what] if name in arrays), None)


def _numbers(values: NDArray[Any]) -> NDArray[np.float32]:
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
