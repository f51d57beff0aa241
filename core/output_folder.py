"""The folder that a run writes into: held by one run at a time, no place of its inputs, cleared of the run before."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from core.declaration import Task
from core.engine.run_record import PROGRAM, identity
from core.errors import UserError
from core.result import BASELINE, RUN, VOLUME_SUFFIX, Artifact, artifact_name

WORK_PREFIX = ".counterscan-"
# where a run puts its result as a DICOM series, and how those files are called
DICOM_FOLDER = "dicom"
SERIES_FILES = re.compile(r"counterscan-\d{5}\.dcm")
RECORD = f"{RUN}.json"


@contextmanager
def held(folder: Path) -> Iterator[Path]:
    """Make ``folder``, hold it for one run and give a fresh work folder in it, which is removed in the end.

    What a killed run has left there is removed. UserError write_failed, and out_in_use where another run holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise _unwritable(folder) from error
    locked = False
    try:
        locked = _locked(handle)
        if locked:
            _clear(folder)
        with _work(folder) as work:
            yield work
    finally:
        if locked:
            # the child of a run that was killed may have written for another moment
            _clear(folder)
        os.close(handle)


def _clear(folder: Path) -> None:
    """Remove the work folders of runs that were killed."""
    for left in folder.glob(f"{WORK_PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)


def require_apart(folder: Path, task: Task, inputs: Mapping[str, Path], earlier: Sequence[Path]) -> None:
    """Refuse a run of ``task`` into ``folder`` that could replace or remove one of its own inputs, or that could not
    put its files there.

    inputs: input name -> file or folder; earlier: files of the run before, which are to be removed. UserError
    input_in_out, write_failed.
    """
    for path in sorted({*earlier, *(folder / name for name in _names(task))}):
        if not path.exists():
            continue
        for name, given in inputs.items():
            if _holds(given, path):
                raise UserError(
                    "input_in_out",
                    f"The run would replace {path.name}, which belongs to its own input {name!r}.",
                    "Give another output folder, or move the input out of it.",
                )
        if path.is_dir():
            raise UserError(
                "write_failed",
                f"A folder named {path.name} is in the way.",
                "Give another output folder.",
            )


def files_of_run_before(folder: Path) -> list[Path]:
    """Return the files in ``folder`` that the run record there lists, without the record, but for those that were
    changed since, and the files of its DICOM series."""
    try:
        record: Any = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        outputs = record["outputs"] if record["program"] == PROGRAM else {}
        listed = [path for path in folder.iterdir() if _is_listed(path, outputs)]
        series = (folder / DICOM_FOLDER).glob("*") if record["program"] == PROGRAM else ()
        return sorted([*listed, *(path for path in series if SERIES_FILES.fullmatch(path.name))])
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        # no record, or none that this program wrote
        return []


def publish(artifacts: Sequence[Artifact], folder: Path, earlier: Sequence[Path]) -> tuple[Artifact, ...]:
    """Move the files of a run into ``folder``, the run record last, remove those of ``earlier`` that it does not
    replace, and return the artifacts there. UserError write_failed."""
    placed = []
    names = {Path(artifact.path).name for artifact in artifacts}
    try:
        for path in earlier:
            if path.parent != folder or path.name not in names:
                path.unlink(missing_ok=True)
        with suppress(OSError):
            # unless other files are in it
            (folder / DICOM_FOLDER).rmdir()
        for artifact in sorted(artifacts, key=lambda artifact: artifact.kind == RUN):
            path = Path(artifact.path)
            placed.append(replace(artifact, path=str(path.replace(folder / path.name))))
    except OSError as error:
        raise _unwritable(folder) from error
    return tuple(placed)


def require_free_for_series(series: Path, earlier: Sequence[Path]) -> None:
    """Refuse to write a DICOM series into the folder ``series`` where that holds anything but files of ``earlier``.

    UserError write_failed.
    """
    if series.is_dir() and set(series.iterdir()) <= set(earlier):
        return
    if series.exists():
        raise UserError(
            "write_failed", f"The folder {series.name} holds other files.", "Give another output folder, or move them."
        )


def publish_series(made: Path, series: Path) -> None:
    """Move the folder ``made`` to ``series``, whose earlier files are gone; UserError write_failed."""
    try:
        made.replace(series)
    except OSError as error:
        raise _unwritable(series) from error


def _locked(handle: int) -> bool:
    """Lock the open folder ``handle`` and return whether it is; False on a file system without locks (some NFS)."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UserError(
            "out_in_use", "Another run is writing into this output folder.", "Wait for it, or give another folder."
        ) from error
    except OSError:
        return False
    return True


@contextmanager
def _work(folder: Path) -> Iterator[Path]:
    try:
        # absolute: who listens to the run may change the working folder
        made = tempfile.TemporaryDirectory(prefix=WORK_PREFIX, dir=folder.absolute(), ignore_cleanup_errors=True)
    except OSError as error:
        raise _unwritable(folder) from error
    with made as work:
        yield Path(work)


def _names(task: Task) -> set[str]:
    """Return the names of all files that a run of ``task`` may write."""
    outputs = {f"{one.name}{VOLUME_SUFFIX if one.kind == 'volume' else f'.{one.kind}'}" for one in task.outputs}
    beside = {f"{artifact_name(BASELINE, method.name)}{VOLUME_SUFFIX}" for method in task.methods}
    return outputs | beside | {RECORD}


def _is_listed(path: Path, outputs: Mapping[str, Any]) -> bool:
    """Return whether ``path`` is a file that ``outputs`` (name -> bytes and sha256) lists, as it was written."""
    listed = outputs.get(path.name.partition(".")[0])
    return (
        listed is not None
        and path.is_file()
        and listed["bytes"] == path.stat().st_size
        and listed == asdict(identity(path))
    )


def _holds(given: Path, path: Path) -> bool:
    """Return whether ``path`` is the file ``given`` or lies in the folder ``given``."""
    try:
        return path.resolve().is_relative_to(given.resolve()) if given.is_dir() else given.samefile(path)
    except OSError:
        # an input that cannot be found is refused by who reads it
        return False


def _unwritable(folder: Path) -> UserError:
    for path in (folder, *folder.parents):
        if path.exists() and not path.is_dir():
            why = f"There is a file at the place of the output folder {str(path)!r}."
            return UserError("write_failed", why, "Move it away, or give another output folder.")
    return UserError("write_failed", "The output folder cannot be written.", "Give a folder you may write to.")
