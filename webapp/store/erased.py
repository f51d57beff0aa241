"""What was deleted for good, as digests of the names of its files: by them an older copy of the database is brought up
to date."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from pathlib import Path

FILE = "erased.log"


class Erased:
    """The list in one file of a data folder, a line for each file; a name cannot be computed from its line."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, names: Collection[str]) -> None:
        """Add names of files that are deleted; they are on the disk when this returns."""
        if not names:
            return
        lines = "".join(f"{digest(name)}\n" for name in sorted(names))
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, lines.encode())
            os.fsync(handle)
        finally:
            os.close(handle)

    def digests(self) -> frozenset[str]:
        """Return the digests of all names that were added."""
        try:
            return frozenset(self._path.read_text().split())
        except FileNotFoundError:
            return frozenset()


def digest(name: str) -> str:
    """Return the line of a name."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]
