"""ENVI: a text header and the raw numbers of a spectral image in a second file."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError

HEADER_BYTES = 1 << 20
# ENVI's "data type" (NV5 Geospatial, ENVI header files)
TYPES: Mapping[int, str] = {1: "u1", 2: "i2", 3: "i4", 4: "f4", 5: "f8", 12: "u2"}
# the axes of each interleave, as they lie in the file: lines, samples (pixels of a line), bands
ORDERS: Mapping[str, str] = {"bsq": "bls", "bil": "lbs", "bip": "lsb"}
SUFFIXES = ("", ".dat", ".img", ".raw", ".bsq", ".bil", ".bip", ".DAT", ".IMG", ".RAW")
FIELD = re.compile(r"^\s*([^=\n{}]+?)\s*=\s*(\{[^{}]*\}|[^\n]*)", re.MULTILINE)
EXPORT = "Export the image again as ENVI with its header, or as NPZ."


@dataclass(frozen=True)
class EnviHeader:
    """What of a header is needed; wavelengths as written, () where none; unit: of them, of values: of the numbers."""

    lines: int
    samples: int
    bands: int
    dtype: str
    interleave: str
    offset: int
    wavelengths: tuple[float, ...]
    unit: str
    values: str


def parse_header(text: str) -> EnviHeader:
    """Return what the header ``text`` says.

    Keys may come in any order and case and lists may run over lines; without a byte order it is little-endian, without
    an interleave bsq, as files of infrared microscopes leave these out. UserError envi_header.
    """
    fields = {" ".join(name.lower().split()): value.strip() for name, value in FIELD.findall(text)}
    lines, samples, bands = (_whole(fields, name) for name in ("lines", "samples", "bands"))
    kind = _whole(fields, "data type")
    interleave = fields.get("interleave", "bsq").lower()
    order = fields.get("byte order", "0")
    if min(lines, samples, bands) < 1 or kind not in TYPES or interleave not in ORDERS or order not in ("0", "1"):
        raise _bad("It has a size, type or order that is not known.")
    wavelengths = _numbers(fields.get("wavelength", ""))
    if len(wavelengths) not in (0, bands):
        raise _bad(f"It names {len(wavelengths)} wavelengths for {bands} bands.")
    told = " ".join(fields.get(name, "") for name in ("data units", "z plot titles", "y plot titles", "description"))
    return EnviHeader(
        lines,
        samples,
        bands,
        "<>"[int(order)] + TYPES[kind],
        interleave,
        _whole(fields, "header offset", "0"),
        wavelengths,
        fields.get("wavelength units", "").lower(),
        "transmittance" if "transmi" in told.lower() else "absorbance" if "absorb" in told.lower() else "",
    )


def read_envi(header: Path, data: Path) -> dict[str, NDArray[np.generic]]:
    """Return ``cube`` (lines, samples, bands) as stored, ``wavenumbers`` (bands,) in cm^-1 if known, and ``unit``.

    unit: absorbance, transmittance or "" where the header does not say. UserError envi_header, cube_unreadable.
    """
    with header.open("rb") as file:
        found = parse_header(file.read(HEADER_BYTES).decode("latin-1"))
    count = found.lines * found.samples * found.bands
    stored = np.dtype(found.dtype)
    size = data.stat().st_size
    if found.offset < 0 or found.offset + count * stored.itemsize > size:
        raise UserError("cube_unreadable", "The data file is shorter than its ENVI header says.", EXPORT)
    sizes = {"l": found.lines, "s": found.samples, "b": found.bands}
    order = ORDERS[found.interleave]
    flat = np.fromfile(data, stored, count, offset=found.offset)
    values = flat.reshape([sizes[axis] for axis in order]).transpose([order.index(axis) for axis in "lsb"])
    arrays: dict[str, NDArray[np.generic]] = {"cube": values, "unit": np.array(found.values)}
    if found.wavelengths:
        arrays["wavenumbers"] = in_wavenumbers(np.array(found.wavelengths), found.unit)
    return arrays


def data_of(header: Path) -> Path:
    """Return the file beside ``header`` that holds its numbers: the same name without .hdr, or another ending."""
    for stem in (header.with_suffix(""), Path(str(header))):
        for suffix in SUFFIXES:
            path = stem.with_name(stem.name + suffix)
            if path != header and path.is_file():
                return path
    raise UserError("cube_unreadable", "An ENVI header came without its data file.", "Give both files, .hdr and data.")


def in_wavenumbers(wavelengths: NDArray[np.float64], unit: str) -> NDArray[np.float64]:
    """Return ``wavelengths`` as wavenumbers in cm^-1; a ``unit`` that is not told is micrometres below 100."""
    if "nano" in unit or unit == "nm":
        return np.asarray(1e7 / wavelengths)
    if "micro" in unit or unit == "um" or (not unit and wavelengths.max() < 100):
        return np.asarray(1e4 / wavelengths)
    return wavelengths


def _whole(fields: Mapping[str, str], name: str, default: str = "") -> int:
    text = fields.get(name, default)
    if not re.fullmatch(r"\d{1,9}", text):
        raise _bad(f"Its entry {name!r} is missing or no whole number.")
    return int(text)


def _numbers(text: str) -> tuple[float, ...]:
    words = text.strip("{}").replace(",", " ").split()
    try:
        found = tuple(float(word) for word in words)
    except ValueError as error:
        raise _bad("A wavelength is no number.") from error
    if not all(math.isfinite(value) and value > 0 for value in found):
        raise _bad("A wavelength is no positive number.")
    return found


def _bad(why: str) -> UserError:
    return UserError("envi_header", f"The ENVI header cannot be used. {why}", EXPORT)
