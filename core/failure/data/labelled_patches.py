"""Labelled patches or spectra from the named arrays of a user's file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.failure.data.image_patches import Window, cut_patches
from core.failure.data.splits import NO_GROUPS
from core.files.spectra import read_safely
from core.files.whole_numbers import nearly_whole, whole_numbers, without_rounding
from core.spectra.cube import Unit, make_cube
from core.spectra.patches import PatchSet

Arrays = Mapping[str, NDArray[Any]]

# content -> the names that an array of it may have; the first that the file has counts
ARRAY_NAMES: Mapping[str, tuple[str, ...]] = {
    "spectra": ("ir", "cube", "spectra", "X", "spc", "image", "data", "absorbance", "A"),
    "labels": ("y", "label", "labels", "cls", "class", "type", "target", "clusters", "mask"),
    "groups": ("group", "groups", "patient", "patients", "slide", "slides", "subject", "sample", "spot"),
    "wavenumbers": ("wavenumbers", "wn", "wavenumber", "nu"),
    "picture": ("rgb", "stained", "he"),
    "names": ("classes", "class_names", "names"),
}
LARGEST_GREY = 255.0


@dataclass(frozen=True, eq=False)
class Loaded:
    """The user's patches; notices: sentences on how they were read."""

    patches: PatchSet
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Options:
    """unit: of the numbers. ends: the wavenumbers (cm^-1) of the first and the last band, evenly spaced between, for
    files without wavenumbers. window: how an image is cut."""

    unit: Unit = "auto"
    ends: tuple[float, float] | None = None
    window: Window = field(default=Window())


def array_of(arrays: Arrays, content: str) -> NDArray[Any] | None:
    """Return the array of ``content``, a key of ``ARRAY_NAMES``; None where the file has none."""
    return next((arrays[name] for name in ARRAY_NAMES[content] if name in arrays), None)


def group_numbers(groups: NDArray[Any]) -> NDArray[np.int64]:
    """Return ``groups`` of any dtype as whole numbers from 0, in their shape."""
    return np.unique(without_rounding(groups), return_inverse=True)[1].reshape(groups.shape).astype(np.int64)


def read_patches(paths: Sequence[Path], mask: Path | None = None, options: Options | None = None) -> Loaded:
    """Read labelled patches, labelled spectra, or an image with its picture of labels (``mask`` or in the file).

    Every file is decoded in a process that can be killed. UserError as for ``read_safely`` and ``patches_of``.
    """
    arrays = read_safely(paths)
    if mask is not None:
        arrays = {**arrays, "mask": _flat(read_safely([mask]))}
        # the labels of the picture replace those of the file
        arrays = {name: array for name, array in arrays.items() if name == "mask" or name not in ARRAY_NAMES["labels"]}
    return patches_of(arrays, options)


def patches_of(arrays: Arrays, options: Options | None = None) -> Loaded:
    """Return the patches that named ``arrays`` hold; ``ARRAY_NAMES`` has their names.

    spectra: (N, B), (N, B, H, W), (N, H, W, B), or an image (H, W, B) or (B, H, W) whose labels are (H, W). labels:
    whole numbers or texts; no label is 0 in an image, elsewhere a negative number or an empty text. UserError
    cube_unreadable, no_wavenumbers, no_labels, patches_mismatch, mask_mismatch, no_patches.
    """
    options = options or Options()
    values, labels = array_of(arrays, "spectra"), _labels(arrays)
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
            "Give labels (y) in the file, or a label picture.",
        )
    wavenumbers, unit = _wavenumbers(arrays, values, options), _unit(arrays, options)
    found = _of_image if values.ndim == 3 else _of_many
    loaded = found(arrays, values, wavenumbers, labels, Options(unit, options.ends, options.window))
    warned = () if loaded.patches.groups is not None else (NO_GROUPS,)
    return Loaded(loaded.patches, (*loaded.notices, *warned))


def _of_many(
    arrays: Arrays, values: NDArray[Any], wavenumbers: NDArray[Any], labels: NDArray[Any], options: Options
) -> Loaded:
    """Read N patches or N spectra."""
    count, bands = len(values), len(wavenumbers)
    if values.ndim == 2:
        values = values[:, :, None, None]
    elif values.shape[1] != bands:
        values = values.transpose(0, 3, 1, 2)
    side = values.shape[2:]
    cube = make_cube(values.transpose(0, 2, 3, 1).reshape(count, -1, values.shape[1]), wavenumbers, options.unit)
    groups = array_of(arrays, "groups")
    if labels.shape != (count,) or (groups is not None and groups.shape != (count,)):
        raise UserError(
            "patches_mismatch", "There is not one label and one group for each patch.", "Give N labels for N patches."
        )
    numbers, classes, known = _numbered(labels, arrays, negative=True)
    patches = PatchSet(
        np.ascontiguousarray(cube.data.reshape(count, *side, bands).transpose(0, 3, 1, 2)),
        cube.wavenumbers,
        np.maximum(numbers, 0),
        classes,
        None if groups is None else group_numbers(groups),
        _picture(array_of(arrays, "picture"), count),
    )
    left = count - int(known.sum())
    notices = (*cube.notices, *((f"{left} patches without a label were left out.",) if left else ()))
    return Loaded(patches.take(known) if left else patches, notices)


def _of_image(
    arrays: Arrays, values: NDArray[Any], wavenumbers: NDArray[Any], labels: NDArray[Any], options: Options
) -> Loaded:
    """Cut an image into patches."""
    if values.shape[2] != len(wavenumbers):
        values = values.transpose(1, 2, 0)
    cube = make_cube(values, wavenumbers, options.unit)
    numbers, classes, known = _numbered(labels, arrays, negative=False)
    groups, picture = array_of(arrays, "groups"), array_of(arrays, "picture")
    # an image may have one patient or slide for all its pixels
    regions = (
        None
        if groups is None
        else np.broadcast_to(group_numbers(groups), labels.shape if groups.size == 1 else groups.shape)
    )
    stained = None if picture is None else picture.astype(np.float32) / _white(picture)
    found = cut_patches(cube, np.where(known, numbers + 1, 0), classes, options.window, regions, stained)
    return Loaded(found, cube.notices)


def _numbered(
    labels: NDArray[Any], arrays: Arrays, *, negative: bool
) -> tuple[NDArray[np.int64], tuple[str, ...], NDArray[np.bool_]]:
    """Return ``labels`` as 0 to K - 1, the names of the classes, and where there is a label."""
    text = labels.dtype.kind == "U"
    labels = labels if text else whole_numbers(labels)
    known = labels != "" if text else np.asarray(labels >= 0 if negative else labels > 0)
    kinds = np.unique(labels[known])
    if len(kinds) < 2:
        raise UserError("no_labels", "There are labels of fewer than two classes.", "Give examples of two or more.")
    numbers = np.where(known, np.searchsorted(kinds, labels), -1).astype(np.int64)
    names = array_of(arrays, "names")
    if not text and names is not None and names.dtype.kind == "U":
        first = 0 if negative else 1
        places = kinds.astype(np.int64) - first
        if places.min() >= 0 and places.max() < names.size:
            return numbers, tuple(str(name)[:60] for name in names.ravel()[places]), known
    return numbers, tuple(str(kind)[:60] for kind in kinds), known


def _labels(arrays: Arrays) -> NDArray[Any] | None:
    """Return the first array with a name of labels that holds whole numbers or texts; y may be a coordinate."""
    return next(
        (arrays[name] for name in ARRAY_NAMES["labels"] if name in arrays and _is_label_array(arrays[name])), None
    )


def _is_label_array(array: NDArray[Any]) -> bool:
    whole = array.dtype.kind == "f" and bool(nearly_whole(array).all())
    return whole or array.dtype.kind in "biuU"


def _wavenumbers(arrays: Arrays, values: NDArray[Any], options: Options) -> NDArray[Any]:
    stored = array_of(arrays, "wavenumbers")
    if stored is not None:
        if stored.ndim == 1 and len(stored) in values.shape[1 if values.ndim != 3 else 0 :]:
            return stored
    elif options.ends is not None:
        bands = values.shape[2] if values.ndim == 3 else values.shape[1]
        return np.linspace(*options.ends, bands)
    raise UserError(
        "no_wavenumbers",
        "The file has no wavenumbers, or not one for each band.",
        "Give an array of wavenumbers in cm^-1, or those of the first and the last band.",
    )


def _unit(arrays: Arrays, options: Options) -> Unit:
    """Return the unit of the options, else the header's; transmittance of a header with values above 2 is percent."""
    stored = str(arrays["unit"]) if "unit" in arrays and arrays["unit"].ndim == 0 else ""
    if options.unit != "auto" or stored not in ("absorbance", "transmittance"):
        return options.unit
    if stored == "absorbance":
        return "absorbance"
    values = array_of(arrays, "spectra")
    return "percent" if values is not None and np.nanmax(values) > 2 else "transmittance"


def _picture(stored: NDArray[Any] | None, count: int) -> NDArray[np.float32] | None:
    if stored is None:
        return None
    if stored.ndim != 4 or len(stored) != count or 3 not in (stored.shape[1], stored.shape[3]):
        raise UserError(
            "patches_mismatch", "There is not one stained picture for each patch.", "Give rgb as N x 3 x H x W."
        )
    channels = stored if stored.shape[1] == 3 else stored.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(channels, np.float32) / np.float32(_white(stored))


def _white(picture: NDArray[Any]) -> float:
    return LARGEST_GREY if picture.dtype == np.uint8 or (picture.size and picture.max() > 1.5) else 1.0


def _flat(arrays: Arrays) -> NDArray[Any]:
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
