"""What stopped jobs had computed, on the disk, until they go on, their visitor deletes, or a day has passed."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

UNFINISHED = "unfinished"
"""Its folder in the data folder."""
DAY_SECONDS = 86_400.0
"""What is older is removed."""


class UnfinishedWork:
    """A folder for each visitor below ``root``, and in it one for each job that can go on.

    Names are hashes: a visitor finds only what the same visitor's job on the same data with the same settings has left.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def of_job(self, session: str, task: str, inputs: Mapping[str, str], params: Mapping[str, object]) -> Path:
        """Return the folder of a job, which need not be there; inputs: name -> id of a scan."""
        content = json.dumps([task, dict(inputs), dict(params)], sort_keys=True, default=str)
        return self._of(session) / _hashed(content)

    def delete(self, session: str) -> None:
        """Delete all of one visitor."""
        shutil.rmtree(self._of(session), ignore_errors=True)

    def delete_all(self) -> None:
        """Delete all of everybody."""
        shutil.rmtree(self._root, ignore_errors=True)

    def delete_old(self, before: float) -> None:
        """Delete files that were last written before a time, in seconds since 1970, and folders without any."""
        for path in sorted(self._root.rglob("*"), reverse=True):
            # another server may be faster, and a folder may hold more
            with suppress(OSError):
                if path.is_dir():
                    path.rmdir()
                elif path.stat().st_mtime < before:
                    path.unlink()

    def _of(self, session: str) -> Path:
        return self._root / _hashed(session)


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:40]
