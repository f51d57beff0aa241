"""Local copies of stored files, those used last, up to a number of bytes."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

from webapp.store.blobs import NAME, require_name

# seconds for which whoever was handed a copy may take to open it
GRACE = 600.0


class BlobCache:
    """The copies in ``folder``, at most ``most`` bytes beside those used in the last GRACE seconds.

    Blobs never change, so a copy is right for as long as it is there. Servers of one data folder share it. clock:
    seconds since 1970.
    """

    def __init__(self, folder: Path, most: int, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._most = most
        self._clock = clock
        folder.mkdir(parents=True, exist_ok=True)

    def place(self, name: str) -> Path:
        """Return where the copy of a blob lies, or would; ValueError for what is not a blob's name."""
        return self._folder / require_name(name)

    def use(self, name: str) -> bool:
        """Return whether there is a copy, which then counts as used now."""
        moment = self._clock()
        with suppress(FileNotFoundError):
            os.utime(self.place(name), (moment, moment))
            return True
        return False

    def keep(self, part: Path, name: str) -> None:
        """Move a file of the same disk in, whole even after a crash, and make room for it."""
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.rename(self.place(name))
        self.use(name)
        self.shrink()

    def lend(self, name: str, folder: Path) -> Path | None:
        """Return a second name of a copy, in ``folder``; None where there is no copy."""
        target = folder / name
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError, FileExistsError):
            target.hardlink_to(self.place(name))
        return target if target.exists() else None

    def names(self) -> Collection[str]:
        """Return the blobs of which there is a copy."""
        return [path.name for path in self._folder.glob("*") if NAME.fullmatch(path.name)]

    def drop(self, name: str) -> None:
        """Remove the copy of a blob, if there is one."""
        self.place(name).unlink(missing_ok=True)

    def shrink(self, free: int = 0) -> None:
        """Remove what was used longest ago until the bytes are within bounds, and ``free`` bytes of the disk free."""
        found = []
        for name in self.names():
            with suppress(FileNotFoundError):
                state = self.place(name).stat()
                found.append((state.st_mtime, state.st_size, name))
        total = sum(size for _, size, _ in found)
        for used, size, name in sorted(found):
            fits = total <= self._most and shutil.disk_usage(self._folder).free >= free
            if fits or self._clock() - used < GRACE:
                return
            self.drop(name)
            total -= size
