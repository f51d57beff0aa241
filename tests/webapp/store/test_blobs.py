from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import UserError
from webapp.store.blobs import DAY, Blobs


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    """An empty store."""
    return Blobs(tmp_path / "blobs")


def files(blobs: Blobs) -> list[Path]:
    return [path for path in blobs.root.rglob("*") if path.is_file()]


def writer(content: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(content)

    return write


def test_put_keeps_the_bytes(blobs: Blobs) -> None:
    blob = blobs.put(writer(b"voxels"))
    assert blobs.path(blob.name).read_bytes() == b"voxels"
    assert (blob.sha256, blob.bytes) == (hashlib.sha256(b"voxels").hexdigest(), 6)
    assert files(blobs) == [blobs.path(blob.name)]


@pytest.mark.parametrize("name", ["run.json", "report.html", "result.nii.gz"])
def test_adopt_moves_the_file(blobs: Blobs, tmp_path: Path, name: str) -> None:
    source = tmp_path / name
    source.write_text("{}")
    blob = blobs.adopt(source)
    assert blob.name.endswith(name[name.index(".") :]) and blobs.path(blob.name).read_text() == "{}"
    assert not source.exists()


def test_two_puts_of_the_same_bytes_have_two_names(blobs: Blobs) -> None:
    first, second = (blobs.put(writer(b"x")) for _ in range(2))
    assert first.name != second.name and first.sha256 == second.sha256


@pytest.mark.parametrize("name", ["", "../x", "a" * 40, "a" * 40 + ".nii.gz/..", "A" * 40 + ".nii.gz", "/etc/passwd"])
def test_only_names_of_blobs_become_paths(blobs: Blobs, name: str) -> None:
    with pytest.raises(ValueError, match="not the name"):
        blobs.path(name)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_leaves_nothing(blobs: Blobs, number: int) -> None:
    def write(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(number, "full")

    with pytest.raises(UserError) as refused:
        blobs.put(write)
    assert refused.value.code == "disk_full"
    assert files(blobs) == []


def test_a_writer_that_hides_a_full_disk_in_its_own_error(blobs: Blobs) -> None:
    def write(path: Path) -> None:
        raise UserError("write_failed", "No.", "Else.") from OSError(errno.ENOSPC, "full")

    with pytest.raises(UserError) as refused:
        blobs.put(write)
    assert refused.value.code == "disk_full"


def test_the_reserve_is_kept_free(tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        Blobs(tmp_path / "blobs", reserve=1 << 60).put(lambda path: path.touch())
    assert refused.value.code == "disk_full"


LATER = 2 * DAY


def test_a_sweep_moves_what_no_row_names_and_a_later_one_brings_it_back(blobs: Blobs) -> None:
    kept, also, lost = (blobs.put(writer(b"voxels")) for _ in range(3))
    part = blobs.root / f"{'0' * 40}.part.nii.gz"
    part.touch()
    assert blobs.sweep({kept.name, also.name}, time.time() + LATER) == 1
    assert not blobs.path(lost.name).exists() and not part.exists()
    assert (blobs.root / "trash" / lost.name).read_bytes() == b"voxels"
    assert blobs.path(kept.name).exists()
    assert blobs.sweep({kept.name, also.name, lost.name}, time.time() + LATER) == 0
    assert blobs.path(lost.name).read_bytes() == b"voxels"


def test_a_sweep_leaves_what_is_younger_than_a_day(blobs: Blobs) -> None:
    kept, also, fresh = (blobs.put(writer(b"voxels")) for _ in range(3))
    part = blobs.root / f"{'0' * 40}.part.nii.gz"
    part.touch()
    # a copy keeps the time of the original, so what counts is when the file came
    os.utime(blobs.path(fresh.name), (0, 0))
    assert blobs.sweep({kept.name, also.name}, time.time() + DAY / 2) == 0
    assert len(files(blobs)) == 4 and part.exists()


@pytest.mark.parametrize("wanted", [0, 1, 2])
def test_a_sweep_never_moves_most_of_the_store(blobs: Blobs, caplog: pytest.LogCaptureFixture, wanted: int) -> None:
    names = [blobs.put(writer(b"voxels")).name for _ in range(5)]
    assert blobs.sweep(set(names[:wanted]), time.time() + LATER) == 0
    assert {path.name for path in files(blobs)} == set(names)
    assert f"{5 - wanted} of 5 stored files have no row" in caplog.text
