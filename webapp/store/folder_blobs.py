"""Stored files in a folder, durable once a row may refer to them."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from core.files.nifti_writer import sync_folder
from webapp.store.blobs import TRASH, Blob, Blobs, Held, require_name


class FolderBlobs(Blobs):
    """The files of the folder ``root``, each in a folder of the first two letters of its name."""

    def __init__(self, root: Path, *, reserve: int = 0) -> None:
        super().__init__(root, reserve=reserve)
        self._trash = root / TRASH

    def path(self, name: str) -> Path:
        """Return where a blob lies; ValueError for what is not a blob's name."""
        return self.root / require_name(name)[:2] / name

    def near(self, name: str) -> Path:
        """Return where a blob lies."""
        return self.path(name)

    def lend(self, name: str, folder: Path) -> Path:
        """Return where a blob lies."""
        return self.path(name)

    def delete(self, name: str) -> None:
        """Remove a blob, if it is there."""
        self.path(name).unlink(missing_ok=True)

    def empty_trash(self, oldest: float) -> None:
        """Delete what has lain in the trash folder since before ``oldest``, in seconds since 1970."""
        for path in self._trash.glob("*"):
            if path.stat().st_ctime < oldest:
                path.unlink(missing_ok=True)

    def check(self) -> None:
        """Raise nothing: whether the disk has room is another question."""

    def copies(self) -> Collection[str]:
        """Return no name: the store is here."""
        return ()

    def forget(self, names: Iterable[str]) -> None:
        """Remove nothing: there are no copies."""

    def _settle(self, source: Path, suffix: str) -> Blob:
        if source.stat().st_dev == self.root.stat().st_dev:
            return self._moved(source, suffix)
        part = self._part(suffix)
        try:
            shutil.copyfile(source, part)
            blob = self._moved(part, suffix)
        finally:
            part.unlink(missing_ok=True)
        source.unlink()
        return blob

    def _moved(self, source: Path, suffix: str) -> Blob:
        """Store a file of the same disk."""
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

    def _stored(self) -> Iterator[Held]:
        return _held(self.root.glob("[0-9a-f][0-9a-f]/*"))

    def _trashed(self) -> Iterator[Held]:
        return _held(self._trash.glob("*"))

    def _throw(self, name: str) -> None:
        self._trash.mkdir(exist_ok=True)
        (self.root / name[:2] / name).rename(self._trash / name)

    def _bring_back(self, name: str) -> None:
        if not self.path(name).exists():
            self.path(name).parent.mkdir(exist_ok=True)
            (self._trash / name).rename(self.path(name))


def _held(paths: Iterable[Path]) -> Iterator[Held]:
    for path in paths:
        try:
            found = path.stat()
        except FileNotFoundError:
            continue
        # a copy keeps the time of its original, so what counts is when the file came
        yield Held(path.name, max(found.st_mtime, found.st_ctime))
