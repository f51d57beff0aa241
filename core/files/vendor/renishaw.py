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
# kinds of origins: the place of the stage, micrometres
X, Y = 3, 4
ORIGIN_HEADER, MOST_ORIGINS = 24, 64


def read_wdf(path: Path) -> dict[str, NDArray[Any]]:
    """Return ``spectra`` (N, B), or ``cube`` (H, W, B) of a whole map, ``wavenumbers`` as written, ``axis``, ``unit``.

    Wavelengths become shifts from the laser. ``ValueError`` for damage.
    """
    stored = path.read_bytes()
    blocks = _blocks(stored)
    points, capacity, count = struct.unpack_from("<IQQ", stored, 0x3C)
    laser = struct.unpack_from("<f", stored, 0x9C)[0]
    spectra = np.frombuffer(stored, "<f4", points * min(count, capacity), blocks["DATA"]).reshape(-1, points)
    unit = struct.unpack_from("<I", stored, blocks["XLST"] + 4)[0]
    positions = np.frombuffer(stored, "<f4", points, blocks["XLST"] + 8).astype(np.float64)
    found: dict[str, NDArray[Any]] = {"technique": np.array("raman"), "unit": np.array("counts")}
    if unit == NANOMETRE and laser > 0:
        # the laser is stored as a wavenumber
        positions, unit = laser - 1e7 / positions, 1
        found["notices"] = np.array(["The wavelengths were turned into shifts from the laser of the file."])
    found |= {"wavenumbers": positions, "axis": np.array(AXES.get(unit, ""))}
    cube = _map(stored, blocks, spectra, capacity)
    return found | ({"spectra": spectra} if cube is None else {"cube": cube})


def _map(
    stored: bytes, blocks: dict[str, int], spectra: NDArray[np.float32], capacity: int
) -> NDArray[np.float32] | None:
    """Return the spectra of a whole map as (H, W, B), None for others.

    Each lies where the stage was, as rows may be scanned to and fro, or column by column; rows and columns are in the
    order in which they were reached.
    """
    if "WMAP" not in blocks or "ORGN" not in blocks or len(spectra) < 2:
        return None
    places = _places(stored, blocks["ORGN"], capacity)
    if not {X, Y} <= set(places):
        return None
    across, column = _in_order(places[X][: len(spectra)])
    down, row = _in_order(places[Y][: len(spectra)])
    if across * down != len(spectra) or len(set(zip(row, column, strict=True))) != len(spectra):
        return None
    cube = np.empty((down, across, spectra.shape[1]), np.float32)
    cube[row, column] = spectra
    return cube


def _places(stored: bytes, block: int, capacity: int) -> dict[int, NDArray[np.float64]]:
    """Return what the block of origins has one of for each spectrum, by its kind."""
    at = block + 4
    found: dict[int, NDArray[np.float64]] = {}
    for _ in range(min(struct.unpack_from("<I", stored, block)[0], MOST_ORIGINS)):
        kind = struct.unpack_from("<I", stored, at)[0] & 0x7FFFFFFF
        found[kind] = np.frombuffer(stored, "<f8", capacity, at + ORIGIN_HEADER)
        at += ORIGIN_HEADER + 8 * capacity
    return found


def _in_order(places: NDArray[np.float64]) -> tuple[int, NDArray[np.int64]]:
    """Return how many different places there are, and the number of each in the order of their first."""
    _, first, which = np.unique(places.round(4), return_index=True, return_inverse=True)
    number = np.empty(len(first), np.int64)
    number[np.argsort(first)] = np.arange(len(first))
    return len(first), number[which.ravel()]


def _blocks(stored: bytes) -> dict[str, int]:
    """Return the place of the first block of each name."""
    found: dict[str, int] = {}
    at = 0
    while at + BLOCK_HEADER <= len(stored):
        name, _, size = struct.unpack_from("<4sIQ", stored, at)
        if size < BLOCK_HEADER:
            break
        found.setdefault(name.decode("latin-1"), at + BLOCK_HEADER)
        at += size
    return found
