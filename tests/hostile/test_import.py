"""Zips and scans of other formats that must be refused, each by its one code."""

from __future__ import annotations

import gzip
import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import UserError
from core.files.convert import to_nifti
from core.files.scan_finder import load
from tests.core.files.grids import grid_affine, random_values
from tests.core.files.test_nrrd_mha import RAW, mgh, mha, nrrd
from tests.dicom_files import Series
from tests.enhanced_files import Enhanced
from tests.hostile.corpus import blown_up, scan, zipped
from tests.spent import little_work
from tests.waiting import LONGEST

SERIES = Series(random_values("i2", shape=(20, 18, 12)), grid_affine((0, 1, 2), (True, True, False), (1.0, 1.0, 2.0)))
LIMIT = 17 << 20
ELSEWHERE = "/etc/passwd"


def pack(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of ``files``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _linked() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, ELSEWHERE)
    return buffer.getvalue()


def _patched(data: bytes, mark: bytes, at: int, new: bytes) -> bytes:
    """Return a zip with ``new`` at ``at`` bytes behind each ``mark`` (a local or central header's signature)."""
    changed = bytearray(data)
    start = -1
    while (start := changed.find(mark, start + 1)) >= 0:
        changed[start + at : start + at + len(new)] = new
    return bytes(changed)


def _overlapping() -> bytes:
    """Return a zip both members of which point to the same bytes."""
    data = bytearray(pack({"a": scan(), "b": scan()}))
    second = data.rfind(b"PK\1\2")
    data[second + 42 : second + 46] = bytes(4)
    return bytes(data)


LOCAL, CENTRAL = b"PK\3\4", b"PK\1\2"
ENCRYPTED = _patched(_patched(pack({"a.nii": scan()}), LOCAL, 6, b"\1\0"), CENTRAL, 8, b"\1\0")
BZIP2 = pack({"a.nii": scan()}, zipfile.ZIP_BZIP2)
WRONG_SUM = _patched(pack({"a.nii": scan()}), CENTRAL, 16, b"\0\0\0\0")
LIE = _patched(pack({"a.nii": scan()}), CENTRAL, 24, struct.pack("<I", 10))


def _twice() -> bytes:
    """Return a zip with two members of one name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        for _ in range(2):
            archive.writestr("a.nii", scan())
    return buffer.getvalue()


def _raw_named(name: bytes) -> bytes:
    """Return a zip whose one member has a name of these bytes, as no library writes it."""
    data = pack({"X" * len(name): scan()})
    return data.replace(b"X" * len(name), name)


def _long_sizes(size: int) -> bytes:
    """Return a zip whose list states the size of a member in the long form (APPNOTE 4.5.3)."""
    data = bytearray(pack({"a.nii": scan()}))
    at = data.rfind(CENTRAL)
    extra = struct.pack("<HHQ", 1, 8, size)
    data[at + 24 : at + 28] = struct.pack("<I", 0xFFFFFFFF)
    data[at + 30 : at + 32] = struct.pack("<H", len(extra))
    data[at + 46 + 5 : at + 46 + 5] = extra
    end = data.rfind(b"PK\5\6")
    (listed,) = struct.unpack_from("<I", data, end + 12)
    data[end + 12 : end + 16] = struct.pack("<I", listed + len(extra))
    return bytes(data)


# a file, or what makes a large one: every process of tests reads these tables, one needs the files
Content = bytes | Callable[[], bytes]
ZIPS: dict[str, tuple[Content, str]] = {
    "traversal": (pack({"../../evil.nii": scan()}), "zip_unsafe"),
    "traversal_backslash": (pack({"..\\evil.nii": scan()}), "zip_unsafe"),
    "absolute": (pack({"/tmp/evil.nii": scan()}), "zip_unsafe"),
    "drive": (pack({"C:\\evil.nii": scan()}), "zip_unsafe"),
    "symlink": (_linked(), "zip_unsafe"),
    "overlap": (_overlapping(), "zip_unsafe"),
    "encrypted": (ENCRYPTED, "zip_encrypted"),
    "bzip2": (BZIP2, "zip_method"),
    "checksum": (WRONG_SUM, "zip_damaged"),
    "size_lie": (LIE, "zip_damaged"),
    "cut": (pack({"a.nii": scan()})[:-30], "zip_damaged"),
    "empty": (pack({}), "no_scan_found"),
    "only_litter": (pack({"__MACOSX/._a.nii": scan(), ".DS_Store": b"x", "DICOMDIR": b"x"}), "no_scan_found"),
    "jpegs": (pack({f"{n}.jpg": b"\xff\xd8\xff\xe0" + bytes(99) for n in range(4)}), "no_scan_found"),
    "nested": (pack({"inner.zip": pack({"a.nii": scan()})}), "no_scan_found"),
    "many": (lambda: pack({str(n): b"" for n in range(5001)}), "too_many_files"),
    "bomb": (lambda: pack({"a.nii": bytes(66 << 20)}), "compressed_too_much"),
    "too_much": (lambda: pack({"a.nii": bytes(69 << 20)}), "too_many_bytes"),
    "two_scans": (pack({"a.nii": scan(), "b.nii.gz": zipped(scan())}), "several_scans"),
    "scan_and_dicom": (pack({"a.nii": scan(), "b": SERIES.files()[0]}), "several_scans"),
    "zero_in_name": (_raw_named(b"a\0../x"), "zip_unsafe"),
    "only_dots": (pack({"..": scan()}), "zip_unsafe"),
    "climbs_later": (pack({"a/b/../../../x.nii": scan()}), "zip_unsafe"),
    "share": (pack({"\\\\host\\share\\a.nii": scan()}), "zip_unsafe"),
    "stream": (pack({"a:b.nii": scan()}), "zip_unsafe"),
    "deflate64": (_patched(_patched(pack({"a.nii": scan()}), LOCAL, 8, b"\t\0"), CENTRAL, 10, b"\t\0"), "zip_method"),
    "lzma": (pack({"a.nii": scan()}, zipfile.ZIP_LZMA), "zip_method"),
    "long_size_lie": (_long_sizes(1 << 62), "too_many_bytes"),
    "long_size_wrong": (_long_sizes(10), "zip_damaged"),
    "points_beyond": (_patched(pack({"a.nii": scan()}), CENTRAL, 42, b"\xff\xff\xff\x7f"), "zip_damaged"),
    "local_name_differs": (pack({"a.nii": scan()}).replace(b"a.nii", b"b.nii", 1), "zip_damaged"),
    "packed_garbage": (_patched(pack({"a.nii": bytes(4096)}), LOCAL, 35, b"\xff\xff\xff\xff"), "zip_damaged"),
    "no_list": (pack({"a.nii": scan()}).partition(CENTRAL)[0], "zip_damaged"),
    "list_alone": (b"PK\3\4" + CENTRAL + pack({"a.nii": scan()}).partition(CENTRAL)[2], "zip_unsafe"),
    "deep_folders": (pack({"a/" * 2000 + "a.txt": b"text"}), "no_scan_found"),
    "65536_empty": (lambda: pack({f"{n:05}": b"" for n in range(65_536)}), "too_many_files"),
    "same_name_twice": (_twice(), "several_scans"),
    "nested_many": (pack({"a.zip": pack({"b.zip": pack({"c.zip": pack({"d.nii": scan()})})})}), "no_scan_found"),
    "office": (pack({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"}), "no_scan_found"),
    "pair": (pack({"a.hdr": scan(magic=b"ni1"), "a.img": RAW}), "nifti_pair"),
}  # fmt: skip
TEXTS: dict[str, tuple[Content, str]] = {
    "nrrd_data_file": (nrrd(b"", f"data file: {ELSEWHERE}"), "detached_data"),
    "nrrd_datafile": (nrrd(RAW, f"DataFile: {ELSEWHERE}"), "detached_data"),
    "nrrd_data_file_list": (nrrd(RAW, "data  FILE: LIST", ELSEWHERE), "detached_data"),
    "nrrd_header_without_end": (nrrd(b"", "data file: scan.raw").rstrip(b"\n"), "detached_data"),
    "nrrd_return_before_data_file": (nrrd(RAW, f"old min: 0\rdata file: {ELSEWHERE}"), "accepted"),
    "nrrd_cut": (nrrd(RAW[:-1]), "data_truncated"),
    "nrrd_gzip_cut": (nrrd(gzip.compress(RAW)[:-9], encoding="gzip"), "data_truncated"),
    "nrrd_gzip_checksum": (nrrd(gzip.compress(RAW)[:-8] + bytes(8), encoding="gzip"), "data_damaged"),
    "nrrd_gzip_short": (nrrd(gzip.compress(RAW[:100]), encoding="gzip"), "data_truncated"),
    "nrrd_hex": (nrrd(RAW.hex().encode(), encoding="hex"), "unsupported_encoding"),
    "nrrd_ascii": (nrrd(b"1 2 3", encoding="ascii"), "unsupported_encoding"),
    "nrrd_bzip2": (nrrd(RAW, encoding="bzip2"), "unsupported_encoding"),
    "nrrd_byte_skip": (nrrd(RAW, "byte skip: 999999999999"), "unsupported_encoding"),
    "nrrd_line_skip": (nrrd(RAW, "line skip: 3"), "unsupported_encoding"),
    "nrrd_block": (nrrd(RAW, type="block"), "unsupported_type"),
    "nrrd_type_with_line": (nrrd(RAW, type="short\rdata file: /etc/passwd"), "unsupported_type"),
    "nrrd_4d": (nrrd(RAW, dimension="4", sizes="3 10 9 8"), "volume_4d"),
    "nrrd_2d": (nrrd(RAW, dimension="2", sizes="30 24"), "single_slice"),
    "nrrd_huge": (nrrd(RAW, sizes="4000000000 4000000000 4000000000"), "too_many_voxels"),
    "nrrd_negative": (nrrd(RAW, sizes="10 -9 8"), "bad_dimensions"),
    "nrrd_no_sizes": (nrrd(RAW, sizes=None), "bad_header"),
    "nrrd_no_space": (nrrd(RAW, space=None), "no_orientation"),
    "nrrd_unknown_space": (nrrd(RAW, space="scanner-xyz"), "no_orientation"),
    "nrrd_spacings": (nrrd(RAW, "spacings: 1 1 1", space_directions=None), "no_orientation"),
    "nrrd_flat": (nrrd(RAW, space_directions="(1,0,0) (2,0,0) (0,0,1)"), "bad_affine"),
    "nrrd_no_end": (b"NRRD0005\n" + b"a: b\n" * 20_000, "bad_header"),
    "nrrd_only": (b"NRRD", "bad_header"),
    "nrrd_tiny_voxels": (nrrd(RAW, space_directions="(0.001,0,0) (0,1,0) (0,0,1)"), "bad_voxel_size"),
    "mha_elsewhere": (mha(ElementDataFile=ELSEWHERE), "detached_data"),
    "mha_list": (mha(ElementDataFile="LIST"), "detached_data"),
    "mha_pattern": (mha(ElementDataFile="%03d.raw 1 3 1"), "detached_data"),
    "mha_case": (mha(ElementDataFile="local"), "detached_data"),
    "mha_cut": (mha(RAW[:-1]), "data_truncated"),
    "mha_packed_cut": (mha(zlib.compress(RAW)[:-9], CompressedData="True"), "data_truncated"),
    "mha_packed_checksum": (mha(zlib.compress(RAW)[:-4] + bytes(4), CompressedData="True"), "data_damaged"),
    "mha_4d": (mha(NDims="4", DimSize="10 9 8 3"), "volume_4d"),
    "mha_channels": (mha(ElementNumberOfChannels="3"), "colour_image"),
    "mha_text": (mha(BinaryData="False"), "unsupported_encoding"),
    "mha_header_size": (mha(HeaderSize="100"), "unsupported_encoding"),
    "mha_type": (mha(ElementType="MET_STRING"), "unsupported_type"),
    "mha_no_matrix": (mha(TransformMatrix=None), "no_orientation"),
    "mha_singular": (mha(TransformMatrix="0 0 0 0 0 0 0 0 0"), "bad_affine"),
    "mha_no_data": (b"ObjectType = Image\nNDims = 3\n", "bad_header"),
    "mgz_bomb": (lambda: blown_up(mgh(b"", size=(16, 16, 16, 1)), 512), "data_longer"),
    "mgz_cut": (gzip.compress(mgh())[:-9], "gzip_truncated"),
    "mgh_4d": (mgh(size=(10, 9, 8, 200)), "volume_4d"),
}  # fmt: skip


def _made(content: Content) -> bytes:
    return content if isinstance(content, bytes) else content()


def _enhanced() -> bytes:
    """Return an Enhanced MR file of one volume."""
    with TemporaryDirectory() as folder:
        return Enhanced(SERIES.values[..., np.newaxis], SERIES.affine).write(Path(folder) / "a").read_bytes()


def outcome(path: Path, work: Path) -> str:
    """Return the code by which the file is refused, in this process; "accepted" for a sound scan."""
    work.mkdir(exist_ok=True)
    try:
        next(load([path], work, max_bytes=LIMIT))
    except UserError as error:
        assert error.message.endswith(".") and error.hint.endswith(".")
        return error.code
    return "accepted"


@pytest.mark.parametrize("name", ZIPS)
def test_zips(tmp_path: Path, name: str) -> None:
    data, code = ZIPS[name]
    (tmp_path / "a.zip").write_bytes(_made(data))
    with little_work():
        assert outcome(tmp_path / "a.zip", tmp_path / "work") == code
    assert {path.name for path in tmp_path.iterdir()} == {"a.zip", "work"}


@pytest.mark.parametrize("name", TEXTS)
def test_single_files(tmp_path: Path, name: str) -> None:
    data, code = TEXTS[name]
    (tmp_path / "a").write_bytes(_made(data))
    with little_work():
        assert outcome(tmp_path / "a", tmp_path / "work") == code


@pytest.mark.parametrize("name", ["nrrd_data_file", "nrrd_datafile", "nrrd_return_before_data_file", "mha_elsewhere"])
def test_no_other_file_is_ever_opened(tmp_path: Path, name: str) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "a").write_bytes(_made(TEXTS[name][0]).replace(ELSEWHERE.encode(), str(pipe).encode()))
    try:
        # whoever opens a pipe that nobody writes to waits for ever
        to_nifti([tmp_path / "a"], tmp_path / "out.nii", seconds=int(LONGEST))
        code = "accepted"
    except UserError as error:
        code = error.code
    assert code == TEXTS[name][1]


SEEDS = {
    "enhanced": _enhanced(),
    "bare dicom": SERIES.files()[0][132:],
    "gzip of dicom": gzip.compress(SERIES.files()[0]),
    "nrrd": nrrd(),
    "nrrd_gzip": nrrd(gzip.compress(RAW), encoding="gzip"),
    "mha": mha(),
    "mgh": mgh(),
    "dicom": SERIES.files()[0],
    "zip": pack({"a.nii": scan(), "b.txt": b"text"}),
}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    seed=st.sampled_from(sorted(SEEDS)),
    changes=st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), min_size=1, max_size=4),
    keep=st.floats(0.05, 1),
)
def test_changed_bytes(tmp_path: Path, seed: str, changes: list[tuple[int, int]], keep: float) -> None:
    data = bytearray(SEEDS[seed])
    for place, value in changes:
        data[place % min(len(data), 6000 if seed == "enhanced" else 600)] = value
    (tmp_path / "a").write_bytes(data[: max(1, int(2 * keep * len(data)))])
    outcome(tmp_path / "a", tmp_path / "work")
    rmtree(tmp_path / "work")
