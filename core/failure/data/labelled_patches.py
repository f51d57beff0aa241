"""Labelled patches or spectra from the named arrays of a user's file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.failure.data.class_labels import numbered
from core.failure.data.columns import ARRAY_NAMES, Arrays, array_of, every_other, groups_of, labels_of, text_of
from core.failure.data.image_patches import cut_patches
from core.failure.data.reading_options import Options
from core.failure.data.splits import NO_GROUPS
from core.files.spectra import read_safely
from core.files.whole_numbers import without_rounding
from core.spectra.cube import Cube, Reading, make_cube
from core.spectra.patches import PatchSet

LARGEST_GREY = 255.0
EACH_ITS_OWN = (
    "No two spectra have the same patient or slide, so nothing is kept apart: the split is as good as random. Choose "
    "another column of groups."
)

RAMAN = (
    "Raman spectra: counts are relative to the highest band; laser power and fluorescence are tried in place of "
    "thickness and scattering."
)


@dataclass(frozen=True, eq=False)
class Loaded:
    """The user's patches; notices: sentences on how they were read."""

    patches: PatchSet
    notices: tuple[str, ...] = ()


def group_numbers(groups: NDArray[Any]) -> NDArray[np.int64]:
    """Return ``groups`` of any dtype as whole numbers from 0, in their shape."""
    return np.unique(without_rounding(groups), return_inverse=True)[1].reshape(groups.shape).astype(np.int64)


def read_patches(paths: Sequence[Path], mask: Path | None = None, options: Options | None = None) -> Loaded:
    """Read labelled patches, labelled spectra, or an image with its picture of labels (``mask`` or in the file).

    Every file is decoded in a process that can be killed. UserError as for ``read_safely`` and ``patches_of``.
    """
    arrays = read_safely(paths)
    return patches_of(arrays if mask is None else with_labels(arrays, read_safely([mask])), options)


def with_labels(arrays: Arrays, picture: Arrays) -> Arrays:
    """Return the arrays of an image with the labels of ``picture`` in place of its own, and with its class names."""
    kept = {name: array for name, array in arrays.items() if labels_of({name: array}) is None}
    names = array_of(picture, "names")
    return {**kept, "mask": flat_labels(picture), **({} if names is None else {"classes": names})}


def patches_of(arrays: Arrays, options: Options | None = None) -> Loaded:
    """Return the patches that named ``arrays`` hold; ``ARRAY_NAMES`` has their names.

    spectra: (N, B), (N, B, H, W), (N, H, W, B), or an image (H, W, B) or (B, H, W) whose labels are (H, W). labels:
    whole numbers or texts; no label is NaN or an empty text, 0 in an image, elsewhere a negative number.
    UserError cube_unreadable, no_wavenumbers, unit_unknown, no_labels, no_groups, patches_mismatch, mask_mismatch,
    no_patches.
    """
    options = options or Options()
    values, labels = array_of(arrays, "spectra"), labels_of(arrays, options.labels)
    if values is None or values.dtype.kind not in "biuf" or values.ndim not in (2, 3, 4):
        raise UserError(
            "cube_unreadable",
            "No array of the file holds spectra.",
            f"Call it one of: {', '.join(ARRAY_NAMES['spectra'])}.",
        )
    if labels is None:
        raise UserError(
            "no_labels",
            "The file has no labels: no array of whole numbers or texts with a name of labels.",
            "Give labels (y) in the file, name their column, or give a label picture.",
        )
    loaded = _of_image(arrays, labels, options) if values.ndim == 3 else _of_many(arrays, values, labels, options)
    warned = () if loaded.patches.groups is not None else (NO_GROUPS,)
    return relative(Loaded(loaded.patches, (*loaded.notices, *warned)))


def relative(loaded: Loaded) -> Loaded:
    """Return Raman patches divided by one number, the median of their highest bands, so that noise, background and
    power are shares of it; others as they are."""
    patches = loaded.patches
    if not patches.raman or not len(patches):
        return loaded
    highest = float(np.median(patches.spectra().max(axis=1)))
    scaled = patches.ir / np.float32(highest if highest > 0 else 1.0)
    return Loaded(replace(patches, ir=scaled), (*loaded.notices, RAMAN))


def cube_of(arrays: Arrays, options: Options) -> Cube:
    """Return the image of a file, with what its reader noted. UserError cube_unreadable where it is none, and those of
    ``make_cube``."""
    values = array_of(arrays, "spectra")
    if values is None or values.ndim != 3:
        raise UserError("cube_unreadable", "This is no image.", "Give images together, or single spectra together.")
    positions = _positions(arrays, values, options)
    if values.shape[2] != len(positions):
        values = values.transpose(1, 2, 0)
    cube = make_cube(values, positions, reading_of(arrays, options))
    return replace(cube, notices=(*notices_of(arrays), *cube.notices))


def notices_of(arrays: Arrays) -> tuple[str, ...]:
    """Return the sentences that the reader of a file added to its arrays."""
    stored = arrays.get("notices")
    return tuple(map(str, stored.ravel())) if stored is not None and stored.dtype.kind == "U" else ()


def reading_of(arrays: Arrays, options: Options) -> Reading:
    """Return how the numbers of ``arrays`` are read: as the options say, else as the file does."""
    technique = text_of(arrays, "technique") if options.technique == "auto" else options.technique
    return Reading(
        options.scale,
        text_of(arrays, "unit"),
        options.axis,
        # the file's unit is of the file's positions
        "wavenumber" if options.positions and options.axis == "auto" else text_of(arrays, "axis"),
        None if technique not in ("infrared", "raman") else technique == "raman",
        options.keep,
        options.bands,
    )


def _of_many(arrays: Arrays, values: NDArray[Any], labels: NDArray[Any], options: Options) -> Loaded:
    """Read N patches or N spectra."""
    positions, count = _positions(arrays, values, options), len(values)
    if values.ndim == 2:
        values = values[:, :, None, None]
    elif values.shape[1] != len(positions):
        values = values.transpose(0, 3, 1, 2)
    side = values.shape[2:]
    cube = make_cube(
        values.transpose(0, 2, 3, 1).reshape(count, -1, values.shape[1]), positions, reading_of(arrays, options)
    )
    groups = groups_of(arrays, options.groups)
    if labels.shape != (count,) or (groups is not None and groups.shape != (count,)):
        raise UserError(
            "patches_mismatch", "There is not one label and one group for each patch.", "Give N labels for N patches."
        )
    numbers, classes, known = numbered(labels, array_of(arrays, "names"), options.classes, negative=True)
    patches = PatchSet(
        np.ascontiguousarray(cube.data.reshape(count, *side, -1).transpose(0, 3, 1, 2)),
        cube.wavenumbers,
        np.maximum(numbers, 0),
        classes,
        None if groups is None else group_numbers(groups),
        _picture(array_of(arrays, "picture"), count),
        raman=cube.raman,
    )
    notices = [*notices_of(arrays), *cube.notices]
    if groups is not None and every_other(groups):
        notices.append(EACH_ITS_OWN)
    if not known.all():
        notices.append(f"{count - int(known.sum())} patches without a label were left out.")
    kept = known & cube.valid.all(axis=1)
    return Loaded(patches if kept.all() else patches.take(kept), tuple(notices))


def _of_image(arrays: Arrays, labels: NDArray[Any], options: Options) -> Loaded:
    """Cut an image into patches."""
    cube = cube_of(arrays, options)
    numbers, classes, known = numbered(labels, array_of(arrays, "names"), options.classes, negative=False)
    groups, picture = groups_of(arrays, options.groups), array_of(arrays, "picture")
    # an image may have one patient or slide for all its pixels
    regions = (
        None
        if groups is None
        else np.broadcast_to(group_numbers(groups), labels.shape if groups.size == 1 else groups.shape)
    )
    stained = None if picture is None else picture.astype(np.float32) / white_of(picture)
    found = cut_patches(cube, np.where(known, numbers + 1, 0), classes, options.window, regions, stained)
    return Loaded(found, cube.notices)


def _positions(arrays: Arrays, values: NDArray[Any], options: Options) -> NDArray[Any]:
    """Return the positions of the bands: those of the options, else those of the file."""
    sides = values.shape[1 if values.ndim != 3 else 0 :]
    given = options.positions
    if len(given) == 2 and 2 not in sides:
        return np.linspace(*given, values.shape[2] if values.ndim == 3 else values.shape[1])
    stored = np.array(given) if given else array_of(arrays, "wavenumbers")
    if stored is not None and stored.ndim == 1 and len(stored) in sides:
        return stored
    raise UserError(
        "no_wavenumbers",
        "There are no wavenumbers, or not one for each band.",
        "Give an array of wavenumbers in cm^-1, or those of the first and the last band (wavenumbers).",
    )


def _picture(stored: NDArray[Any] | None, count: int) -> NDArray[np.float32] | None:
    if stored is None:
        return None
    if stored.ndim != 4 or len(stored) != count or 3 not in (stored.shape[1], stored.shape[3]):
        raise UserError(
            "patches_mismatch", "There is not one stained picture for each patch.", "Give rgb as N x 3 x H x W."
        )
    channels = stored if stored.shape[1] == 3 else stored.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(channels, np.float32) / np.float32(white_of(stored))


def white_of(picture: NDArray[Any]) -> float:
    """Return the number that is white in a picture: 255, or 1 where no number is much larger."""
    return LARGEST_GREY if picture.dtype == np.uint8 or (picture.size and picture.max() > 1.5) else 1.0


def flat_labels(arrays: Arrays) -> NDArray[Any]:
    """Return the one array of a label picture as (H, W); a colour picture of labels has three equal channels."""
    picture = array_of(arrays, "labels")
    if picture is None:
        picture = next(iter(arrays.values()))
    if picture.ndim == 3 and picture.shape[2] in (3, 4) and (picture[..., :1] == picture[..., :3]).all():
        picture = picture[..., 0]
    if picture.ndim != 2 or picture.dtype.kind not in "biuf":
        raise UserError(
            "mask_mismatch", "The label picture is not grey with one number for each class.", "Save it as 8-bit grey."
        )
    return picture
