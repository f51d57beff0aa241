"""ENVI: a text header and the raw numbers of a spectral image, or of a picture of classes, in a second file."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.files.value_units import units_in

MARK = b"ENVI"
HEADER_BYTES = 4 << 20
# ENVI's "data type" (NV5 Geospatial, ENVI header files); 6 and 9 are complex
TYPES: Mapping[int, str] = {1: "u1", 2: "i2", 3: "i4", 4: "f4", 5: "f8", 12: "u2", 13: "u4", 14: "i8", 15: "u8"}
COMPLEX = (6, 9)
# the axes of each interleave, as they lie in the file: lines, samples (pixels of a line), bands
ORDERS: Mapping[str, str] = {"bsq": "bls", "bil": "lbs", "bip": "lsb"}
SUFFIXES = ("", ".dat", ".img", ".raw", ".bin", ".bsq", ".bil", ".bip", ".cube", ".spc", ".sli", ".envi")
# a value stays on its own line, unless it is a list in braces
FIELD = re.compile(r"^[ \t]*([^=\n{};]+?)[ \t]*=[ \t]*(?:\n[ \t]*(?=\{))?(\{[^{}]*\}|[^\n]*)", re.MULTILINE)
# the fields that may name the unit of the numbers, the plainest first
UNIT_FIELDS = ("data units", "z plot titles", "y plot titles", "description")
NO_CLASS = re.compile(r"un-?classified|no ?data|none|background|masked|un-?label+ed|", re.IGNORECASE)
EXPORT = "Export the image again as ENVI with its header, or as NPZ."


@dataclass(frozen=True)
class EnviHeader:
    """What of a header is needed.

    wavelengths: as written, () where none; axis: their unit as written. values: unit of the numbers, "" where it is
    not stated. gains, offsets: (bands,) of a line from the stored numbers to the true ones, () for none; scale: what
    they are divided by after that. ignored: the number that stands for none. bad: whether each band is marked as bad.
    classes: names of the classes, () for a spectral image.
    """

    lines: int
    samples: int
    bands: int
    dtype: str
    interleave: str
    offset: int
    wavelengths: tuple[float, ...]
    axis: str
    values: str
    scale: float = 1.0
    ignored: float | None = None
    bad: tuple[bool, ...] = ()
    gains: tuple[float, ...] = ()
    offsets: tuple[float, ...] = ()
    classes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of a data file that this header describes."""
        return self.offset + self.lines * self.samples * self.bands * np.dtype(self.dtype).itemsize


def decoded_text(stored: bytes) -> str:
    """Return a text in UTF-8 or else in Latin-1, with line ends as ``\\n``."""
    try:
        text = stored.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = stored.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parse_header(text: str) -> EnviHeader:
    """Return the content of the header ``text``.

    Keys may come in any order and case, a field may be empty, and lists may run over lines; without a byte order it is
    little-endian, without an interleave bsq, as files of infrared microscopes leave these out. UserError envi_header.
    """
    fields = {" ".join(name.lower().split()): value.strip() for name, value in FIELD.findall(text)}
    lines, samples, bands = (_whole(fields, name) for name in ("lines", "samples", "bands"))
    kind = _whole(fields, "data type")
    interleave = fields.get("interleave", "").lower() or "bsq"
    order = fields.get("byte order", "") or "0"
    if kind in COMPLEX:
        raise _bad("Its numbers are complex; save their magnitude.")
    if fields.get("file compression", "") not in ("", "0"):
        raise _bad("Its data are compressed; save them without compression.")
    if min(lines, samples, bands) < 1 or kind not in TYPES or interleave not in ORDERS or order not in ("0", "1"):
        raise _bad("It has a size, type or order that is not known.")
    axis, wavelengths = _axis(fields, bands)
    ignored = fields.get("data ignore value", "")
    classified = "classification" in fields.get("file type", "").lower()
    return EnviHeader(
        lines,
        samples,
        bands,
        "<>"[int(order)] + TYPES[kind],
        interleave,
        _whole(fields, "header offset", "0"),
        wavelengths,
        axis,
        _unit(fields),
        _scale(fields),
        _numbers(ignored, "data ignore value", 1)[0] if ignored else None,
        tuple(value == 0 for value in _numbers(fields.get("bbl", ""), "bbl", bands)),
        _numbers(fields.get("data gain values", ""), "data gain values", bands),
        _numbers(fields.get("data offset values", ""), "data offset values", bands),
        _names(fields.get("class names", "")) if classified else (),
    )


def read_envi(header: Path, data: Path) -> dict[str, NDArray[Any]]:
    """Return ``cube`` (lines, samples, bands) with scale and ignored numbers applied (NaN), ``wavenumbers`` as written
    if known, ``axis``, their unit as written, and ``unit``, that of the numbers ("" where the header has none).

    Bands that the header marks as bad are left out. A classification is ``labels`` (lines, samples) with ``classes``.
    UserError envi_header, cube_unreadable where the data file does not have the size that the header describes.
    """
    found = _read_header(header)
    size = data.stat().st_size
    if size != found.size:
        raise UserError(
            "cube_unreadable",
            f"The ENVI header describes a data file of {found.size} bytes, and {data.name[:80]!r} has {size}.",
            "Give the data file that belongs to the header.",
        )
    sizes = {"l": found.lines, "s": found.samples, "b": found.bands}
    order = ORDERS[found.interleave]
    flat = np.fromfile(data, found.dtype, offset=found.offset)
    stored = flat.reshape([sizes[axis] for axis in order]).transpose([order.index(axis) for axis in "lsb"])
    if found.classes:
        return _classification(stored, found)
    kept = ~np.array(found.bad, bool) if found.bad else np.ones(found.bands, bool)
    if not kept.any():
        raise _bad("It marks every band as bad.")
    arrays: dict[str, NDArray[Any]] = {"cube": _true_values(stored, found)[:, :, kept], "unit": np.array(found.values)}
    if found.wavelengths:
        arrays["wavenumbers"] = np.array(found.wavelengths)[kept]
        arrays["axis"] = np.array(found.axis)
    return arrays


def data_of(header: Path) -> Path:
    """Return the file beside ``header`` that holds its numbers: its name without .hdr, or with another ending, in any
    case, and of the size that the header describes. UserError cube_unreadable, envi_header."""
    size = _read_header(header).size
    names = {stem + suffix for stem in (header.stem.lower(), header.name.lower()) for suffix in SUFFIXES}
    beside = [path for path in sorted(header.parent.iterdir()) if path != header and path.name.lower() in names]
    fitting = [path for path in beside if path.is_file() and path.stat().st_size == size]
    # two files of the same size: the one whose case is that of the header
    fitting.sort(key=lambda path: not path.name.startswith(header.stem))
    if fitting:
        return fitting[0]
    raise UserError(
        "cube_unreadable",
        f"An ENVI header came without its data file of {size} bytes.",
        "Give both files, .hdr and data.",
    )


def header_of(data: Path) -> Path | None:
    """Return the ENVI header beside a data file of the usual names, None where there is none."""
    if data.suffix.lower() not in SUFFIXES:
        return None
    names = {data.stem.lower() + ".hdr", data.name.lower() + ".hdr"}
    for path in sorted(data.parent.iterdir()):
        if path.name.lower() in names and path.is_file() and is_header(path):
            return path
    return None


def is_header(path: Path) -> bool:
    """Return whether the file at ``path`` begins as an ENVI header does."""
    with path.open("rb") as file:
        return file.read(len(MARK)) == MARK


def _read_header(path: Path) -> EnviHeader:
    with path.open("rb") as file:
        return parse_header(decoded_text(file.read(HEADER_BYTES)))


def _true_values(stored: NDArray[Any], header: EnviHeader) -> NDArray[Any]:
    """Return the numbers that the stored ones mean, NaN for those that are to be ignored."""
    if header.ignored is None and header.scale == 1 and not header.gains and not header.offsets:
        return stored
    found = stored.astype(np.float32)
    if header.gains or header.offsets:
        found = found * np.array(header.gains or 1.0, np.float32) + np.array(header.offsets or 0.0, np.float32)
    found = found / np.float32(header.scale)
    if header.ignored is not None:
        found[stored == header.ignored] = np.nan
    return found


def _classification(stored: NDArray[Any], header: EnviHeader) -> dict[str, NDArray[Any]]:
    """Return the picture of labels, 0 for none, and the names of the classes from 1."""
    labels = stored[:, :, 0].astype(np.int64)
    if header.bands != 1 or labels.min() < 0 or labels.max() >= len(header.classes):
        raise _bad("It is a classification with more bands than one, or with fewer names than classes.")
    if NO_CLASS.fullmatch(header.classes[0].strip()):
        return {"labels": labels, "classes": np.array(header.classes[1:])}
    labels += 1
    if header.ignored is not None:
        labels[stored[:, :, 0] == header.ignored] = 0
    return {"labels": labels, "classes": np.array(header.classes)}


def _axis(fields: Mapping[str, str], bands: int) -> tuple[str, tuple[float, ...]]:
    """Return unit and positions of the bands as written; where they stand only in the names of the bands, those."""
    unit = fields.get("wavelength units", "").strip("{} ")
    if "wavelength" in fields:
        found = _numbers(fields["wavelength"], "wavelength", bands)
        return ("", ()) if unit.lower() == "index" else (unit, found)
    names = _names(fields.get("band names", ""))
    numbers = [re.match(r"(-?\d+(?:\.\d+)?)\s*([a-zA-Zµμ/^⁻¹1-]*)", name) for name in names]
    if len(names) != bands or not all(numbers):
        return "", ()
    units = {each.group(2) for each in numbers if each}
    return (units.pop() if len(units) == 1 else unit) or unit, tuple(float(each.group(1)) for each in numbers if each)


def _unit(fields: Mapping[str, str]) -> str:
    """Return the unit of the numbers by the first field that names exactly one."""
    for name in UNIT_FIELDS:
        named = units_in(fields.get(name, ""))
        if len(named) == 1:
            return named[0]
    return ""


def _scale(fields: Mapping[str, str]) -> float:
    for name in ("reflectance scale factor", "data scale factor", "scale factor"):
        if fields.get(name):
            scale = _numbers(fields[name], name, 1)[0]
            if scale <= 0:
                raise _bad("Its scale factor is not positive.")
            return scale
    return 1.0


def _names(text: str) -> tuple[str, ...]:
    return tuple(" ".join(name.split())[:100] for name in text.strip("{} \n").split(",")) if text.strip("{} \n") else ()


def _whole(fields: Mapping[str, str], name: str, default: str = "") -> int:
    text = fields.get(name, "") or default
    if not re.fullmatch(r"\d{1,9}", text):
        raise _bad(f"Its entry {name!r} is missing or no whole number.")
    return int(text)


def _numbers(text: str, name: str, count: int) -> tuple[float, ...]:
    """Return the ``count`` numbers of a list, () for an empty one."""
    words = text.strip("{} ").replace(",", " ").split()
    try:
        found = tuple(float(word) for word in words)
    except ValueError as error:
        raise _bad(f"Its entry {name!r} is no number.") from error
    if not all(math.isfinite(value) for value in found):
        raise _bad(f"Its entry {name!r} is no finite number.")
    if len(found) not in (0, count):
        raise _bad(f"Its entry {name!r} has {len(found)} numbers where {count} belong.")
    return found


def _bad(why: str) -> UserError:
    return UserError("envi_header", f"The ENVI header cannot be used. {why}", EXPORT)
