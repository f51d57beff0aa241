"""PerkinElmer: a spectrum (.sp) or an image of the Spotlight (.fsm), files of blocks with a number and a size.

Layout as in specio (G. Lemaitre, BSD-3) and PyMca (ESRF, MIT).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FIRST_BLOCK = 44
# of a spectrum: the block around, then range, number of points, numbers, names of the axes
AROUND, RANGE, POINTS, NUMBERS, POSITION_NAME, VALUE_NAME = 120, 35698, 35701, 35708, 35703, 35704
# of an image: its size, and one spectrum
IMAGE, PIXEL = 5100, 5105
VALUES = {"%t": "transmittance", "t": "transmittance", "a": "absorbance", "%r": "reflectance"}


def read_perkinelmer(path: Path) -> dict[str, NDArray[Any]]:
    """Return ``spectra`` (1, B) or ``cube`` (H, W, B), ``wavenumbers`` as written, ``axis`` and ``unit``.

    ``ValueError`` for damage.
    """
    stored = path.read_bytes()
    blocks = list(_blocks(stored, FIRST_BLOCK, len(stored)))
    image = next((at for kind, at, _ in blocks if kind == IMAGE), None)
    return _spectrum(stored, blocks) if image is None else _image(stored, image, blocks)


def _blocks(stored: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield number, place and size of each block."""
    while at + 6 <= end:
        kind, size = struct.unpack_from("<Hi", stored, at)
        if size < 0 or at + 6 + size > end:
            return
        yield kind, at + 6, size
        at += 6 + size


def _spectrum(stored: bytes, blocks: list[tuple[int, int, int]]) -> dict[str, NDArray[Any]]:
    around = next(((at, size) for kind, at, size in blocks if kind == AROUND), None)
    if around is None:
        raise ValueError("no spectrum")
    members = {kind: (at, size) for kind, at, size in _blocks(stored, around[0], sum(around))}
    # each member begins with two bytes that name its type
    first, last = struct.unpack_from("<dd", stored, members[RANGE][0] + 2)
    points = struct.unpack_from("<i", stored, members[POINTS][0] + 2)[0]
    values = np.frombuffer(stored, "<f8", points, members[NUMBERS][0] + 6)
    name = _text(stored, members.get(VALUE_NAME)).lower()
    return {
        "spectra": values[None].astype(np.float32),
        "wavenumbers": np.linspace(first, last, points),
        "axis": np.array(_text(stored, members.get(POSITION_NAME))),
        "unit": np.array(VALUES.get(name, "")),
    }


def _image(stored: bytes, at: int, blocks: list[tuple[int, int, int]]) -> dict[str, NDArray[Any]]:
    at += 2 + struct.unpack_from("<H", stored, at)[0]
    step, first = struct.unpack_from("<dd", stored, at + 16)
    across, down, points = struct.unpack_from("<iii", stored, at + 80)
    spectra = [np.frombuffer(stored, "<f4", points, place) for kind, place, _ in blocks if kind == PIXEL]
    if across < 1 or down < 1 or len(spectra) != across * down:
        raise ValueError("an image with pixels missing")
    return {
        "cube": np.array(spectra).reshape(down, across, points),
        "wavenumbers": first + step * np.arange(points),
        "axis": np.array("cm-1"),
        "unit": np.array(""),
    }


def _text(stored: bytes, member: tuple[int, int] | None) -> str:
    if member is None:
        return ""
    size = struct.unpack_from("<h", stored, member[0] + 2)[0]
    return stored[member[0] + 4 : member[0] + 4 + max(size, 0)].decode("latin-1").strip()[:40]
