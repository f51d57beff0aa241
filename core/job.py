"""Run a task into a folder: what the command line and a Python program call."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from core.engine.execute import execute
from core.engine.protocol import JobSpec
from core.errors import UserError
from core.events import Event, Failed, Finished, Progress, Started
from core.files.convert import convertible, to_nifti
from core.result import RUN, Artifact, Note
from core.tasks import TASKS

PathLike = str | os.PathLike[str]


def run(
    task: str,
    inputs: Mapping[str, PathLike],
    out: PathLike,
    *,
    device: str = "auto",
    on_event: Callable[[Event], None] = lambda event: None,
    **params: object,
) -> Finished:
    """Run ``task`` in this process and return its result, whose files are in ``out``.

    An input is a NIfTI file, a file of another format, a DICOM folder or a zip; what is not NIfTI is converted first,
    and the notes about that are heard as events and stand before those of the result. Of a DICOM folder with several
    volumes "FOLDER#2" takes the second. Files of the same name in ``out`` are replaced, each at once, after the whole
    run has succeeded. ``on_event`` hears every event. Raises UserError, also for a job that failed.
    """
    folder = _folder(Path(out))
    try:
        work = Path(tempfile.mkdtemp(prefix=".counterscan-", dir=folder))
    except OSError as error:
        raise _unwritable() from error
    try:
        scans, imported = _converted(_scans(task, inputs), work)
        ready = {name: scans.get(name, os.fspath(path)) for name, path in inputs.items()}
        results = work / "results"
        results.mkdir()
        finished = _finish(JobSpec(task, ready, params, str(results), device), on_event, imported)
        artifacts = _publish(finished.result.artifacts, folder)
        return Finished(replace(finished.result, artifacts=artifacts, notes=(*imported, *finished.result.notes)))
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _scans(task: str, inputs: Mapping[str, PathLike]) -> dict[str, PathLike]:
    """Return the inputs that are to be NIfTI: all but those that the task declares as tissue."""
    declared = [entry for each in TASKS if each.name == task for entry in each.inputs]
    tissue = {entry.name for entry in declared if entry.kind == "tissue"}
    return {name: path for name, path in inputs.items() if name not in tissue}


def _converted(inputs: Mapping[str, PathLike], work: Path) -> tuple[dict[str, str], tuple[Note, ...]]:
    """Return the inputs as NIfTI files, those of other formats written into ``work``, and what is to be said of them.

    The same input gives the same bytes, so the run record names it by its sha256 as it does any other.
    """
    ready: dict[str, str] = {}
    found: list[Note] = []
    for index, (name, path) in enumerate(inputs.items()):
        ready[name] = os.fspath(path)
        given, number = _numbered(Path(path))
        if ready[name] and convertible([given]):
            converted = to_nifti([given], work / f"input-{index}.nii.gz", number=number)
            ready[name] = str(converted.path)
            found += [replace(note, text=f"{name}: {note.text}") for note in converted.notes]
    return ready, tuple(found)


def _numbered(path: Path) -> tuple[Path, int | None]:
    """Return the path of an input and the number of the volume that ``folder#2`` names."""
    whole, mark, number = str(path).rpartition("#")
    if not mark or not number.isdecimal() or path.exists():
        return path, None
    return Path(whole), int(number)


def _finish(spec: JobSpec, on_event: Callable[[Event], None], imported: Sequence[Note]) -> Finished:
    for event in execute(spec):
        on_event(event)
        if isinstance(event, Started):
            for note in imported:
                on_event(Progress(0.0, 0, 0, note.text))
        if isinstance(event, Failed):
            raise UserError(event.code, event.message, event.hint)
        if isinstance(event, Finished):
            return event
    raise RuntimeError("a job ended without a result")


def _publish(artifacts: Sequence[Artifact], folder: Path) -> tuple[Artifact, ...]:
    """Move the files into ``folder``, the run record last, and return them there."""
    placed = []
    for artifact in sorted(artifacts, key=lambda artifact: artifact.kind == RUN):
        path = Path(artifact.path)
        try:
            placed.append(replace(artifact, path=str(path.replace(folder / path.name))))
        except OSError as error:
            raise _unwritable() from error
    return tuple(placed)


def _folder(out: Path) -> Path:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable() from error
    return out


def _unwritable() -> UserError:
    return UserError("write_failed", "The output folder cannot be written.", "Give a folder you may write to.")
