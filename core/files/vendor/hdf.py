"""HDF5: MATLAB 7.3, Photothermal PTIR, NeXus of synchrotrons, and arrays of any program.

Links to other files are not followed, and data that lie in other files are not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from core.files.vendor.matlab import named, plain

Arrays = dict[str, NDArray[Any]]

MAX_BYTES = 2 << 30
MOST_GROUPS, DEEPEST = 2000, 8
# of a NeXus group: the positions of the bands
AXES = ("wavenumber", "wavenumbers", "photon_energy", "energy", "wavelength", "raman_shift", "shift", "wn", "frequency")


def read_hdf(path: Path) -> Arrays:
    """Return the arrays of the file, or of the first group with spectra. ``ValueError`` for damage, ``MemoryError``
    for more than 2 GB."""
    with h5py.File(path, "r") as file:
        groups = list(_groups(file, 0))
        if any("Raw_Data" in group for _, group in groups):
            return _photothermal(groups)
        own = _arrays(file)
        if any(array.ndim >= 2 for array in own.values()):
            return own
        # the largest group with spectra and positions
        found = [arrays for name, group in groups if name and (arrays := _nexus(group) or named(_arrays(group)))]
        return max(found, key=lambda arrays: max(array.size for array in arrays.values()), default=own)


def _groups(group: h5py.Group, depth: int, name: str = "") -> Iterator[tuple[str, h5py.Group]]:
    yield name, group
    for key in list(group)[:MOST_GROUPS] if depth < DEEPEST else ():
        if isinstance(group.get(key, getlink=True), h5py.HardLink) and isinstance(group[key], h5py.Group):
            yield from _groups(group[key], depth + 1, f"{name}/{key}")


def _arrays(group: h5py.Group) -> Arrays:
    """Return the numbers and texts of a group by name; MATLAB has the axes in reverse."""
    found: Arrays = {}
    for name in list(group)[:MOST_GROUPS]:
        stored = _own(group, name)
        if stored is None:
            continue
        if stored.dtype.kind in "biuf":
            values = stored[()].T
            text = stored.attrs.get("MATLAB_class") == b"char"
            kept = np.array("".join(map(chr, values.ravel(order="F")))) if text else plain(values)
            if kept is not None:
                found[name] = kept
        elif h5py.check_string_dtype(stored.dtype):
            found[name] = np.asarray(stored.asstr()[()], str)
    return found


def _own(group: h5py.Group, name: str) -> Any:
    """Return the dataset ``name`` of a group, None for one that is elsewhere or no dataset."""
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        return None
    stored = group[name]
    if not isinstance(stored, h5py.Dataset) or stored.external or stored.is_virtual or stored.shape is None:
        return None
    if stored.size * stored.dtype.itemsize > MAX_BYTES:
        raise MemoryError
    return stored


def _nexus(group: h5py.Group) -> Arrays | None:
    """Return the cube of an NXdata group with its bands last, None for another group."""
    if group.attrs.get("NX_class") not in (b"NXdata", "NXdata"):
        return None
    signal = group.attrs.get("signal", "data")
    data = _own(group, signal.decode() if isinstance(signal, bytes) else str(signal))
    names = [name for name in AXES if _own(group, name) is not None]
    if data is None or not names or data.ndim not in (2, 3):
        return None
    positions = _own(group, names[0])
    axis = int(positions.attrs.get("axis", 0)) - 1
    if axis < 0:
        axis = next((side for side in range(data.ndim) if data.shape[side] == positions.size), -1)
    if not 0 <= axis < data.ndim or data.shape[axis] != positions.size:
        return None
    unit = positions.attrs.get("units", b"eV" if "energy" in names[0] else names[0].encode())
    values = np.moveaxis(data[()], axis, -1)
    return {
        "cube" if values.ndim == 3 else "spectra": values,
        "wavenumbers": np.asarray(positions[()], np.float64).ravel(),
        "axis": np.array(unit.decode("utf-8", "replace") if isinstance(unit, bytes) else str(unit)),
    }


def _photothermal(groups: list[tuple[str, h5py.Group]]) -> Arrays:
    """Return the spectra of the channel of a PTIR file that has most numbers, of all measurements with its bands."""
    kinds: dict[tuple[str, bytes], list[NDArray[np.float32]]] = {}
    axes: dict[tuple[str, bytes], NDArray[np.float64]] = {}
    by_name = dict(groups)
    for name, group in groups:
        data = _own(group, "Raw_Data") if "Raw_Data" in group else None
        positions = _own(by_name[name.rsplit("/", 1)[0]], "Spectroscopic_Values") if data is not None else None
        label = group.attrs.get("Label", b"")
        if data is None or positions is None or not label or data.ndim != 2 or data.shape[1] != positions.size:
            continue
        at = np.asarray(positions[()], np.float64).ravel()
        key = label.decode("utf-8", "replace") if isinstance(label, bytes) else str(label), at.tobytes()
        kinds.setdefault(key, []).append(np.asarray(data[()], np.float32))
        axes[key] = at
    if not kinds:
        raise ValueError("no spectra")
    chosen = max(kinds, key=lambda key: sum(each.size for each in kinds[key]) * ("raman" not in key[0].lower()))
    found: Arrays = {"spectra": np.concatenate(kinds[chosen]), "wavenumbers": axes[chosen], "axis": np.array("cm-1")}
    if "raman" in chosen[0].lower():
        found |= {"axis": np.array("Raman shift"), "technique": np.array("raman")}
    else:
        found["unit"] = np.array("absorbance")
    others = sorted({label for label, _ in kinds if label != chosen[0]})
    if others:
        found["notices"] = np.array([f"Read as {chosen[0]!r}; the file has besides: {', '.join(others)}."])
    return found
