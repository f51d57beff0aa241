"""Files in a bucket: versions, copies on this machine, and a bucket that is away or breaks off."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.config import Config

from core.errors import UserError
from tests.buckets import Buckets
from webapp.settings import Settings
from webapp.store import bucket_blobs
from webapp.store.blob_cache import GRACE, BlobCache
from webapp.store.blob_place import open_blobs
from webapp.store.blobs import Blobs, StorageAway


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """One try of a request, so that a test of the tries of a transfer counts those alone."""
    made = bucket_blobs._config
    monkeypatch.setattr(bucket_blobs, "_config", lambda: made().merge(SINGLE))


SINGLE = Config(retries={"mode": "standard", "total_max_attempts": 1}, read_timeout=2)


@pytest.fixture
def bucket(buckets: Buckets) -> str:
    """An empty bucket that keeps no versions."""
    return buckets.empty()


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., Blobs]:
    """Opens the bucket of that name from a server of its own, ``opened(bucket, "server")``."""

    def of(bucket: str, server: str = "data") -> Blobs:
        return open_blobs(Settings(data=tmp_path / server, blobs=f"s3://{bucket}", disk_reserve_mb=1))

    return of


def put(blobs: Blobs, content: bytes = b"voxels") -> str:
    def write(path: Path) -> None:
        path.write_bytes(content)

    return blobs.put(write, ".nii").name


def local(folder: Path) -> set[str]:
    """Return the names of all files of the servers of a test."""
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_a_deletion_takes_every_version_and_the_copy(
    buckets: Buckets, opened: Callable[..., Blobs], tmp_path: Path
) -> None:
    bucket = buckets.empty(versions=True)
    blobs = opened(bucket)
    kept, gone = put(blobs), put(blobs)
    # as a repeated request writes it
    buckets.client.put_object(Bucket=bucket, Key=f"{gone[:2]}/{gone}", Body=b"voxels")
    blobs.delete(gone)
    assert buckets.versions(bucket) == [f"{kept[:2]}/{kept}"]
    assert local(tmp_path) == {kept}


def test_another_server_reads_the_same_bytes_and_forgets_what_was_deleted(
    bucket: str, opened: Callable[..., Blobs]
) -> None:
    one, other = opened(bucket, "one"), opened(bucket, "other")
    name = put(one, os.urandom(3 << 20))
    assert other.near(name) is None
    assert other.path(name).read_bytes() == one.path(name).read_bytes()
    one.delete(name)
    assert list(other.copies()) == [name]
    other.forget([name])
    assert not other.path(name).exists() and not other.copies()


@pytest.mark.parametrize("breaks", [1, 2])
def test_a_read_that_breaks_off_is_begun_anew(
    buckets: Buckets, bucket: str, opened: Callable[..., Blobs], breaks: int
) -> None:
    content = os.urandom(2 << 20)
    name, reader = put(opened(bucket, "one"), content), opened(bucket, "other")
    buckets.way.breaks, buckets.way.after = breaks, 1 << 20
    assert reader.path(name).read_bytes() == content


def test_a_bucket_that_goes_on_breaking_off_is_away(
    buckets: Buckets, bucket: str, opened: Callable[..., Blobs], tmp_path: Path
) -> None:
    name, reader = put(opened(bucket, "one"), os.urandom(2 << 20)), opened(bucket, "other")
    buckets.way.breaks, buckets.way.after = 99, 1 << 20
    with pytest.raises(StorageAway) as refused:
        reader.path(name)
    assert refused.value.message == "The storage of this server does not answer."
    assert local(tmp_path / "other") == set()
    buckets.way.breaks = 0
    assert reader.path(name).is_file()


@pytest.mark.parametrize("closed", [True, False], ids=["away", "breaks off"])
def test_what_cannot_be_written_stays_where_it_was(
    buckets: Buckets, bucket: str, opened: Callable[..., Blobs], tmp_path: Path, closed: bool
) -> None:
    blobs, source, content = opened(bucket), tmp_path / "result.nii", os.urandom(2 << 20)
    source.write_bytes(content)
    buckets.way.closed = closed
    buckets.way.breaks, buckets.way.after = 99, 1 << 20
    with pytest.raises(StorageAway):
        blobs.adopt(source)
    with pytest.raises(StorageAway):
        put(blobs, content)
    assert local(tmp_path) == {"result.nii"} and source.read_bytes() == content
    buckets.way.closed, buckets.way.breaks = False, 0
    assert blobs.path(blobs.adopt(source).name).read_bytes() == content
    assert not source.exists()


def test_bytes_that_changed_in_the_bucket_are_refused(
    buckets: Buckets, bucket: str, opened: Callable[..., Blobs], caplog: pytest.LogCaptureFixture
) -> None:
    name = put(opened(bucket, "one"))
    key, reader = f"{name[:2]}/{name}", opened(bucket, "other")
    state = buckets.client.head_object(Bucket=bucket, Key=key)
    buckets.client.put_object(Bucket=bucket, Key=key, Body=b"others", Metadata=state["Metadata"])
    with pytest.raises(UserError) as refused:
        reader.path(name)
    assert refused.value.code == "stored_damaged" and key in caplog.text
    assert not reader.copies()


def test_a_lent_file_outlives_its_copy(bucket: str, opened: Callable[..., Blobs], tmp_path: Path) -> None:
    blobs = opened(bucket)
    name = put(blobs)
    lent = blobs.lend(name, tmp_path / "job")
    blobs.delete(name)
    assert lent.read_bytes() == b"voxels" and lent.parent == tmp_path / "job"


def test_the_copies_used_last_are_kept(tmp_path: Path) -> None:
    moment = [1e9]
    cache = BlobCache(tmp_path / "copies", 25, lambda: moment[0])
    names = [f"{number}" * 40 + ".nii" for number in range(4)]
    for name in names[:3]:
        part = tmp_path / "part"
        part.write_bytes(b"ten bytes.")
        cache.keep(part, name)
        moment[0] += 60
    # all were used a short while ago: whoever was handed one may still be about to open it
    assert set(cache.names()) == set(names[:3])
    moment[0] += GRACE
    assert cache.use(names[0])
    (tmp_path / "part").write_bytes(b"ten bytes.")
    cache.keep(tmp_path / "part", names[3])
    assert set(cache.names()) == {names[0], names[3]}
    moment[0] += 2 * GRACE
    cache.shrink(free=1 << 60)
    assert set(cache.names()) == set()


def test_copies_make_room_where_the_disk_is_nearly_full(bucket: str, tmp_path: Path) -> None:
    blobs = open_blobs(Settings(data=tmp_path, blobs=f"s3://{bucket}", disk_reserve_mb=1 << 40))
    part = tmp_path / "part"
    part.write_bytes(b"voxels")
    cache = BlobCache(tmp_path / "copies", 1 << 20, lambda: time.time() - 2 * GRACE)
    cache.keep(part, "0" * 40 + ".nii")
    with pytest.raises(UserError, match="disk_full"):
        blobs.require_room()
    assert not blobs.copies()


@pytest.mark.parametrize("address", ["s3://", "gs://bucket", "bucket", "file://host/folder", "file:///", "s3://b/?x=1"])
def test_an_address_that_is_no_place_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(UserError) as refused:
        open_blobs(Settings(data=tmp_path, blobs=address))
    assert refused.value.code == "bad_setting" and "COUNTERSCAN_BLOBS" in refused.value.message


def test_a_bucket_that_is_not_there_is_refused_at_the_start(buckets: Buckets, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no-such-bucket cannot be used \(NoSuchBucket\)") as refused:
        open_blobs(Settings(data=tmp_path, blobs="s3://no-such-bucket"))
    assert refused.value.code == "storage_away"
    assert "AWS_ENDPOINT_URL_S3" in refused.value.hint


def test_without_the_package_a_sentence_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "webapp.store.bucket_blobs")
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(UserError) as refused:
        open_blobs(Settings(data=tmp_path, blobs="s3://bucket"))
    assert refused.value.code == "not_installed" and "counterscan[s3]" in refused.value.hint
