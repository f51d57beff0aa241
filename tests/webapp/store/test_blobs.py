from __future__ import annotations

import errno
import hashlib
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.errors import UserError
from tests.buckets import Buckets
from webapp.settings import Settings
from webapp.store.blob_place import open_blobs
from webapp.store.blobs import DAY, Blobs
from webapp.store.folder_blobs import FolderBlobs


@dataclass
class Place:
    """An empty store, and how to see what is in it; parts: the folder of what was written in part."""

    blobs: Blobs
    content: Callable[[], dict[str, bytes]]
    parts: Path

    def names(self) -> set[str]:
        """Return the names of all files, those in the trash included."""
        return {path.rpartition("/")[2] for path in self.content()} | {path.name for path in self.parts.glob("*.part*")}


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty store, of each kind in turn."""
    if request.param == "folder":
        root = tmp_path / "data" / "blobs"
        return Place(open_blobs(Settings(data=tmp_path / "data", disk_reserve_mb=1)), lambda: held(root), root)
    server: Buckets = request.getfixturevalue("buckets")
    bucket = server.empty()
    blobs = open_blobs(Settings(data=tmp_path / "data", disk_reserve_mb=1, blobs=f"s3://{bucket}/of/tests/"))

    def content() -> dict[str, bytes]:
        return {key.removeprefix("of/tests/"): value for key, value in server.content(bucket).items()}

    return Place(blobs, content, tmp_path / "data" / "arriving")


@pytest.fixture
def blobs(place: Place) -> Blobs:
    """The store itself."""
    return place.blobs


def held(root: Path) -> dict[str, bytes]:
    """Return the path below ``root`` -> bytes of each file."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def writer(content: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(content)

    return write


def test_put_keeps_the_bytes(place: Place) -> None:
    blobs = place.blobs
    blob = blobs.put(writer(b"voxels"))
    assert blobs.path(blob.name).read_bytes() == b"voxels"
    assert (blob.sha256, blob.bytes) == (hashlib.sha256(b"voxels").hexdigest(), 6)
    assert place.content() == {f"{blob.name[:2]}/{blob.name}": b"voxels"}
    assert place.names() == {blob.name}


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
def test_a_full_disk_leaves_nothing(place: Place, number: int) -> None:
    def write(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(number, "full")

    with pytest.raises(UserError) as refused:
        place.blobs.put(write)
    assert refused.value.code == "disk_full"
    assert place.names() == set()


def test_a_writer_that_hides_a_full_disk_in_its_own_error(blobs: Blobs) -> None:
    def write(path: Path) -> None:
        raise UserError("write_failed", "No.", "Else.") from OSError(errno.ENOSPC, "full")

    with pytest.raises(UserError) as refused:
        blobs.put(write)
    assert refused.value.code == "disk_full"


def test_the_reserve_is_kept_free(tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        FolderBlobs(tmp_path / "blobs", reserve=1 << 60).put(lambda path: path.touch())
    assert refused.value.code == "disk_full"


def test_the_room_is_what_is_left_above_the_reserve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs = FolderBlobs(tmp_path / "blobs", reserve=1000)
    disk = shutil.disk_usage(tmp_path)
    for free, room in ((0, 0), (999, 0), (1000, 0), (1700, 700)):
        monkeypatch.setattr("webapp.store.blobs.shutil.disk_usage", lambda path, free=free: disk._replace(free=free))
        assert blobs.room() == room


LATER = 2 * DAY


def test_what_is_deleted_is_gone(place: Place, tmp_path: Path) -> None:
    kept, gone = (place.blobs.put(writer(b"voxels")).name for _ in range(2))
    place.blobs.delete(gone)
    place.blobs.delete(gone)
    assert not place.blobs.path(gone).exists() and not place.blobs.lend(gone, tmp_path / "job").exists()
    assert place.names() == {kept}


def test_a_lent_file_has_the_bytes(blobs: Blobs, tmp_path: Path) -> None:
    name = blobs.put(writer(b"voxels")).name
    lent = [blobs.lend(name, tmp_path / "job") for _ in range(2)]
    assert [path.read_bytes() for path in lent] == [b"voxels"] * 2
    near = blobs.near(name)
    assert near is not None and near.read_bytes() == b"voxels"


def test_a_sweep_moves_what_no_row_names_and_a_later_one_brings_it_back(place: Place) -> None:
    blobs = place.blobs
    kept, also, lost = (blobs.put(writer(b"voxels")) for _ in range(3))
    part = place.parts / f"{'0' * 40}.part.nii.gz"
    part.touch()
    assert blobs.sweep({kept.name, also.name}, time.time() + LATER) == 1
    assert not blobs.path(lost.name).exists() and not part.exists()
    assert place.content()[f"trash/{lost.name}"] == b"voxels"
    assert blobs.path(kept.name).exists()
    assert blobs.sweep({kept.name, also.name, lost.name}, time.time() + LATER) == 0
    assert blobs.path(lost.name).read_bytes() == b"voxels"


def test_the_trash_is_emptied_by_age(place: Place) -> None:
    kept, also, lost = (place.blobs.put(writer(b"voxels")) for _ in range(3))
    place.blobs.sweep({kept.name, also.name}, time.time() + LATER)
    place.blobs.empty_trash(time.time() - DAY)
    assert f"trash/{lost.name}" in place.content()
    place.blobs.empty_trash(float("inf"))
    assert place.names() == {kept.name, also.name}


def test_a_sweep_leaves_what_is_younger_than_a_day(place: Place) -> None:
    blobs = place.blobs
    kept, also, fresh = (blobs.put(writer(b"voxels")) for _ in range(3))
    part = place.parts / f"{'0' * 40}.part.nii.gz"
    part.touch()
    # a copy keeps the time of the original, so what counts is when the file came
    os.utime(blobs.path(fresh.name), (0, 0))
    assert blobs.sweep({kept.name, also.name}, time.time() + DAY / 2) == 0
    assert len(place.names()) == 4 and part.exists()


@pytest.mark.parametrize("wanted", [0, 1, 2])
def test_a_sweep_never_moves_most_of_the_store(place: Place, caplog: pytest.LogCaptureFixture, wanted: int) -> None:
    names = [place.blobs.put(writer(b"voxels")).name for _ in range(5)]
    assert place.blobs.sweep(set(names[:wanted]), time.time() + LATER) == 0
    assert place.names() == set(names)
    assert f"{5 - wanted} of 5 stored files have no row" in caplog.text


def test_a_folder_elsewhere_takes_files_of_another_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs = open_blobs(Settings(data=tmp_path / "data", blobs=f"file://{tmp_path}/else%20where"))
    assert blobs.root == tmp_path / "else where"
    source, stat = tmp_path / "run.json", Path.stat

    def other_disk(path: Path, **options: bool) -> object:
        found = stat(path, **options)
        return os.stat_result((*found[:2], found.st_dev + 1, *found[3:])) if path == source else found

    source.write_text("{}")
    monkeypatch.setattr(Path, "stat", other_disk)
    blob = blobs.adopt(source)
    monkeypatch.undo()
    assert blobs.path(blob.name).read_text() == "{}" and not source.exists()
    assert list(held(blobs.root)) == [f"{blob.name[:2]}/{blob.name}"]
