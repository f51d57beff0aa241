from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import UserError
from webapp.store.blobs import Blobs


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


def test_sweep_removes_what_no_row_names(blobs: Blobs) -> None:
    kept, lost = (blobs.put(lambda path: path.touch()) for _ in range(2))
    (blobs.root / f"{'0' * 40}.part.nii.gz").touch()
    assert blobs.sweep({kept.name}) == 2
    assert files(blobs) == [blobs.path(kept.name)]
    assert not blobs.path(lost.name).exists()
