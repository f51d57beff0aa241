"""What running jobs look like so far: the newest picture of each, on the disk only while it runs."""

from __future__ import annotations

import logging
from pathlib import Path

log = logging.getLogger(__name__)


class Previews:
    """Pictures in ``folder``, which may be emptied at any time; job ids become file names, so they must be ours."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, job_id: str, png: bytes) -> None:
        """Replace the picture of a job at once; one that cannot be written is left out."""
        try:
            self._part(job_id).write_bytes(png)
            self._part(job_id).replace(self._path(job_id))
        except OSError:
            # the job itself is worth more than a picture of it
            log.warning("a preview was not written", exc_info=True, extra={"job": job_id})

    def of(self, job_id: str) -> bytes | None:
        """Return the picture of a job, None when there is none."""
        try:
            return self._path(job_id).read_bytes()
        except FileNotFoundError:
            return None

    def version(self, job_id: str) -> int:
        """Return a number that differs for each picture of a job, 0 when there is none."""
        try:
            return self._path(job_id).stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def drop(self, job_id: str) -> None:
        """Remove the picture of a job, if there is one."""
        self._path(job_id).unlink(missing_ok=True)
        self._part(job_id).unlink(missing_ok=True)

    def _path(self, job_id: str) -> Path:
        return self._folder / f"{job_id}.png"

    def _part(self, job_id: str) -> Path:
        return self._folder / f"{job_id}.png.part"
