"""Files under random names: complete or not there at all, and durable once a row may refer to them."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError
from core.files.nifti_writer import sync_folder

NAME = re.compile(r"[0-9a-f]{40}(\.nii\.gz|\.nii|\.json|\.html|\.csv|\.npz)")
SUFFIXES = (".nii.gz", ".nii", ".json", ".html", ".csv", ".npz")
PART = ".part"


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

    def sweep(self, wanted: Collection[str]) -> int:
        """Remove every file that is not in ``wanted`` and return how many; nobody else may be writing."""
        removed = 0
        for path in [*self.root.glob("*/*"), *self.root.glob(f"*{PART}*")]:
            if path.name not in wanted and path.is_file():
                path.unlink()
                removed += 1
        return removed

    def require_room(self) -> None:
        """Raise UserError disk_full when less than the reserve is free."""
        if shutil.disk_usage(self.root).free < self._reserve:
            raise _full()

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
        sync_folder(target.parent)
        return Blob(name, digest, size)


def _refusal(cause: OSError, error: Exception | None = None) -> Exception:
    return _full() if cause.errno in (errno.ENOSPC, errno.EDQUOT) else error or cause


def _full() -> UserError:
    return UserError(
        "disk_full", "The disk of this server is full.", "Tell whoever runs it; your earlier results are safe."
    )
