"""DICOM series that must be refused, or read without harm: cut anywhere, with false lengths, with impossible values."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from core.errors import UserError
from core.files.nifti import read_stored, write_stored
from core.files.scan_finder import load
from tests.core.files.grids import grid_affine, random_values
from tests.dicom_files import Elements, Series, part10
from tests.spent import little_work

AFFINE = grid_affine((0, 1, 2), (True, True, False), (1.0, 1.0, 2.0))
SERIES = Series(random_values("i2", shape=(12, 10, 9)), AFFINE)
SLICES = SERIES.files()
ONE = SLICES[4]
LIMIT = 17 << 20
STEP = 32
# (0008,0016) to (7FE0,0010), as the file has them
TAGS = (
    (0x0008, 0x0008), (0x0008, 0x0016), (0x0008, 0x0018), (0x0008, 0x0060), (0x0008, 0x103E), (0x0018, 0x0050),
    (0x0020, 0x000D), (0x0020, 0x000E), (0x0020, 0x0011), (0x0020, 0x0013), (0x0020, 0x0032), (0x0020, 0x0037),
    (0x0028, 0x0002), (0x0028, 0x0004), (0x0028, 0x0010), (0x0028, 0x0011), (0x0028, 0x0030), (0x0028, 0x0100),
    (0x0028, 0x0101), (0x0028, 0x0102), (0x0028, 0x0103), (0x7FE0, 0x0010),
)  # fmt: skip
Files = list[bytes]


def valued(kind: str, value: str | bytes | int, *tag: int) -> Files:
    """Return the series with one element of every slice replaced."""
    return SERIES.like(extra={(tag[0], tag[1]): (kind, value)}).files()


def lone(kind: str, value: str | bytes | int, *tag: int) -> Files:
    """Return the series with one element of one slice replaced."""
    changed: Elements = {(tag[0], tag[1]): (kind, value)}
    return SERIES.like(each={4: changed}).files()


def lengths(tag: tuple[int, int], length: int) -> Files:
    """Return the series whose middle slice states another length of an element."""
    data = bytearray(ONE)
    at = data.index(struct.pack("<HH", *tag), 132)
    long = bytes(data[at + 4 : at + 6]) in (b"OW", b"OB", b"SQ")
    where, form = (at + 8, "<I") if long else (at + 6, "<H")
    data[where : where + struct.calcsize(form)] = struct.pack(form, length & (0xFFFFFFFF if long else 0xFFFF))
    return [*SLICES[:4], bytes(data), *SLICES[5:]]


def nested(depth: int, closed: bool) -> Files:
    """Return the series with sequences within sequences, of lengths that are not stated."""
    begin = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    end = struct.pack("<HHI", 0xFFFE, 0xE00D, 0) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    at = ONE.index(struct.pack("<HH", 0x0018, 0x0050), 132)
    inside = begin * depth + (end * depth if closed else b"")
    return [one[:at] + inside + one[at:] if len(one) == len(ONE) else one for one in SLICES]


def deflated(mebibytes: int) -> Files:
    """Return a file whose data set unpacks to so much."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = part10({(0x0008, 0x0060): ("CS", "MR")})
    # zeros packed once, in a block that may be repeated
    zeros = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return [part10({}, "1.2.840.10008.1.2.1.99")[: len(body)] + zeros * mebibytes + packer.flush()]


# what is cut off or lies about a length may be read as far as it goes, or be refused: never anything else
DAMAGED: dict[str, Files] = {
    **{f"cut at {at}": [*SLICES[:4], ONE[:at], *SLICES[5:]] for at in range(1, len(ONE), STEP)},
    **{f"alone, cut at {at}": [ONE[:at]] for at in range(1, len(ONE), 2 * STEP)},
    **{
        f"length {length:#x} of {tag[0]:04x},{tag[1]:04x}": lengths(tag, length)
        for tag in TAGS
        for length in (0, 0xFFFFFFFE, 0x7FFFFFFF)
    },
    **{f"{depth} sequences, {'closed' if closed else 'open'}": nested(depth, closed)
       for depth in (1, 50, 5000) for closed in (True, False)},
}  # fmt: skip
REFUSED: dict[str, tuple[Files, str]] = {
    "no rows": (valued("US", 0, 0x28, 0x10), "dicom_damaged"),
    "rows lie": (valued("US", 65535, 0x28, 0x10), "dicom_damaged"),
    "no columns": (valued("US", 0, 0x28, 0x11), "dicom_damaged"),
    "columns lie": (valued("US", 65535, 0x28, 0x11), "dicom_damaged"),
    "one row more": (valued("US", 11, 0x28, 0x10), "dicom_damaged"),
    "7 bits": (valued("US", 7, 0x28, 0x100), "dicom_no_image"),
    "64 bits": (valued("US", 64, 0x28, 0x100), "dicom_no_image"),
    "no bits": (valued("US", 0, 0x28, 0x100), "dicom_no_image"),
    "more bits stored than there are": (valued("US", 60, 0x28, 0x101), "dicom_damaged"),
    "neither signed nor not": (valued("US", 9, 0x28, 0x103), "accepted"),
    "colours": (valued("US", 3, 0x28, 0x2), "colour_image"),
    "palette": (valued("CS", "PALETTE COLOR", 0x28, 0x4), "colour_image"),
    "no directions": (valued("DS", "0\\0\\0\\0\\0\\0", 0x20, 0x37), "dicom_no_image"),
    "directions that are one": (valued("DS", "1\\0\\0\\1\\0\\0", 0x20, 0x37), "dicom_no_image"),
    "three directions": (valued("DS", "1\\0\\0", 0x20, 0x37), "dicom_no_image"),
    "directions in words": (valued("DS", "left\\up\\0\\0\\1\\0", 0x20, 0x37), "dicom_no_image"),
    "endless directions": (valued("DS", "inf\\0\\0\\0\\1\\0", 0x20, 0x37), "dicom_no_image"),
    "one direction turned": (lone("DS", "0\\1\\0\\1\\0\\0", 0x20, 0x37), "dicom_missing_slices"),
    "no place": (valued("DS", "", 0x20, 0x32), "dicom_no_image"),
    "all in one place": (valued("DS", "0\\0\\0", 0x20, 0x32), "single_slice"),
    "a place that is none": (valued("DS", "nan\\0\\0", 0x20, 0x32), "dicom_no_image"),
    "a place far away": (lone("DS", "0\\0\\1e30", 0x20, 0x32), "dicom_missing_slices"),
    "spacing 0": (valued("DS", "0\\0", 0x28, 0x30), "dicom_no_image"),
    "spacing below 0": (valued("DS", "-1\\1", 0x28, 0x30), "dicom_no_image"),
    "spacing 1e30": (valued("DS", "1e30\\1", 0x28, 0x30), "bad_affine"),
    "one spacing": (valued("DS", "1", 0x28, 0x30), "dicom_no_image"),
    "spacing in words": (valued("DS", "one\\one", 0x28, 0x30), "dicom_no_image"),
    "scale nan": (valued("DS", "nan", 0x28, 0x1053), "accepted"),
    "scale 0": (valued("DS", "0", 0x28, 0x1053), "accepted"),
    "scale 1e300": (valued("DS", "1e300", 0x28, 0x1053), "bad_scaling"),
    "a million frames": (valued("IS", "1000000", 0x28, 0x8), "dicom_damaged"),
    "frames below 0": (valued("IS", "-1", 0x28, 0x8), "dicom_damaged"),
    "no pixels": (valued("", b"", 0x7FE0, 0x10), "dicom_no_image"),
    "few pixels": (valued("OW", bytes(10), 0x7FE0, 0x10), "dicom_damaged"),
    "few pixels of one": (lone("OW", bytes(10), 0x7FE0, 0x10), "dicom_damaged"),
    "one slice of another size": (lone("US", 6, 0x28, 0x10), "dicom_missing_slices"),
    "one slice of other bits": (lone("US", 8, 0x28, 0x100), "dicom_damaged"),
    "constant": (SERIES.like(values=np.zeros((12, 10, 9), np.int16)).files(), "constant_image"),
    "two slices": (SLICES[:2], "dicom_few_slices"),
    "one slice": (SLICES[:1], "single_slice"),
    "encapsulated without fragments": (SERIES.like(syntax="1.2.840.10008.1.2.4.90").files(), "dicom_damaged"),
    "unknown encoding": (SERIES.like(syntax="1.2.3.4.5.6").files(), "dicom_no_image"),
    "big endian by name": (SERIES.like(syntax="1.2.840.10008.1.2.2").files(), "dicom_damaged"),
    "deflated bomb": (deflated(200), "dicom_damaged"),
    "a structured report": ([part10({}, sop_class="1.2.840.10008.5.1.4.1.1.88.33")] * 9, "dicom_no_image"),
    "the mark alone": ([bytes(128) + b"DICM"], "dicom_no_image"),
    "the mark and zeros": ([bytes(128) + b"DICM" + bytes(4096)], "dicom_no_image"),
    "a deflated set that is none": ([part10({}, "1.2.840.10008.1.2.1.99") + b"\xff" * 99], "dicom_damaged"),
}


def outcome(tmp_path: Path, files: Files) -> str:
    """Return the code by which a series is refused, in this process; "accepted" for a sound scan."""
    paths = []
    for number, content in enumerate(files):
        paths.append(tmp_path / f"{number}.dcm")
        paths[-1].write_bytes(content)
    (tmp_path / "work").mkdir()
    try:
        # as the server does it: what is written by the process that reads is read as a stranger's
        write_stored(tmp_path / "out.nii", next(load(paths, tmp_path / "work", max_bytes=LIMIT)).stored)
        volume = read_stored(tmp_path / "out.nii").to_volume()
    except UserError as error:
        assert error.message.endswith(".") and error.hint.endswith(".")
        return error.code
    assert np.isfinite(volume.data).all()
    return "accepted"


def test_there_are_as_many_as_promised() -> None:
    assert len(DAMAGED) + len(REFUSED) >= 150


@pytest.mark.parametrize("name", DAMAGED)
def test_what_is_damaged_is_read_or_refused(tmp_path: Path, name: str) -> None:
    with little_work():
        outcome(tmp_path, DAMAGED[name])


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused_by_its_code(tmp_path: Path, name: str) -> None:
    files, code = REFUSED[name]
    with little_work():
        assert outcome(tmp_path, files) == code
