"""Run a task into a folder: what the command line and a Python program call."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from core.engine.base import JobSpec
from core.engine.execute import execute
from core.errors import UserError
from core.events import Event, Failed, Finished

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
    """Run ``task`` in this process and return its files (name -> path in ``out``) and summary.

    Files of the same name in ``out`` are replaced, each at once, after the whole run has succeeded.
    ``on_event`` hears every event. Raises UserError, also for a job that failed.
    """
    folder = _folder(Path(out))
    try:
        work = Path(tempfile.mkdtemp(prefix=".counterscan-", dir=folder))
    except OSError as error:
        raise _unwritable() from error
    try:
        spec = JobSpec(task, {name: os.fspath(path) for name, path in inputs.items()}, params, str(work), device)
        finished = _finish(spec, on_event)
        return Finished(_publish(finished.files, folder), finished.summary)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _finish(spec: JobSpec, on_event: Callable[[Event], None]) -> Finished:
    for event in execute(spec):
        on_event(event)
        if isinstance(event, Failed):
            raise UserError(event.code, event.message, event.hint)
        if isinstance(event, Finished):
            return event
    raise RuntimeError("a job ended without a result")


def _publish(files: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Move ``files`` into ``folder``, the run record last, and return name -> new path."""
    placed = {}
    for name, path in sorted(files.items(), key=lambda item: item[0] == "run"):
        try:
            placed[name] = str(Path(path).replace(folder / Path(path).name))
        except OSError as error:
            raise _unwritable() from error
    return placed


def _folder(out: Path) -> Path:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable() from error
    return out


def _unwritable() -> UserError:
    return UserError("write_failed", "The output folder cannot be written.", "Give a folder you may write to.")
