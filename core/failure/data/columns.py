"""Which array of a file holds labels, patients or wavenumbers: by its name, whatever the case, or as the user says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.files.whole_numbers import nearly_whole

Arrays = Mapping[str, NDArray[Any]]

# content -> the names that an array of it may have, in small letters without marks; the first that fits counts
ARRAY_NAMES: Mapping[str, tuple[str, ...]] = {
    "spectra": (
        *("ir", "cube", "spectra", "X", "spc", "image", "data", "absorbance", "A", "intensities", "hypercube", "map"),
        *("ab", "spectrum", "signal", "spectral_data"),
    ),
    "labels": (
        *("class", "classlabel", "classlabels", "label", "labels", "diagnosis", "tissue", "tissuetype", "celltype"),
        *("pathology", "histology", "cls", "type", "category", "target", "outcome", "disease", "status", "condition"),
        *("grade", "species", "clusters", "mask", "annotation", "annotations", "groundtruth", "gt", "y"),
    ),
    "groups": (
        *("patient", "patients", "patientid", "patientnumber", "subject", "subjects", "subjectid", "donor", "donorid"),
        *("case", "caseid", "person", "animal", "mouse", "rat", "individual", "slide", "slides", "slideid", "core"),
        *("coreid", "spot", "specimen", "sample", "sampleid", "group", "groups"),
    ),
    "wavenumbers": (
        "wavenumbers",
        "wn",
        "wavenumber",
        "nu",
        "wavelength",
        "wavelengths",
        "shift",
        "ramanshift",
        "axis",
    ),
    "picture": ("rgb", "stained", "he"),
    "names": ("classes", "classnames", "names", "classname"),
}
# a group of people may be a class, as control and tumour are, where patients have a column of their own
MAYBE_CLASSES = ("group", "groups", "cohort", "treatment")
PLACE = re.compile(r"x|#X|x[_ ]?(pos.*|\(.*|\[.*|um|µm)|map_x|.*\(x\)")
# texts about the numbers beside them
WRITTEN = ("unit", "axis", "technique", "notices")


def array_of(arrays: Arrays, content: str) -> NDArray[Any] | None:
    """Return the array of ``content``, a key of ``ARRAY_NAMES``; None where the file has none."""
    return next((array for _, array in _candidates(arrays, content)), None)


def text_of(arrays: Arrays, name: str) -> str:
    """Return the text called ``name``, a member of ``WRITTEN``, "" where there is none."""
    found = arrays.get(name)
    return str(found) if found is not None and found.dtype.kind == "U" and found.ndim == 0 else ""


def is_known(name: str) -> bool:
    """Return whether an array of this name has a meaning."""
    return name in WRITTEN or name == "logits" or any(_fits(name, content) for content in ARRAY_NAMES)


def plain(name: str) -> str:
    """Return a name in small letters without marks and blanks, as those of ``ARRAY_NAMES`` are.

    >>> plain("Patient_ID")
    'patientid'
    """
    return re.sub(r"[\W_]+", "", name.lower())


def labels_of(arrays: Arrays, column: str = "") -> NDArray[Any] | None:
    """Return the labels: those of ``column`` or by name, the names of classes before ``y``, which may be a place.

    None where the file has none; UserError no_labels for a column that it has not.
    """
    if column:
        return _chosen(arrays, column, "no_labels")
    place = any(PLACE.fullmatch(name) for name in arrays)
    for name, array in _candidates(arrays, "labels"):
        if _is_label_array(array) and not (place and name.lower() == "y"):
            return array
    if any(plain(name) in ARRAY_NAMES["groups"][:9] for name in arrays):
        return next(
            (array for name, array in arrays.items() if plain(name) in MAYBE_CLASSES and _is_label_array(array)), None
        )
    return None


def groups_of(arrays: Arrays, column: str = "") -> NDArray[Any] | None:
    """Return the patient or slide of each spectrum: of ``column`` or by name, those that repeat before others.

    None where the file has none; UserError no_groups for a column that it has not.
    """
    if column:
        return _chosen(arrays, column, "no_groups")
    found = [array for _, array in _candidates(arrays, "groups")]
    return next((array for array in found if not every_other(array)), found[0] if found else None)


def every_other(groups: NDArray[Any]) -> bool:
    """Return whether no two of ``groups`` are alike."""
    return groups.ndim == 1 and len(groups) > 2 and len(np.unique(groups)) == len(groups)


def _chosen(arrays: Arrays, column: str, code: str) -> NDArray[Any]:
    named = {name.strip().lower(): array for name, array in arrays.items()}
    found = named.get(column.strip().lower())
    if found is None:
        offered = ", ".join(name[:40] for name in list(arrays)[:20] if name not in WRITTEN)
        raise UserError(code, f"The data have no column {column[:40]!r}.", f"They have: {offered}.")
    return found


def _candidates(arrays: Arrays, content: str) -> Iterator[tuple[str, NDArray[Any]]]:
    for wanted in ARRAY_NAMES[content]:
        for name, array in arrays.items():
            if (name == wanted if content == "spectra" else plain(name) == wanted) and not _is_written(name, array):
                yield name, array


def _is_written(name: str, array: NDArray[Any]) -> bool:
    return name in WRITTEN and array.dtype.kind == "U"


def _fits(name: str, content: str) -> bool:
    return (name if content == "spectra" else plain(name)) in ARRAY_NAMES[content]


def _is_label_array(array: NDArray[Any]) -> bool:
    if array.dtype.kind == "f":
        return bool((nearly_whole(array) | np.isnan(array)).all() and np.isfinite(array).any())
    return array.dtype.kind in "biuU" and array.size > 0
