"""The lock that servers on one data folder share; only one that is alone there may clean up."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from core.errors import UserError

FILE = "server.lock"
NAME = re.compile(rb"[0-9a-f]{16}")
# another server that starts removes what is left over, which takes seconds
PATIENCE = 60.0


class DataLock:
    """The lock of a data folder; the file has the folder's name, by which claims are told apart from other folders'.

    patience: seconds to wait for another server that is cleaning up.
    """

    def __init__(self, folder: Path, patience: float = PATIENCE) -> None:
        self._path = folder / FILE
        self._patience = patience
        self._file: IO[bytes] | None = None
        self.name = ""

    def enter(self, clean: Callable[[], object] | None = None) -> bool:
        """Share the folder until ``leave``; when nobody else does, call ``clean`` first. Return whether that was so.

        Nobody else enters while ``clean`` runs. UserError data_in_use when another server does not let go,
        data_no_locks on a disk without locks.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+b")
        try:
            alone = clean is not None and _locked(file, fcntl.LOCK_EX)
            if alone:
                self.name = _read(file) or _write(file)
            if alone and clean is not None:
                clean()
            # the change is not atomic: in between another server may become alone for a moment
            self._share(file)
            self.name = self.name or _read(file) or secrets.token_hex(8)
        except BaseException:
            file.close()
            raise
        self._file = file
        return alone

    def leave(self) -> None:
        """Give the folder up, if it was entered."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> DataLock:
        self.enter()
        return self

    def __exit__(self, *exception: object) -> None:
        self.leave()

    def _share(self, file: IO[bytes]) -> None:
        end = time.monotonic() + self._patience
        while not _locked(file, fcntl.LOCK_SH):
            if time.monotonic() > end:
                raise UserError(
                    "data_in_use",
                    "Another server keeps the data folder to itself.",
                    "Stop it, or wait until it has started; servers of one folder must have one version.",
                )
            time.sleep(0.05)


def _locked(file: IO[bytes], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise UserError(
            "data_no_locks",
            f"The disk of the data folder offers no locks ({error.strerror}), by which servers keep apart.",
            "Give a data folder on a disk of this machine (COUNTERSCAN_DATA), or mount that one with locks.",
        ) from error
    return True


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    content = file.read(64)
    return content.decode() if NAME.fullmatch(content) else ""


def _write(file: IO[bytes]) -> str:
    name = secrets.token_hex(8)
    file.truncate(0)
    file.write(name.encode())
    file.flush()
    os.fsync(file.fileno())
    return name
