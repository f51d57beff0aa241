"""Renishaw WiRE (.wdf): Raman spectra in blocks with a name of four letters and a size.

Layout as in renishawWiRE (T. Tian, MIT) and A. Henderson (doi:10.5281/zenodo.495477).
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK_HEADER = 16
AXES = {1: "Raman shift", 2: "cm-1", 3: "nm", 4: "eV", 5: "um"}
NANOMETRE = 3
COLUMN_BY_COLUMN = 0x02  # of the flags of a map


def read_wdf(path: Path) -> dict[str, NDArray[Any]]:
    """Return ``spectra`` (N, B), or ``cube`` (H, W, B) of a whole map, ``wavenumbers`` as written, ``axis``, ``unit``.

    Wavelengths become shifts from the laser. ``ValueError`` for damage.
    """
    stored = path.read_bytes()
    blocks = _blocks(stored)
    points, capacity, count = struct.unpack_from("<IQQ", stored, 0x3C)
    laser = struct.unpack_from("<f", stored, 0x9C)[0]
    at = blocks["DATA"][0]
    spectra = np.frombuffer(stored, "<f4", points * min(count, capacity), at).reshape(-1, points)
    unit = struct.unpack_from("<I", stored, blocks["XLST"][0] + 4)[0]
    positions = np.frombuffer(stored, "<f4", points, blocks["XLST"][0] + 8).astype(np.float64)
    found: dict[str, NDArray[Any]] = {"technique": np.array("raman"), "unit": np.array("counts")}
    if unit == NANOMETRE and laser > 0:
        # the laser is stored as a wavenumber
        positions, unit = laser - 1e7 / positions, 1
        found["notices"] = np.array(["The wavelengths were turned into shifts from the laser of the file."])
    found |= {"wavenumbers": positions, "axis": np.array(AXES.get(unit, ""))}
    if "WMAP" in blocks:
        flags = struct.unpack_from("<I", stored, blocks["WMAP"][0])[0]
        across, down = struct.unpack_from("<II", stored, blocks["WMAP"][0] + 32)
        if across * down == len(spectra) > 1:
            side = (across, down) if flags & COLUMN_BY_COLUMN else (down, across)
            cube = spectra.reshape(*side, points)
            return found | {"cube": cube.transpose(1, 0, 2) if flags & COLUMN_BY_COLUMN else cube}
    return found | {"spectra": spectra}


def _blocks(stored: bytes) -> dict[str, tuple[int, int]]:
    """Return place and size of the first block of each name."""
    found: dict[str, tuple[int, int]] = {}
    at = 0
    while at + BLOCK_HEADER <= len(stored):
        name, _, size = struct.unpack_from("<4sIQ", stored, at)
        if size < BLOCK_HEADER:
            break
        found.setdefault(name.decode("latin-1"), (at + BLOCK_HEADER, size - BLOCK_HEADER))
        at += size
    return found
