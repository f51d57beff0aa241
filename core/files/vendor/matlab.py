"""MATLAB 5: arrays, and data sets of IRootLab, ChiToolbox, CytoSpec, OCTAVVS, Saisir and PLS_Toolbox."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from core.errors import UserError

Arrays = dict[str, NDArray[Any]]

OPAQUE = "__function_workspace__"
# what programs call the spectra and the positions of their bands, in small letters
SPECTRA = ("x", "d", "data", "spectra", "yvals", "spc", "c", "cube", "img", "image", "intensities", "normcube")
POSITIONS = (
    *("fea_x", "xvals", "v", "wavenumbers", "wavenumber", "wn", "wvn", "xaxis", "x_axis", "lambda", "wavelengths"),
    *("wavelength", "waves", "nu", "shift", "axis"),
)
LABELS, NAMES, GROUPS = ("classes", "class", "labels"), ("classlabels", "class_names"), ("groupcodes", "groups")
MOST_FIELDS = 500


def read_mat(path: Path) -> Arrays:
    """Return the arrays of a file, those of its first structure with spectra under the names of spectra.

    ``ValueError`` for damage. UserError cube_unreadable for objects of MATLAB classes without spectra.
    """
    stored = loadmat(str(path), chars_as_strings=True)
    found: Arrays = {}
    structures: list[Mapping[str, Any]] = []
    for name, value in stored.items():
        if name.startswith("__") or not isinstance(value, np.ndarray):
            continue
        if value.dtype.names and value.size == 1:
            structures.append({field: value.ravel()[0][field] for field in value.dtype.names[:MOST_FIELDS]})
        elif (kept := plain(value)) is not None:
            found[name] = kept
    for fields in structures:
        if spectra := _dataset_object(fields) or _structure(fields):
            return spectra
    if OPAQUE in stored and not any(array.ndim > 1 for array in found.values()):
        return _of_objects(path)
    return _octavvs(found) or _cytospec(found, structures) or found


def _of_objects(path: Path) -> Arrays:
    """Return the spectra among the properties of an object of a MATLAB class, as IRootLab saves its data sets."""
    from matio import load_from_mat

    names = []
    for value in load_from_mat(str(path)).values():
        properties = getattr(value, "properties", None)
        if isinstance(properties, Mapping):
            if spectra := _structure(dict(list(properties.items())[:MOST_FIELDS])):
                return spectra
            names.append(str(value.classname)[:40])
    kind = f"the MATLAB class {names[0]!r}" if names else "a MATLAB class"
    raise UserError(
        "cube_unreadable",
        f"The file holds an object of {kind}, without spectra and the positions of their bands.",
        "In MATLAB, save its fields: s = struct(object); save('file.mat', '-struct', 's').",
    )


def plain(values: NDArray[Any]) -> NDArray[Any] | None:
    """Numbers and texts as they are, a cell array of texts as texts, None for anything else; vectors are made flat."""
    if values.dtype == object:
        texts = [each.item() for each in values.ravel() if isinstance(each, np.ndarray) and each.size == 1]
        if len(texts) != values.size or not all(isinstance(text, str) for text in texts):
            return None
        return np.array(texts)
    if values.dtype.kind not in "biufU":
        return None
    return values.ravel() if values.ndim == 2 and 1 in values.shape else values


def named(arrays: Arrays) -> Arrays | None:
    """Return the arrays of a structure by the names of their meaning, None where it has no spectra with positions."""
    small = {name.lower(): array for name, array in arrays.items()}
    positions = next((at for name in POSITIONS if (at := _positions(small.get(name))) is not None), None)
    if positions is None:
        return None
    spectra = next(
        (
            small[name]
            for name in SPECTRA
            if name in small and small[name].dtype.kind in "biuf" and len(positions) in np.shape(small[name])
        ),
        None,
    )
    if spectra is None:
        return None
    spectra = np.atleast_2d(spectra)
    if spectra.ndim == 2 and spectra.shape[1] != len(positions):
        spectra = spectra.T
    if "xpixels" in small and "ypixels" in small and spectra.ndim == 2:
        across, down = int(small["xpixels"].ravel()[0]), int(small["ypixels"].ravel()[0])
        if across * down == len(spectra) > 1:
            spectra = spectra.reshape(down, across, -1)
    found: Arrays = {"cube" if spectra.ndim == 3 else "spectra": spectra, "wavenumbers": positions}
    for meaning, names in (("class", LABELS), ("patient", GROUPS), ("class_names", NAMES)):
        value = next((small[name] for name in names if name in small and small[name].size), None)
        if value is not None:
            found[meaning] = value
    # what there is one of for each spectrum may be labels or patients
    columns = {name: array for name, array in arrays.items() if array.shape == (len(spectra),)}
    unit = small.get("xunit", small.get("xlabel", small.get("xname")))
    if unit is not None and unit.dtype.kind == "U" and unit.size == 1:
        found["axis"] = np.array(str(unit.ravel()[0]))
    return {**columns, **found}


def _structure(fields: Mapping[str, Any]) -> Arrays | None:
    kept = {name: value for name, each in fields.items() if (value := plain(np.asarray(each))) is not None}
    return named(kept)


def _positions(values: NDArray[Any] | None) -> NDArray[np.float64] | None:
    """Return positions of bands, which Saisir has as texts; None where these are none."""
    if values is None or values.ndim != 1 or len(values) < 2:
        return None
    try:
        found = values.astype(np.float64)
    except ValueError:
        return None
    return found if np.isfinite(found).all() else None


def _dataset_object(fields: Mapping[str, Any]) -> Arrays | None:
    """Read a dataset object of PLS_Toolbox: axis and classes are cells of (mode, set)."""
    if not {"data", "axisscale", "datasetversion"} <= set(fields):
        return None
    data = np.asarray(fields["data"])
    positions = np.asarray(fields["axisscale"][1, 0], np.float64).ravel()
    if data.ndim != 2 or len(positions) != data.shape[1]:
        return None
    found: Arrays = {"spectra": data, "wavenumbers": positions}
    classes = np.asarray(fields["class"][0, 0]).ravel() if "class" in fields else np.array([])
    if classes.size == len(data):
        lookup = fields["classlookup"][0, 0]
        names = {int(row[0].item()): str(row[1].item()) for row in lookup} if np.ndim(lookup) == 2 else {}
        found["class"] = np.array([names.get(int(number), str(int(number))) for number in classes])
    labels = fields["label"][0, 0] if np.ndim(fields.get("label", ())) >= 2 else None
    if isinstance(labels, np.ndarray) and labels.dtype.kind == "U" and labels.size == len(data):
        found["spectrum"] = labels.ravel()
    return found


def _octavvs(arrays: Arrays) -> Arrays | None:
    """Read the image of OCTAVVS: AB has the positions and then one spectrum a column, wh width and height."""
    table = arrays.get("AB")
    if table is None or table.ndim != 2 or table.shape[1] < 2:
        return None
    spectra = table[:, 1:].T
    found: Arrays = {"wavenumbers": table[:, 0].astype(np.float64), "unit": np.array("absorbance")}
    size = arrays.get("wh", np.array([])).ravel()
    if size.size == 2 and int(size[0]) * int(size[1]) == len(spectra) > 1:
        return found | {"cube": spectra.reshape(int(size[1]), int(size[0]), -1)}
    return found | {"spectra": spectra}


def _cytospec(arrays: Arrays, structures: list[Mapping[str, Any]]) -> Arrays | None:
    """Read the cube C of CytoSpec, whose header has the first and the last wavenumber."""
    cube = arrays.get("C")
    if cube is None or cube.ndim != 3:
        return None
    for fields in structures:
        ends = [np.asarray(fields[name]).ravel() for name in ("WVS", "WVE") if name in fields]
        if len(ends) == 2 and all(end.size == 1 and end.dtype.kind in "iuf" for end in ends):
            positions = np.linspace(float(ends[0][0]), float(ends[1][0]), cube.shape[2])
            return {"cube": cube, "wavenumbers": positions, "axis": np.array("cm-1")}
    return None
