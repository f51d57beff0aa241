"""Files under random names: complete or not there at all, and durable once a row may refer to them."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import re
import secrets
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError
from core.files.nifti_writer import sync_folder

NAME = re.compile(r"[0-9a-f]{40}(\.nii\.gz|\.nii|\.json|\.html|\.csv|\.png|\.npz|\.model)")
SUFFIXES = (".nii.gz", ".nii", ".json", ".html", ".csv", ".png", ".npz", ".model")
PART = ".part"
TRASH = "trash"
DAY = 86400.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Blob:
    """A stored file: its name, the sha256 of its bytes and their number."""

    name: str
    sha256: str
    bytes: int


class Blobs:
    """The files of one folder; ``reserve`` is the number of free bytes that must stay on its disk."""

    def __init__(self, root: Path, *, reserve: int = 0) -> None:
        self.root = root
        self._reserve = reserve
        self._trash = root / TRASH
        root.mkdir(parents=True, exist_ok=True)

    @staticmethod
    def fresh_name() -> str:
        """Return a random name, without a suffix."""
        return secrets.token_hex(20)

    def path(self, name: str) -> Path:
        """Return where a blob lies; ValueError for what is not a blob's name."""
        if not NAME.fullmatch(name):
            raise ValueError("not the name of a blob")
        return self.root / name[:2] / name

    def put(self, write: Callable[[Path], None], suffix: str = ".nii.gz") -> Blob:
        """Store what ``write`` puts into the path it is given; UserError disk_full leaves nothing behind."""
        self.require_room()
        part = self.root / f"{self.fresh_name()}{PART}{suffix}"
        try:
            write(part)
            return self._settle(part, suffix)
        except OSError as error:
            raise _refusal(error) from error
        except UserError as error:
            if isinstance(error.__cause__, OSError):
                raise _refusal(error.__cause__, error) from error
            raise
        finally:
            part.unlink(missing_ok=True)

    def adopt(self, source: Path) -> Blob:
        """Move a finished file of the same disk into the store; UserError disk_full leaves it where it was."""
        suffix = next(known for known in SUFFIXES if source.name.endswith(known))
        try:
            return self._settle(source, suffix)
        except OSError as error:
            raise _refusal(error) from error

    def delete(self, name: str) -> None:
        """Remove a blob, if it is there."""
        self.path(name).unlink(missing_ok=True)

    def sweep(self, wanted: Collection[str], now: float) -> int:
        """Move files that are not in ``wanted`` and older than a day to the trash folder, and return how many.

        Files of ``wanted`` in the trash come back first. Were it more than half of all files, none is moved: the rows
        are those of another store. What was written in part goes for good. now: seconds since 1970.
        """
        self._restore(wanted)
        for part in self.root.glob(f"*{PART}*"):
            if _is_old(part, now):
                part.unlink(missing_ok=True)
        stored = list(self.root.glob("[0-9a-f][0-9a-f]/*"))
        lost = [path for path in stored if path.name not in wanted and _is_old(path, now)]
        if 2 * len(lost) > len(stored):
            log.error(
                "%d of %d stored files have no row in this database: none was touched; is the database the right one?",
                len(lost), len(stored),
            )  # fmt: skip
            return 0
        for path in lost:
            self._trash.mkdir(exist_ok=True)
            path.rename(self._trash / path.name)
        return len(lost)

    def empty_trash(self, oldest: float) -> None:
        """Delete what has lain in the trash folder since before ``oldest``, in seconds since 1970."""
        for path in self._trash.glob("*"):
            if path.stat().st_ctime < oldest:
                path.unlink(missing_ok=True)

    def require_room(self, size: int = 0) -> None:
        """Raise UserError disk_full when less than the reserve would be free after ``size`` more bytes."""
        if shutil.disk_usage(self.root).free < self._reserve + size:
            raise full()

    def _restore(self, wanted: Collection[str]) -> None:
        for path in self._trash.glob("*"):
            if path.name in wanted and not self.path(path.name).exists():
                self.path(path.name).parent.mkdir(exist_ok=True)
                path.rename(self.path(path.name))

    def _settle(self, source: Path, suffix: str) -> Blob:
        with source.open("rb+") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
            size = os.fstat(file.fileno()).st_size
        name = self.fresh_name() + suffix
        target = self.path(name)
        if not target.parent.exists():
            target.parent.mkdir(exist_ok=True)
            sync_folder(self.root)
        source.rename(target)
        try:
            sync_folder(target.parent)
        except OSError:
            # no row will name it
            target.rename(source)
            raise
        return Blob(name, digest, size)


def _is_old(path: Path, now: float) -> bool:
    """Return whether a file was neither written nor moved for a day; one that is gone is not old."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    return max(found.st_mtime, found.st_ctime) < now - DAY


def _refusal(cause: OSError, error: Exception | None = None) -> Exception:
    return full() if is_full(cause) else error or cause


def is_full(error: OSError) -> bool:
    """Return whether an error is that of a disk without room."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def full() -> UserError:
    """Return the error for a disk without room."""
    return UserError(
        "disk_full", "The disk of this server is full.", "Come back in an hour; your earlier results are safe."
    )
