"""Thermo OMNIC: one spectrum (.spa) or a group of them (.spg).

Layout as worked out by its users and by SpectroChemPy (A. Travert, C. Fernandez, https://www.spectrochempy.fr): from
byte 304 a table of entries of 16 bytes, each a key and the place and size of what it names.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MARKS = (b"Spectral Data File", b"Spectral Exte File")
TABLE, ENTRY, MOST_ENTRIES = 304, 16, 100_000
END, HEADER, INTENSITIES, TITLE = (0, 1), 2, 3, 107
AXES = {1: "cm-1", 3: "nm", 4: "um", 32: "Raman shift"}
VALUES = {11: "reflectance", 12: "absorbance", 16: "transmittance", 17: "absorbance", 31: "counts"}
TITLE_CHARACTERS = 100


def read_omnic(path: Path) -> dict[str, NDArray[Any]]:
    """Return ``spectra`` (N, B), ``wavenumbers`` as written, ``axis``, ``unit`` and ``spectrum``, titles of a group.

    ``ValueError`` for damage, or where the spectra of a group have different bands.
    """
    stored = path.read_bytes()
    places = _places(stored)
    described = [_described(stored, at) for at, _ in places[HEADER]]
    if not described or len(places[INTENSITIES]) < len(described) or len(set(described)) != 1:
        raise ValueError("no spectra, or of different bands")
    points, axis, values, first, last = described[0]
    spectra = [np.frombuffer(stored, "<f4", points, at) for at, _ in places[INTENSITIES][: len(described)]]
    found: dict[str, NDArray[Any]] = {
        "spectra": np.array(spectra),
        "wavenumbers": np.linspace(first, last, points),
        "axis": np.array(AXES.get(axis, "")),
        "unit": np.array(VALUES.get(values, "")),
    }
    if len(places[TITLE]) == len(spectra):
        found["spectrum"] = np.array([_text(stored[at : at + size]) for at, size in places[TITLE]])
    return found


def _places(stored: bytes) -> dict[int, list[tuple[int, int]]]:
    """Return place and size of the parts of each kind, in the order of the table."""
    found: dict[int, list[tuple[int, int]]] = {HEADER: [], INTENSITIES: [], TITLE: []}
    # a group has its number of entries; of a single spectrum the table ends with a key of 0 or 1
    group = stored.startswith(MARKS[1])
    count = struct.unpack_from("<H", stored, 294)[0] if group else MOST_ENTRIES
    for number in range(count):
        at = TABLE + ENTRY * number
        if at + ENTRY > len(stored) or (not group and stored[at] in END):
            break
        if stored[at] in found:
            found[stored[at]].append(struct.unpack_from("<II", stored, at + 2))
    return found


def _described(stored: bytes, at: int) -> tuple[int, int, int, float, float]:
    """Return number of points, units of positions and numbers, and the first and the last position."""
    points = struct.unpack_from("<I", stored, at + 4)[0]
    first, last = struct.unpack_from("<ff", stored, at + 16)
    return points, stored[at + 8], stored[at + 12], first, last


def _text(stored: bytes) -> str:
    return stored.split(b"\0", 1)[0].decode("utf-8", "replace")[:TITLE_CHARACTERS]
