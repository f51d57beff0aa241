"""Zips that are traps: a list of files that fills the memory, and names that are none."""

from __future__ import annotations

import errno
import struct
import zipfile
from pathlib import Path

import pytest

from core.errors import UserError
from core.files.archive import file_names, open_zip, unpack, unpack_all

LOCAL = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, 1, 0) + b"a"
ENTRY = struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
HUGE = 800_000
# what the short record states where the long one counts
LONG = 0xFFFFFFFF


def end_of(count: int, size: int, comment: bytes = b"") -> bytes:
    few = min(count, 0xFFFF)
    return struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, few, few, size, len(LOCAL), len(comment)) + comment


def long_end_of(count: int, size: int) -> bytes:
    at = len(LOCAL) + size
    record = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, len(LOCAL))
    return record + struct.pack("<4sIQI", b"PK\6\7", 0, at, 1) + end_of(count, LONG)


@pytest.mark.parametrize("ending", [end_of, lambda count, size: end_of(count, size, b"a comment"), long_end_of])
def test_a_zip_with_an_endless_list_of_files_is_refused_unread(tmp_path: Path, ending: object) -> None:
    assert callable(ending)
    path = tmp_path / "many.zip"
    for count, refused in ((1, False), (HUGE, True)):
        path.write_bytes(LOCAL + ENTRY * count + ending(count, len(ENTRY) * count))
        if not refused:
            with open_zip(path) as archive:
                assert archive.namelist() == ["a"]
            continue
        for look in (
            file_names,
            lambda path: unpack(path, tmp_path / "out", max_bytes=1),
            lambda path: unpack_all(path, tmp_path / "out", max_bytes=1),
        ):
            with pytest.raises(UserError) as caught:
                look(path)
            assert caught.value.code == "too_many_files"


@pytest.mark.parametrize("content", [b"", b"PK\5\6", b"PK\5\6" * 9, b"\0" * 30])
def test_what_is_no_zip_is_opened_as_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "no.zip"
    path.write_bytes(content)
    with pytest.raises(zipfile.BadZipFile):
        open_zip(path)


def test_a_disk_that_fills_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> bytes:
        raise OSError(errno.ENOSPC, "no space")

    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("a.nii", b"0")
    monkeypatch.setattr("core.files.archive._pieces", full)
    with pytest.raises(UserError) as caught:
        unpack_all(path, tmp_path / "out", max_bytes=9)
    assert caught.value.code == "disk_full"


@pytest.mark.parametrize("name", ["a" * 290 + ".nii", "\u00fc" * 130 + ".nii", "a/" + "b" * 260])
def test_a_name_that_no_disk_takes_is_refused_by_what_it_is(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as out:
        out.writestr(name, b"0")
    with pytest.raises(UserError) as caught:
        unpack_all(path, tmp_path / "out", max_bytes=9)
    assert caught.value.code == "zip_unsafe"


@pytest.mark.parametrize("name", [".", "./."])
def test_a_file_without_a_name_is_left_out(tmp_path: Path, name: str) -> None:
    path = tmp_path / "dot.zip"
    with zipfile.ZipFile(path, "w") as out:
        out.writestr(name, b"x")
        out.writestr("a.nii", b"y")
    assert list(unpack_all(path, tmp_path / "out", max_bytes=9)) == ["a.nii"] == file_names(path)


def test_a_colon_in_a_name_is_the_slash_of_a_mac(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    names = ["12:03:2021/T1 1:2.nii", "T2: axial.nii"]
    with zipfile.ZipFile(path, "w") as out:
        for name in names:
            out.writestr(name, b"0")
    assert list(unpack_all(path, tmp_path / "out", max_bytes=9)) == names
