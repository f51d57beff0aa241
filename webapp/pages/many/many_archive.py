"""The results of a batch as a zip, written while it is sent: a folder for each scan, tables and overview beside."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

from core import tasks
from core.batch.batch_page import PAGE, overview_text
from core.batch.batch_tables import FAILED, SUMMARY, failed_text, summary_text
from core.batch.thumbnail import NAME as THUMBNAIL
from core.batch.thumbnail import drawn
from core.errors import UserError
from core.result import RESULT
from webapp.pages.many.many_state import ManyScan, ManyState
from webapp.services import Services
from webapp.store.records import ArtifactRecord, JobRecord
from webapp.store.repository import not_found

CHUNK = 1 << 20


class _Pipe:
    """What is written and not yet sent; it cannot seek, so that the zip is written from its beginning to its end."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Keep bytes."""
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: ``taken`` empties it."""

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        found = b"".join(self._parts)
        self._parts.clear()
        return found


def archive(services: Services, state: ManyState, picture: Callable[[JobRecord], bytes]) -> Iterator[bytes]:
    """Yield the zip of what a batch has so far; picture: draws the slice of a run's result.

    A file that is gone meanwhile is left out.
    """
    pipe = _Pipe()
    # what is stored is compressed already
    with zipfile.ZipFile(cast("IO[bytes]", pipe), "w") as out:
        for name, text in tables(state).items():
            out.writestr(name, text)
        for scan in state.scans:
            if scan.job is None or scan.state != "done":
                continue
            if scan.job.artifact(RESULT):
                # a run may be deleted while the zip is sent
                with suppress(UserError, OSError):
                    out.writestr(f"{scan.name}/{THUMBNAIL}", picture(scan.job))
            for artifact in scan.job.artifacts:
                yield from _file(out, pipe, services.blobs.path(artifact.blob), place_of(scan, artifact))
        yield pipe.taken()
    yield pipe.taken()


def picture_of(services: Services, session: str, job: JobRecord) -> bytes:
    """Return the picture of a run of a session as ``counterscan batch`` draws it; UserError not_found, OSError."""
    result = job.artifact(RESULT)
    if result is None:
        raise not_found()
    inputs = {name: services.blobs.path(services.repo.scan(one, session).blob) for name, one in job.inputs.items()}
    return drawn(tasks.find(job.task), inputs, services.blobs.path(result.blob))


def tables(state: ManyState) -> dict[str, str]:
    """Return file name -> content of the tables and the page of a batch."""
    lines, failures = state.lines(), state.failures()
    found = {SUMMARY: summary_text(state.task, lines), PAGE: overview_text(state.task, lines)}
    return {**found, FAILED: failed_text(failures)} if failures else found


def place_of(scan: ManyScan, artifact: ArtifactRecord) -> str:
    """Return where a file of a scan lies in the zip, as ``counterscan batch`` calls it."""
    return f"{scan.name}/{artifact.name}{artifact.blob[artifact.blob.index('.') :]}"


def _file(out: zipfile.ZipFile, pipe: _Pipe, path: Path, place: str) -> Iterator[bytes]:
    if not path.is_file():
        return
    with path.open("rb") as source, out.open(place, "w", force_zip64=True) as target:
        while chunk := source.read(CHUNK):
            target.write(chunk)
            yield pipe.taken()
