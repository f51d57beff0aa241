"""Galactic SPC: one or many spectra, in the format of 1996 in either byte order and in the one before.

Layout: Galactic Industries, "Universal Data Format Specification" (gspc_udf.pdf), and spc.h of its kit.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

NEW, NEW_BIG, OLD = 0x4B, 0x4C, 0x4D
HEADER, OLD_HEADER, SUB_HEADER = 512, 256, 32
# bits of the first byte: 16-bit numbers, several spectra, positions for each spectrum, positions stored
SHORT, MULTIPLE, EACH_ITS_POSITIONS, POSITIONS = 0x01, 0x04, 0x40, 0x80
FLOAT_EXPONENT = -128
AXES = {1: "cm-1", 2: "um", 3: "nm", 13: "Raman shift", 14: "eV"}
VALUES = {2: "absorbance", 4: "counts", 128: "transmittance", 129: "reflectance"}
NO_SPECTRUM = {4: "seconds", 5: "minutes", 9: "mass", 10: "ppm", 12: "years"}
INTERFEROGRAM = 1
MOST_SPECTRA = 1_000_000


@dataclass(frozen=True)
class _Header:
    flags: int
    order: str
    exponent: int
    points: int
    first: float
    last: float
    spectra: int
    axis: int
    values: int
    old: bool = False


def is_spc(head: bytes) -> bool:
    """Return whether a file that begins with ``head`` is SPC: its version, and plausible types of axis and numbers."""
    if len(head) < OLD_HEADER or head[1] not in (NEW, NEW_BIG, OLD):
        return False
    at = 16 if head[1] == OLD else 28
    return head[at] <= 30 and (head[at + 1] <= 30 or 128 <= head[at + 1] <= 131)


def read_spc(path: Path) -> dict[str, NDArray[Any]]:
    """Return ``spectra`` (N, B), ``wavenumbers`` as written, ``axis`` and ``unit``; ``ValueError`` for damage.

    Where each spectrum has positions of its own they are read at those of the first.
    """
    stored = path.read_bytes()
    header = _old_header(stored) if stored[1] == OLD else _header(stored)
    if header.axis in NO_SPECTRUM or header.values == INTERFEROGRAM:
        raise ValueError("not a spectrum")
    at = OLD_HEADER - SUB_HEADER if header.old else HEADER
    positions = np.linspace(header.first, header.last, header.points)
    if header.flags & POSITIONS and not header.flags & EACH_ITS_POSITIONS:
        positions = _numbers(stored, at, f"{header.order}f4", header.points)
        at += 4 * header.points
    found: list[NDArray[np.float64]] = []
    while len(found) < header.spectra and at + SUB_HEADER < len(stored):
        own, values, at = _spectrum(stored, at, header)
        if own is not None:
            if not found:
                positions = own
            order = np.argsort(own)
            values = np.interp(positions, own[order], values[order])
        found.append(values)
    if not found:
        raise ValueError("no spectrum")
    return {
        "spectra": np.array(found, np.float32),
        "wavenumbers": positions,
        "axis": np.array(AXES.get(header.axis, "")),
        "unit": np.array(VALUES.get(header.values, "")),
    }


def _header(stored: bytes) -> _Header:
    order = ">" if stored[1] == NEW_BIG else "<"
    exponent, points, first, last, spectra = struct.unpack_from(f"{order}bIddI", stored, 3)
    if not 1 <= spectra <= MOST_SPECTRA:
        spectra = 1
    return _Header(stored[0], order, exponent, points, first, last, spectra, stored[28], stored[29])


def _old_header(stored: bytes) -> _Header:
    exponent, points, first, last = struct.unpack_from("<hfff", stored, 2)
    spectra = MOST_SPECTRA if stored[0] & MULTIPLE else 1
    return _Header(stored[0], "<", exponent, int(points), first, last, spectra, stored[16], stored[17], old=True)


def _spectrum(stored: bytes, at: int, header: _Header) -> tuple[NDArray[np.float64] | None, NDArray[np.float64], int]:
    """Return the positions of a spectrum, None for those of all, its numbers, and where the next one begins."""
    own_exponent = struct.unpack_from("b", stored, at + 1)[0]
    points = header.points
    positions = None
    if header.flags & EACH_ITS_POSITIONS:
        points = struct.unpack_from(f"{header.order}I", stored, at + 16)[0]
    at += SUB_HEADER
    if header.flags & EACH_ITS_POSITIONS:
        positions = _numbers(stored, at, f"{header.order}f4", points)
        at += 4 * points
    exponent = own_exponent if header.flags & MULTIPLE and not header.old else header.exponent
    if exponent == FLOAT_EXPONENT:
        return positions, _numbers(stored, at, f"{header.order}f4", points), at + 4 * points
    if header.flags & SHORT:
        values = _numbers(stored, at, f"{header.order}i2", points) * 2.0 ** (exponent - 16)
        return positions, values, at + 2 * points
    if header.old:
        # the two halves of each number are in the order of a big-endian machine
        halves = np.frombuffer(stored, "<u2", 2 * points, at).reshape(-1, 2).astype(np.int64)
        whole = (halves[:, 0] << 16 | halves[:, 1]).astype(np.uint32).view(np.int32)
        return positions, whole * 2.0 ** (exponent - 32), at + 4 * points
    return positions, _numbers(stored, at, f"{header.order}i4", points) * 2.0 ** (exponent - 32), at + 4 * points


def _numbers(stored: bytes, at: int, kind: str, count: int) -> NDArray[np.float64]:
    return np.frombuffer(stored, kind, count, at).astype(np.float64)
