"""Stored files in a bucket of S3 or of a store like it, with copies of those in use on this machine."""

from __future__ import annotations

import base64
import hashlib
import logging
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from core.errors import UserError
from webapp.store.blob_cache import BlobCache
from webapp.store.blobs import NAME, TRASH, Blob, Blobs, Held, StorageAway, refusal, require_name

# tries of one request, and of one transfer that breaks off; seconds for a connection, and without a byte
TRIES, CONNECT, SILENCE = 3, 5, 30
CHUNK = 1 << 20
DIGEST = "sha256"
ABSENT = ("404", "NoSuchKey", "NotFound")
# files that are fetched at the same time without waiting for each other, whatever their names
LOCKS = 64

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bucket:
    """A bucket, and what every key of the store begins with, which is nothing or ends with a slash."""

    name: str
    prefix: str


class BucketBlobs(Blobs):
    """The objects of a bucket, under the keys that FolderBlobs has as paths; ``root`` holds what is on its way in.

    Where the bucket keeps versions, a deletion removes all of them. Access and endpoint are those of the environment
    (``AWS_ACCESS_KEY_ID``, ``AWS_ENDPOINT_URL_S3`` ...).
    """

    def __init__(self, bucket: Bucket, root: Path, cache: BlobCache, *, reserve: int = 0) -> None:
        super().__init__(root, reserve=reserve)
        self._bucket = bucket
        self._cache = cache
        self._locks = [threading.Lock() for _ in range(LOCKS)]
        with _answering():
            self._client = boto3.client("s3", config=_config())

    def path(self, name: str) -> Path:
        """Return the copy of a blob, fetched if need be; it stays for GRACE seconds at least."""
        if not self._cache.use(name):
            with self._locks[int(name[:8], 16) % LOCKS]:
                if not self._cache.use(name):
                    self._fetch(name)
        return self._cache.place(name)

    def near(self, name: str) -> Path | None:
        """Return the copy of a blob, None where there is none."""
        return self._cache.place(name) if self._cache.use(name) else None

    def lend(self, name: str, folder: Path) -> Path:
        """Return a second name of the copy, in ``folder``."""
        for _ in range(TRIES):
            if not self.path(name).exists():
                break
            if (lent := self._cache.lend(name, folder)) is not None:
                return lent
        return folder / require_name(name)

    def delete(self, name: str) -> None:
        """Remove a blob with all its versions, and the copy on this machine."""
        self._cache.drop(name)
        self._remove(self._key(name))

    def empty_trash(self, oldest: float) -> None:
        """Delete what has lain in the trash since before ``oldest``, in seconds since 1970."""
        for held in list(self._trashed()):
            if held.since < oldest:
                self._remove(self._trash_key(held.name))

    def check(self) -> None:
        """Raise StorageAway unless the bucket is there and may be listed."""
        with _answering():
            self._client.list_objects_v2(Bucket=self._bucket.name, Prefix=self._bucket.prefix, MaxKeys=1)

    def copies(self) -> Collection[str]:
        """Return the names of the blobs of which this machine has a copy."""
        return self._cache.names()

    def forget(self, names: Iterable[str]) -> None:
        """Remove copies."""
        for name in names:
            self._cache.drop(name)

    def _lacks(self, size: int) -> bool:
        if super()._lacks(size):
            self._cache.shrink(self._reserve + size)
        return super()._lacks(size)

    def _settle(self, source: Path, suffix: str) -> Blob:
        name = self.fresh_name() + suffix
        with source.open("rb") as file:
            digest = hashlib.file_digest(file, DIGEST)
            file.seek(0)
            # one request: the object is there whole or not at all, and the store compares the sha256 where it can
            with _answering():
                self._client.put_object(
                    Bucket=self._bucket.name,
                    Key=self._key(name),
                    Body=file,
                    Metadata={DIGEST: digest.hexdigest()},
                    ChecksumSHA256=base64.b64encode(digest.digest()).decode(),
                )
            size = file.tell()
        if source.stat().st_dev == self.root.stat().st_dev:
            self._cache.keep(source, name)
        else:
            source.unlink()
        return Blob(name, digest.hexdigest(), size)

    def _fetch(self, name: str) -> None:
        """Copy a blob to this machine; nothing is there afterwards if the bucket has none."""
        self.require_room()
        part = self._part("")
        try:
            for left in reversed(range(TRIES)):
                try:
                    with _answering():
                        whole = self._download(self._key(name), part)
                except StorageAway:
                    if not left:
                        raise
                    continue
                if whole is None:
                    return
                if whole:
                    self._cache.keep(part, name)
                    return
            raise UserError(
                "stored_damaged",
                "A stored file is not the one that was stored.",
                "Upload the scan again, or run the job again; whoever runs the server finds the file in the log.",
            )
        except OSError as error:
            raise refusal(error) from error
        finally:
            part.unlink(missing_ok=True)

    def _download(self, key: str, target: Path) -> bool | None:
        """Return whether the bytes are those that were stored; None where there is no such object."""
        try:
            found = self._client.get_object(Bucket=self._bucket.name, Key=key)
        except ClientError as error:
            if _code(error) in ABSENT:
                return None
            raise
        digest = hashlib.sha256()
        # as a context of its own it would be the bare stream, which takes a short body for a whole one
        with closing(found["Body"]) as body, target.open("wb") as file:
            while chunk := body.read(CHUNK):
                digest.update(chunk)
                file.write(chunk)
        # an object that another program has copied here need not have one
        wanted = found["Metadata"].get(DIGEST, digest.hexdigest())
        if wanted != digest.hexdigest():
            log.error("an object has not the sha256 that was stored with it: %s", key)
        return bool(wanted == digest.hexdigest())

    def _remove(self, key: str) -> None:
        """Remove an object; where the bucket keeps versions, each of them and the marks of their deletion."""
        with _answering():
            answer = self._client.delete_object(Bucket=self._bucket.name, Key=key)
            if "VersionId" not in answer and not answer.get("DeleteMarker"):
                return
            pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket.name, Prefix=key)
            for page in pages:
                for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                    if one["Key"] == key:
                        self._client.delete_object(Bucket=self._bucket.name, Key=key, VersionId=one["VersionId"])

    def _stored(self) -> Iterator[Held]:
        return self._listed(self._bucket.prefix, self._key)

    def _trashed(self) -> Iterator[Held]:
        return self._listed(f"{self._bucket.prefix}{TRASH}/", self._trash_key)

    def _listed(self, prefix: str, key: Callable[[str], str]) -> Iterator[Held]:
        """Yield the blobs whose keys begin with ``prefix`` and are what ``key`` makes of their names."""
        with _answering():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket.name, Prefix=prefix)
            for page in pages:
                for one in page.get("Contents", ()):
                    name = one["Key"].rpartition("/")[2]
                    if NAME.fullmatch(name) and one["Key"] == key(name):
                        yield Held(name, one["LastModified"].timestamp())

    def _throw(self, name: str) -> None:
        self._move(self._key(name), self._trash_key(name))
        self._cache.drop(name)

    def _bring_back(self, name: str) -> None:
        self._move(self._trash_key(name), self._key(name))

    def _move(self, source: str, target: str) -> None:
        with _answering():
            place = {"Bucket": self._bucket.name, "Key": source}
            self._client.copy_object(Bucket=self._bucket.name, Key=target, CopySource=place)
        self._remove(source)

    def _key(self, name: str) -> str:
        return f"{self._bucket.prefix}{require_name(name)[:2]}/{name}"

    def _trash_key(self, name: str) -> str:
        return f"{self._bucket.prefix}{TRASH}/{require_name(name)}"


def _config() -> Config:
    return Config(
        connect_timeout=CONNECT,
        read_timeout=SILENCE,
        retries={"mode": "standard", "total_max_attempts": TRIES},
        max_pool_connections=LOCKS,
        # the sha256 is sent with each file; stores other than Amazon's do not all know the newer checksums
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def _answering() -> Iterator[None]:
    """Turn what goes wrong with the bucket into StorageAway; the log has the kind, never a key."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        kind = _code(error) if isinstance(error, ClientError) else type(error).__name__
        log.warning("the bucket did not do what was wanted: %s", kind)
        raise StorageAway(kind) from error
