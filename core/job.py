"""Run a task into a folder: what the command line and a Python program call."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from core.anatomy.face import without_face
from core.anatomy.head import find_head
from core.declaration import Task
from core.engine.execute import execute
from core.engine.protocol import Engine, JobSpec
from core.errors import UserError
from core.events import Event, Failed, Finished, Progress, Started
from core.files.convert import convertible, numbered, to_nifti
from core.files.nifti import PathLike, read_own, read_stored, write_stored
from core.files.scan_origin import Origin
from core.output_folder import (
    DICOM_FOLDER,
    files_of_run_before,
    held,
    publish,
    publish_series,
    require_apart,
    require_free_for_series,
)
from core.result import RESULT, Note, Result
from core.tasks import TASKS

# what a stopped run has left for the next one
UNFINISHED = ".unfinished"


def run(
    task: str,
    inputs: Mapping[str, PathLike],
    out: PathLike,
    *,
    device: str = "auto",
    deface: bool = False,
    dicom: bool = False,
    engine: Engine | None = None,
    on_event: Callable[[Event], None] = lambda event: None,
    **params: object,
) -> Finished:
    """Run ``task`` in this process, or by ``engine``, and return its result, whose files are in ``out``.

    An input is a NIfTI file, a file of another format, a DICOM folder or a zip; what is not NIfTI is converted first,
    and the notes about that come as events and stand before the notes of the result. Of a DICOM folder with several
    volumes "FOLDER#2" takes the second. deface: work on copies of the scans of whole heads, without their faces. dicom:
    write the result into the folder ``dicom`` in ``out`` too, as a series derived from the DICOM input it lies on. Once
    the whole run has succeeded, files of the same name in ``out`` are replaced, each at once, and what else the run
    before has left there is removed, as its run record lists it. A run that was stopped
    goes on from the folder ``.unfinished`` in ``out`` where its task can.
    ``on_event`` is called with every event. Raises UserError, also for a job that failed, for one that would replace
    its own input, and while another run writes into ``out``; what the engine raises where its process dies.
    """
    folder = Path(out)
    given = {name: os.fspath(path) for name, path in inputs.items()}
    with held(folder) as work:
        earlier = files_of_run_before(folder)
        declared = next((each for each in TASKS if each.name == task), None)
        if declared is not None:
            files = {name: numbered(Path(path))[0] for name, path in given.items() if path}
            require_apart(folder, declared, files, earlier)
        if dicom:
            require_free_for_series(folder / DICOM_FOLDER, earlier)
        shown = {entry.name for entry in declared.inputs if entry.kind == "volume"} if dicom and declared else set()
        converted, notices, origins = _converted(_scans(declared, given), work, shown)
        if deface and declared is not None:
            converted |= _defaced(declared, {**given, **converted}, notices, work)
        results = work / "results"
        results.mkdir()
        kept = str(folder.absolute() / UNFINISHED) if declared is not None and declared.resumes else ""
        spec = JobSpec(task, {**given, **converted}, params, str(results), device, notices, kept=kept)
        # no two jobs write into one folder at a time
        events = execute(spec) if engine is None else engine.run(str(folder.absolute()), spec)
        result = _finish(spec, events, on_event)
        series = _written_series(result.result, origins, task, work) if dicom else None
        artifacts = publish(result.result.artifacts, folder, earlier)
        more = _published_series(series, folder / DICOM_FOLDER)
        shutil.rmtree(folder / UNFINISHED, ignore_errors=True)
        notes = (*result.result.notes, *more, *_removed(earlier))
        return Finished(replace(result.result, artifacts=artifacts, notes=notes))


def _scans(task: Task | None, inputs: Mapping[str, str]) -> dict[str, str]:
    """Return the inputs that are to be NIfTI: all but those that the task, None for an unknown one, declares as tissue
    or as a model."""
    others = {entry.name for entry in task.inputs if entry.kind in ("tissue", "model")} if task else set()
    return {name: path for name, path in inputs.items() if name not in others}


def _converted(
    inputs: Mapping[str, str], work: Path, wanted: Collection[str]
) -> tuple[dict[str, str], dict[str, tuple[Note, ...]], list[Origin]]:
    """Return the inputs of other formats as NIfTI files in ``work``, notes about each of them, and whose the
    DICOM series among the inputs ``wanted`` are.

    The same input gives the same bytes, so the run record names it by its sha256 as it does any other.
    """
    ready: dict[str, str] = {}
    notices: dict[str, tuple[Note, ...]] = {}
    origins = []
    for index, (name, path) in enumerate(inputs.items()):
        given, number = numbered(Path(path))
        if number is not None and given.is_file() and not convertible([given]):
            why = f"{given.name} is a single volume: #{number} chooses one of a DICOM folder."
            raise UserError("dicom_series", why, f"Leave #{number} out.")
        if path and convertible([given]):
            converted = to_nifti([given], work / f"input-{index}.nii.gz", number=number, origin=name in wanted)
            ready[name], notices[name] = str(converted.path), converted.notes
            origins += [converted.origin] if converted.origin else []
    return ready, notices, origins


def _written_series(result: Result, origins: Sequence[Origin], task: str, work: Path) -> Path:
    """Write the result volume as a DICOM series into a folder in ``work`` and return that; UserError no_result_volume
    for a task without one."""
    # pydicom is loaded where it is needed
    from core.files.dicom_writer import closest, derivation, write_series

    main = next((artifact for artifact in result.artifacts if artifact.kind == RESULT and artifact.is_volume), None)
    if main is None:
        raise UserError("no_result_volume", f"The task {task} has no volume to write as DICOM.", "Leave --dicom out.")
    what = derivation(task, result.table[0].title if result.table else "")
    stored = read_own(main.path)
    write_series(work / DICOM_FOLDER, stored, closest(origins, stored), f"Counterscan {task}", what)
    return work / DICOM_FOLDER


def _published_series(made: Path | None, series: Path) -> tuple[Note, ...]:
    if made is None:
        return ()
    publish_series(made, series)
    count = len(list(series.iterdir()))
    return (Note("info", f"The folder {series.name} has the result as a DICOM series of {count} images."),)


def _defaced(task: Task, inputs: Mapping[str, str], notices: dict[str, tuple[Note, ...]], work: Path) -> dict[str, str]:
    """Return copies in ``work`` of the scans of whole heads, without their faces, and add a note about each."""
    ready: dict[str, str] = {}
    for entry in task.inputs:
        if entry.kind != "volume" or not inputs.get(entry.name):
            continue
        stored = read_stored(inputs[entry.name])
        volume = stored.to_volume()
        clean, emptied = without_face(stored, volume, find_head(volume))
        if emptied:
            path = work / f"faceless-{entry.name}.nii.gz"
            write_stored(path, clean)
            ready[entry.name] = str(path)
            note = Note("info", f"The face was removed, {emptied:.0f} ml.")
            notices[entry.name] = (*notices.get(entry.name, ()), note)
    return ready


def _finish(spec: JobSpec, events: Iterator[Event], on_event: Callable[[Event], None]) -> Finished:
    for event in events:
        on_event(event)
        if isinstance(event, Started):
            for note in spec.notes:
                on_event(Progress(0.0, 0, 0, note.text))
        if isinstance(event, Failed):
            raise UserError(event.code, event.message, event.hint)
        if isinstance(event, Finished):
            return event
    raise RuntimeError("a job ended without a result")


def _removed(earlier: Sequence[Path]) -> tuple[Note, ...]:
    """Return a note of the files that are no longer there."""
    gone = [path for path in earlier if not path.exists()]
    series = [path for path in gone if path.parent.name == DICOM_FOLDER]
    # a series is one, whatever its number of files
    names = [path.name for path in gone if path not in series]
    if series and not series[0].parent.exists():
        names.append(DICOM_FOLDER)
    return (Note("info", f"Removed what the run before had left: {', '.join(names)}."),) if names else ()
