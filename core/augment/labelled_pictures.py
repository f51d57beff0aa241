"""Labelled pictures from named arrays: of an NPZ, or of a folder that ``core.augment.picture_folder`` read."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.augment.image_set import LARGEST_SIDE, Float, ImageSet, Ints
from core.errors import UserError
from core.failure.data.class_labels import numbered
from core.failure.data.columns import Arrays, array_of, groups_of, labels_of
from core.failure.data.labelled_patches import EACH_ITS_OWN, group_numbers, notices_of, white_of
from core.files.archive import file_names
from core.files.pictures import SMALLEST_SIDE

GROUP = "{group}"
NO_PATIENTS = (
    "No patients are known, so each picture counts by itself: where a patient has several, the accuracy is too good "
    "and the intervals are too narrow. Name them in a table, or by the names of the files (group_name)."
)


@dataclass(frozen=True)
class Choices:
    """What a user may choose of pictures. labels, groups: columns, "" for those with a usual name. group_name: where
    the patient stands in the names of the files, "" for nowhere. classes: names of the classes in their order."""

    labels: str = ""
    groups: str = ""
    group_name: str = ""
    classes: tuple[str, ...] = ()


def holds_pictures(path: Path) -> bool:
    """Return whether a file is an NPZ of pictures without spectra; nothing of it is unpacked."""
    try:
        names = [name.removesuffix(".npy") for name in file_names(path) if name.endswith(".npy")]
    except (OSError, zipfile.BadZipFile):
        return False
    arrays = {name: np.zeros(0) for name in names}
    return array_of(arrays, "spectra") is None and array_of(arrays, "picture") is not None


def pictures_of(arrays: Arrays, choices: Choices) -> tuple[ImageSet, tuple[str, ...]]:
    """Return the labelled pictures that ``arrays`` hold, sides at most 32, and notices for the user.

    rgb: (N, H, W, 3), (N, 3, H, W) or (N, H, W) of grey, whole numbers of 8 or 16 bits or from 0 to 1. Without patients
    each picture is a group of its own, and the same picture twice one group. UserError pictures_unreadable, not_images,
    no_labels, no_groups, bad_parameter, patches_mismatch.
    """
    values, labels, given = _values(arrays), labels_of(arrays, choices.labels), _groups(arrays, choices)
    if labels is None:
        hint = " ".join((*notices_of(arrays), "Give y, or put each class in its own folder."))
        raise UserError("no_labels", "The pictures have no classes.", hint)
    if labels.shape != (len(values),) or (given is not None and given.shape != labels.shape):
        raise UserError(
            "patches_mismatch",
            "There is not one label and one group for each picture.",
            "Give N labels for N pictures.",
        )
    numbers, classes, known = numbered(labels, array_of(arrays, "names"), choices.classes, negative=True)
    whole, text = finite(values)
    notices, kept = [*notices_of(arrays), *text], known & whole
    if not known.all():
        notices.append(f"{len(known) - int(known.sum())} pictures without a label were left out.")
    values, numbers = values[kept], numbers[kept]
    if len(np.unique(numbers)) < 2:
        raise UserError("no_labels", "There are pictures of fewer than two classes.", "Give examples of two or more.")
    same = _same(values)
    groups = same if given is None else group_numbers(given)[kept]
    if given is None:
        notices.append(NO_PATIENTS)
    elif len(np.unique(groups)) == len(groups):
        notices.append(EACH_ITS_OWN)
    twice = len(same) - len(np.unique(same))
    if twice:
        notices.append(f"{twice} pictures occur more than once; those of no patient are kept on one side.")
    small, shrunk = smaller(values)
    kind, channels = ("grey", 1) if (small == small[:, :1]).all() else ("rgb", 3)
    positions = tuple(float(each) for each in range(channels))
    found = ImageSet(small[:, :channels], numbers, classes, groups, kind, positions)  # type: ignore[arg-type]
    return found, (*notices, *shrunk)


def finite(values: Float) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Return which of the images (N, C, H, W) have no missing number, and a notice on the others. UserError
    pictures_unreadable where all have one."""
    whole = np.asarray(np.isfinite(values).all(axis=(1, 2, 3)))
    if not whole.any():
        raise _unreadable()
    missing = len(whole) - int(whole.sum())
    return whole, (f"{missing} images with numbers that are missing (NaN) were left out.",) if missing else ()


def smaller(values: Float) -> tuple[Float, tuple[str, ...]]:
    """Return images (N, C, H, W) whose sides are at most 32, means of squares of pixels, and a notice on that."""
    factor = -(-int(max(values.shape[2:])) // LARGEST_SIDE)
    if factor == 1:
        return values, ()
    count, bands, height, width = values.shape
    high, wide = height // factor, width // factor
    if min(high, wide) < 1:
        raise no_images()
    even = values[:, :, : high * factor, : wide * factor].reshape(count, bands, high, factor, wide, factor)
    return even.mean(axis=(3, 5), dtype=np.float32), (f"Images are studied at 1/{factor} of their resolution.",)


def _values(arrays: Arrays) -> Float:
    stored = array_of(arrays, "picture")
    if stored is None and (notices := notices_of(arrays)):
        raise UserError("pictures_unreadable", "The pictures could not be read.", " ".join(notices))
    if stored is None or stored.dtype.kind not in "biuf" or stored.ndim not in (3, 4) or not len(stored):
        raise _unreadable()
    if stored.ndim == 3:
        stored = stored[..., None]
    if stored.shape[3] not in (1, 3, 4) and stored.shape[1] in (1, 3):
        stored = stored.transpose(0, 2, 3, 1)
    if stored.shape[3] not in (1, 3, 4):
        raise _unreadable()
    if min(stored.shape[1:3]) < SMALLEST_SIDE:
        raise no_images()
    white = float(2 ** max(8, int(stored.max()).bit_length()) - 1) if stored.dtype == np.uint16 else white_of(stored)
    coloured = np.ascontiguousarray(stored[..., :3].transpose(0, 3, 1, 2), np.float32) / np.float32(white)
    finite = coloured[np.isfinite(coloured)]
    if finite.size and (finite.min() < 0 or finite.max() > 1):
        raise _unreadable()
    return coloured if coloured.shape[1] == 3 else np.repeat(coloured, 3, axis=1)


def _groups(arrays: Arrays, choices: Choices) -> NDArray[Any] | None:
    if not choices.group_name:
        return groups_of(arrays, choices.groups)
    names = arrays.get("file")
    if names is None or names.dtype.kind != "U":
        raise UserError("no_groups", "The data have no names of files.", "Give groups as an array, or a folder.")
    return np.array([group_in(str(name), choices.group_name) for name in names])


def group_in(name: str, pattern: str) -> str:
    """Return what stands for ``{group}`` in the last parts of the ``name`` of a file, as many as ``pattern`` has.

    In the pattern * is any text; each part ends where the next mark begins first. UserError bad_parameter for another
    pattern, no_groups for a name that does not fit.

    >>> group_in("tumour/P07_3.png", "{group}_*"), group_in("tumour/P07/3.png", "{group}/*")
    ('P07', 'P07')
    """
    pieces = re.split(r"(\{group\}|\*)", pattern)
    marks, texts = pieces[1::2], pieces[::2]
    if marks.count(GROUP) != 1 or any(not text for text in texts[1:-1]):
        raise UserError(
            "bad_parameter",
            f"{pattern[:40]!r} does not have {{group}} once, with text between it and each *.",
            "Write {group}_* for P07_3.png, or {group}/* for folders of patients.",
        )
    rest = "/".join(PurePosixPath(name).parts[-1 - pattern.count("/") :])
    found, fits = "", rest.startswith(texts[0])
    rest = rest[len(texts[0]) :]
    for number, (mark, text) in enumerate(zip(marks, texts[1:], strict=True)):
        last = number == len(marks) - 1
        end = (len(rest) - len(text) if rest.endswith(text) else -1) if last else rest.find(text)
        fits = fits and end >= 0
        found = rest[:end] if mark == GROUP else found
        rest = rest[end + len(text) :]
    if not fits or not found:
        raise UserError(
            "no_groups",
            f"The name {name[-80:]!r} does not fit {pattern[:40]!r}.",
            "Choose a pattern that all names fit.",
        )
    return found


def _same(values: Float) -> Ints:
    """Return for each picture the number of the first one with the same pixels, (N,)."""
    rows = np.ascontiguousarray(values).reshape(len(values), -1).view(np.dtype((np.void, values[0].nbytes)))
    _, first, place = np.unique(rows.ravel(), return_index=True, return_inverse=True)
    return np.asarray(first[place], np.int64)


def _unreadable() -> UserError:
    return UserError(
        "pictures_unreadable",
        "The array of pictures is none of N pictures with numbers from 0 to 1, or of 8 or 16 bits.",
        "Give rgb as N x H x W x 3.",
    )


def no_images() -> UserError:
    """Return the refusal of data that are no images."""
    return UserError(
        "not_images",
        f"A study needs images of at least {SMALLEST_SIDE} × {SMALLEST_SIDE} pixels with their classes.",
        "Give patches or pictures, not spectra or answers of a model.",
    )
