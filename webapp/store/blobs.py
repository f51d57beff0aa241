"""Stored files under random names, what every place for them promises: complete or not there at all."""

from __future__ import annotations

import logging
import re
import secrets
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError, is_disk_full

NAME = re.compile(r"[0-9a-f]{40}(\.nii\.gz|\.nii|\.json|\.html|\.csv|\.png|\.npz|\.model)")
SUFFIXES = (".nii.gz", ".nii", ".json", ".html", ".csv", ".png", ".npz", ".model")
PART = ".part"
TRASH = "trash"
DAY = 86400.0

log = logging.getLogger(__name__)


class StorageAway(UserError):
    """The place of the stored files does not answer, after a bounded number of tries; kind: how it failed, for the
    log and for whoever starts the server."""

    def __init__(self, kind: str = "") -> None:
        super().__init__(
            "storage_away",
            "The storage of this server does not answer.",
            "Try again in a few minutes; what was saved stays saved.",
        )
        self.kind = kind


@dataclass(frozen=True)
class Blob:
    """A stored file: its name, the sha256 of its bytes and their number."""

    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Held:
    """A file that lies in a store or in its trash; since: when it came there, in seconds since 1970."""

    name: str
    since: float


class Blobs(ABC):
    """Stored files; what is on its way in or out lies in ``root``, on whose disk ``reserve`` bytes must stay free.

    Every method may raise StorageAway.
    """

    def __init__(self, root: Path, *, reserve: int = 0) -> None:
        self.root = root
        self._reserve = reserve
        root.mkdir(parents=True, exist_ok=True)

    @staticmethod
    def fresh_name() -> str:
        """Return a random name, without a suffix."""
        return secrets.token_hex(20)

    @abstractmethod
    def path(self, name: str) -> Path:
        """Return a file with the bytes of a blob, to be opened at once and never written.

        Nothing is there when the store has no such blob; ValueError for what is not a blob's name.
        """

    @abstractmethod
    def near(self, name: str) -> Path | None:
        """Return a file as ``path`` does where that takes no transfer, else None."""

    @abstractmethod
    def lend(self, name: str, folder: Path) -> Path:
        """Return a file as ``path`` does, which stays where it is for as long as ``folder`` does."""

    def put(self, write: Callable[[Path], None], suffix: str = ".nii.gz") -> Blob:
        """Store what ``write`` puts into the path it is given; UserError disk_full leaves nothing behind."""
        self.require_room()
        part = self._part(suffix)
        try:
            write(part)
            return self._settle(part, suffix)
        except OSError as error:
            raise refusal(error) from error
        except UserError as error:
            if isinstance(error.__cause__, OSError) and not isinstance(error, StorageAway):
                raise refusal(error.__cause__, error) from error
            raise
        finally:
            part.unlink(missing_ok=True)

    def adopt(self, source: Path) -> Blob:
        """Move a finished file into the store; an error, as UserError disk_full, leaves it where it was."""
        suffix = next(known for known in SUFFIXES if source.name.endswith(known))
        try:
            return self._settle(source, suffix)
        except OSError as error:
            raise refusal(error) from error

    @abstractmethod
    def delete(self, name: str) -> None:
        """Remove a blob for good, if it is there."""

    def sweep(self, wanted: Collection[str], now: float) -> int:
        """Move files that are not in ``wanted`` and older than a day to the trash folder, and return how many.

        Files of ``wanted`` in the trash come back first. Were it more than half of all files, none is moved: the rows
        are those of another store. What was written in part goes for good. now: seconds since 1970.
        """
        for held in list(self._trashed()):
            if held.name in wanted:
                self._bring_back(held.name)
        for part in self.root.glob(f"*{PART}*"):
            if age_of(part, now) > DAY:
                part.unlink(missing_ok=True)
        stored = list(self._stored())
        lost = [held.name for held in stored if held.name not in wanted and now - held.since > DAY]
        if 2 * len(lost) > len(stored):
            log.error(
                "%d of %d stored files have no row in this database: none was touched; is the database the right one?",
                len(lost), len(stored),
            )  # fmt: skip
            return 0
        for name in lost:
            self._throw(name)
        return len(lost)

    @abstractmethod
    def empty_trash(self, oldest: float) -> None:
        """Delete what has lain in the trash folder since before ``oldest``, in seconds since 1970."""

    def require_room(self, size: int = 0) -> None:
        """Raise UserError disk_full when less than the reserve would be free after ``size`` more bytes."""
        if self._lacks(size):
            raise full()

    def room(self) -> int:
        """Return how many bytes may be written before less than the reserve is free; never less than 0."""
        return max(0, shutil.disk_usage(self.root).free - self._reserve)

    @abstractmethod
    def check(self) -> None:
        """Raise StorageAway unless the store answers."""

    @abstractmethod
    def copies(self) -> Collection[str]:
        """Return the names of blobs of which this machine has a copy beside the store."""

    @abstractmethod
    def forget(self, names: Iterable[str]) -> None:
        """Remove such copies."""

    def _lacks(self, size: int) -> bool:
        return shutil.disk_usage(self.root).free < self._reserve + size

    def _part(self, suffix: str) -> Path:
        return self.root / f"{self.fresh_name()}{PART}{suffix}"

    @abstractmethod
    def _settle(self, source: Path, suffix: str) -> Blob:
        """Store a finished file, whose bytes are gone from ``source`` once it has succeeded, and not before."""

    @abstractmethod
    def _stored(self) -> Iterable[Held]: ...

    @abstractmethod
    def _trashed(self) -> Iterable[Held]: ...

    @abstractmethod
    def _throw(self, name: str) -> None:
        """Move a blob to the trash."""

    @abstractmethod
    def _bring_back(self, name: str) -> None:
        """Move a blob out of the trash, unless it is in its place."""


def require_name(name: str) -> str:
    """Return the name of a blob; ValueError for what is none."""
    if not NAME.fullmatch(name):
        raise ValueError("not the name of a blob")
    return name


def age_of(path: Path, now: float) -> float:
    """Return the seconds since a file was written or moved, the later; 0 for one that is gone."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0.0
    return now - max(found.st_mtime, found.st_ctime)


def refusal(cause: OSError, error: Exception | None = None) -> Exception:
    """Return what to raise for ``cause``: UserError disk_full where it is that, else ``error``, or itself."""
    return full() if is_disk_full(cause) else error or cause


def full() -> UserError:
    """Return the error for a disk without room."""
    return UserError(
        "disk_full", "The disk of this server is full.", "Come back in an hour; your earlier results are safe."
    )
