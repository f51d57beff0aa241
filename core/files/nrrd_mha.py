"""NRRD and MHA: a text header and the voxels in one file, read without trusting a word of the header."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.files.nifti import Stored
from core.files.nifti_header import MAX_VOXELS, RESAVE, check_affine, check_shape, no_orientation
from core.files.voxel_stream import AGAIN, EXTRA_BYTES, PIECE_BYTES

if TYPE_CHECKING:
    import SimpleITK

TEXT_BYTES = 64 << 10
ZLIB_OR_GZIP = 47  # zlib finds out which by the first bytes
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
# the spaces whose left and right are known, as NRRD's format definition abbreviates them
SPACES = {
    "ras": "right-anterior-superior",
    "las": "left-anterior-superior",
    "lps": "left-posterior-superior",
}
# units of length that NRRD ("space units") and MetaImage (DistanceUnits) may state -> mm; ITK reads all as mm
UNITS_MM = (
    (re.compile(r"m|met(er|re)s?"), 1000.0),
    (re.compile(r"cm|centimet(er|re)s?"), 10.0),
    (re.compile(r"[uµ\u03bc]m|microns?|micromet(er|re)s?"), 0.001),
)
DETACHED = {"data file", "datafile"}  # fields of a header whose voxels lie in another file
ENCODINGS = ("raw", "gzip", "gz")
NRRD_TYPES = re.compile(
    r"((un)?signed )?(char|short( int)?|int|long long( int)?)|u(char|short|int|longlong)|longlong"
    r"|u?int(8|16|32|64)(_t)?|float|double"
)
META_TYPES = re.compile(r"MET_(U?(CHAR|SHORT|INT|LONG|LONG_LONG)|FLOAT|DOUBLE)")
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
ONE_FILE = "Save header and voxels together in one file (.nrrd or .mha), or export the scan as NIfTI."


def read_nrrd(path: Path, work: Path) -> Stored:
    """Return the NRRD scan at ``path``; its header is written anew in ``work`` before a library sees it."""
    with path.open("rb") as file:
        fields = _nrrd_fields(file)
        if DETACHED & fields.keys():
            raise _detached("an NRRD")
        header = _nrrd_header(fields)
        return _decoded(work / "scan.nrrd", "NrrdImageIO", header, file, packed=fields["encoding"].lower() != "raw")


def read_meta(path: Path, work: Path) -> Stored:
    """Return the MetaImage scan (.mha) at ``path``; its header is written anew in ``work`` as for NRRD."""
    with path.open("rb") as file:
        fields = _meta_fields(file)
        if fields["ElementDataFile"] != "LOCAL":
            raise _detached("a MetaImage")
        packed = _true(fields.get("CompressedData", "False"))
        return _decoded(work / "scan.mha", "MetaImageIO", _meta_header(fields), file, packed=packed)


def _nrrd_fields(file: BinaryIO) -> dict[str, str]:
    """Return the fields (lower-case name -> text) and leave ``file`` at the first voxel; comments and keys are left."""
    fields: dict[str, str] = {}
    for line in _lines(file):
        if not line:
            return fields
        name, colon, value = line.partition(":")
        if colon and not line.startswith("#") and not value.startswith("="):
            fields[" ".join(name.lower().split())] = value.strip()
    if DETACHED & fields.keys():
        # a header alone need not end in an empty line
        return fields
    raise _bad()


def _meta_fields(file: BinaryIO) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in _lines(file):
        name, equals, value = line.partition("=")
        if not equals:
            raise _bad()
        fields[name.strip()] = value.strip()
        if name.strip() == "ElementDataFile":
            return fields
    raise _bad()


def _lines(file: BinaryIO) -> Iterator[str]:
    """Yield the lines of a text header, each without its end; the caller decides where the header ends."""
    left = TEXT_BYTES
    while left > 0 and (raw := file.readline(left)):
        left -= len(raw)
        yield raw.rstrip(b"\r\n").decode("latin-1")


def _nrrd_header(fields: Mapping[str, str]) -> bytes:
    """Return a header of nothing but what the voxels and their place need."""
    sizes = [int(n) for n in _numbers(fields.get("sizes", ""))]
    if fields.get("dimension") != str(len(sizes)):
        raise _bad()
    check_shape([len(sizes), *sizes])
    kind = fields.get("type", "")
    if not NRRD_TYPES.fullmatch(kind):
        raise bad_type(kind)
    encoding = fields.get("encoding", "").lower()
    if encoding not in ENCODINGS or any(fields.get(name, "0") not in ("0", "-1") for name in ("byte skip", "byteskip")):
        raise _encoding(encoding)
    if any(fields.get(name, "0") != "0" for name in ("line skip", "lineskip")):
        raise _encoding("lines to skip")
    space = fields.get("space", "").lower()
    space = SPACES.get(space, space)
    directions = re.findall(r"\(([^()]*)\)", fields.get("space directions", ""))
    if space not in SPACES.values() or len(directions) != 3:
        raise no_orientation()
    unit = _unit_mm(re.findall(r'"([^"]*)"', fields.get("space units", "")))
    vectors = [_scaled(_numbers(direction, 3), unit) for direction in directions]
    _require_frame(np.array(vectors))
    origin = _vector(_scaled(_numbers(fields.get("space origin", "(0,0,0)").strip("()"), 3), unit))
    endian = "big" if fields.get("endian", "little").lower() == "big" else "little"
    lines = {
        "type": kind,
        "dimension": "3",
        "space": space,
        "sizes": " ".join(map(str, sizes[:3])),
        "space directions": " ".join(map(_vector, vectors)),
        "endian": endian,
        "encoding": "raw",
        "space origin": origin,
    }
    return ("NRRD0004\n" + "".join(f"{name}: {value}\n" for name, value in lines.items()) + "\n").encode("ascii")


def _meta_header(fields: Mapping[str, str]) -> bytes:
    """Return a header of nothing but what the voxels and their place need."""
    sizes = [int(n) for n in _numbers(fields.get("DimSize", ""))]
    if fields.get("NDims") != str(len(sizes)):
        raise _bad()
    check_shape([len(sizes), *sizes])
    kind = fields.get("ElementType", "")
    if not META_TYPES.fullmatch(kind):
        raise bad_type(kind)
    if fields.get("ElementNumberOfChannels", "1") != "1":
        raise UserError(
            "colour_image", "The voxels have several channels, as in a picture.", "Save one grey value each."
        )
    if not _true(fields.get("BinaryData", "True")) or fields.get("HeaderSize", "0") not in ("0", "-1"):
        raise _encoding("text")
    matrix = next((fields[name] for name in ("TransformMatrix", "Rotation", "Orientation") if name in fields), None)
    spacing = fields.get("ElementSpacing", fields.get("ElementSize"))
    if matrix is None or spacing is None or len(sizes) != 3:
        raise no_orientation()
    offset = next((fields[name] for name in ("Offset", "Position", "Origin") if name in fields), "0 0 0")
    unit = _unit_mm([fields.get("DistanceUnits", "")])
    directions, sides = _numbers(matrix, 9), _scaled(_numbers(spacing, 3), unit)
    _require_frame(np.reshape(directions, (3, 3)) * np.array(sides)[:, None])
    order = fields.get("BinaryDataByteOrderMSB", fields.get("ElementByteOrderMSB", "False"))
    lines = {
        "ObjectType": "Image",
        "NDims": "3",
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": str(_true(order)),
        "CompressedData": "False",
        "TransformMatrix": _spaced(directions),
        "Offset": _spaced(_scaled(_numbers(offset, 3), unit)),
        "ElementSpacing": _spaced(sides),
        "DimSize": " ".join(map(str, sizes)),
        "ElementType": kind,
        "ElementDataFile": "LOCAL",
    }
    return "".join(f"{name} = {value}\n" for name, value in lines.items()).encode("ascii")


def _decoded(path: Path, library: str, header: bytes, payload: BinaryIO, *, packed: bool) -> Stored:
    """Return the scan of a fresh ``header`` and the rest of ``payload``, put together at ``path``.

    Compressed voxels are unpacked here: MetaIO takes a stream that is cut off for a whole one.
    """
    import SimpleITK as sitk

    with path.open("wb") as whole:
        whole.write(header)
        whole.writelines(_inflated(payload) if packed else iter(lambda: payload.read(EXTRA_BYTES), b""))
    try:
        image = sitk.ReadImage(str(path), imageIO=library)
    except RuntimeError as error:
        raise cut_off() from error
    finally:
        path.unlink()
    values = sitk.GetArrayFromImage(image).T
    return Stored(values, check_affine(_affine(image)))


def _inflated(payload: BinaryIO) -> Iterator[bytes]:
    """Yield what a zlib or gzip stream holds, up to what the largest scan takes; its checksum is checked."""
    inflate, left = zlib.decompressobj(ZLIB_OR_GZIP), MAX_VOXELS * 8
    while not inflate.eof and left > 0:
        packed = inflate.unconsumed_tail or payload.read(EXTRA_BYTES)
        try:
            piece = inflate.decompress(packed, PIECE_BYTES)
        except zlib.error as error:
            raise UserError("data_damaged", "The compressed voxels are damaged.", AGAIN) from error
        if not packed and not piece and not inflate.eof:
            raise cut_off()
        left -= len(piece)
        yield piece


def _affine(image: SimpleITK.Image) -> NDArray[np.float64]:
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return LPS_TO_RAS @ affine


def _numbers(text: str, count: int | None = None) -> list[float]:
    """Return the finite numbers in ``text``, ``count`` of them where it is given; ``UserError`` for anything else."""
    words = text.replace(",", " ").split()
    if not words or not all(NUMBER.fullmatch(word) for word in words) or count not in (None, len(words)):
        raise _bad()
    numbers = [float(word) for word in words]
    if not all(map(math.isfinite, numbers)) or max(map(abs, numbers)) > 2**62:
        raise _bad()
    return numbers


def _unit_mm(stated: Sequence[str]) -> float:
    """Return how many mm the unit has that the header states for its axes; UserError bad_header where they differ."""
    # read as Latin-1, in which a µ of UTF-8 is two letters
    words = {word.encode("latin-1", "replace").decode("utf-8", "replace").strip().lower() for word in stated}
    found = {next((mm for names, mm in UNITS_MM if names.fullmatch(word)), 1.0) for word in words}
    if len(found) > 1:
        raise _bad()
    return found.pop() if found else 1.0


def _scaled(numbers: Sequence[float], unit: float) -> list[float]:
    return [number * unit for number in numbers]


def _require_frame(vectors: NDArray[np.float64]) -> None:
    """Refuse three directions (rows, in mm per voxel) that ITK would stumble over."""
    affine = np.eye(4)
    affine[:3, :3] = vectors.T
    check_affine(affine)


def _vector(numbers: Sequence[float]) -> str:
    return f"({','.join(map(repr, numbers))})"


def _spaced(numbers: Sequence[float]) -> str:
    return " ".join(map(repr, numbers))


def _true(text: str) -> bool:
    return text.lower() in ("true", "1")


def _bad() -> UserError:
    return UserError("bad_header", "The header cannot be understood.", RESAVE)


def bad_type(name: str) -> UserError:
    """Return the refusal of a voxel type, which is shown as ``name``."""
    shown = "".join(letter for letter in name if letter.isprintable())[:40]
    return UserError(
        "unsupported_type",
        f"The voxels have an unsupported type ({shown or 'none'}).",
        "Save as 16-bit or 32-bit float.",
    )


def _encoding(name: str) -> UserError:
    text = f"The voxels are written in a way that is not read ({_shown(name)})."
    return UserError("unsupported_encoding", text, ONE_FILE)


def _shown(name: str) -> str:
    return "".join(letter for letter in name if letter.isprintable())[:40] or "none"


def _detached(what: str) -> UserError:
    return UserError("detached_data", f"This is only the header of {what} file; its voxels lie in another.", ONE_FILE)


def cut_off() -> UserError:
    """Return the refusal of a file that ends too early."""
    return UserError("data_truncated", "The file holds fewer voxels than its header states.", AGAIN)
