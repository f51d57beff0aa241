"""One job from specification to result files: the same generator in every engine."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import cast

from core import device
from core.declaration import REPORT, Context, Task, Value
from core.engine.protocol import JobSpec
from core.engine.run_record import describe, with_file, write_record
from core.errors import UserError, is_disk_full
from core.events import Event, Failed, Finished, Progress, Started
from core.provenance import RunRecord
from core.result import Artifact, Note, Result

log = logging.getLogger(__name__)

TASKS = "core.tasks"


def execute(spec: JobSpec, tasks: str = TASKS) -> Iterator[Event]:
    """Run one job here: ``Started``, ``Progress`` that never falls, then exactly one ``Finished`` or ``Failed``.

    A job that cannot start yields ``Failed`` alone. Result files and ``run.json`` are written into ``spec.out``.
    ``tasks`` is the module whose ``TASKS`` are known.
    """
    try:
        yield from _events(spec, tasks)
    except UserError as error:
        yield Failed(error.code, error.message, error.hint)
    except Exception as error:
        failed = failure(error)
        if failed.code == "internal":
            log.exception("job failed")
        yield failed
    finally:
        device.give_back_memory()


def failure(error: Exception) -> Failed:
    """Return how a job ends that ``error``, which is no fault of the user's, has ended."""
    if is_disk_full(error):
        return _disk_full()
    # torch reports exhausted memory as a RuntimeError, a subclass of it on a GPU
    return _out_of_memory() if isinstance(error, MemoryError) or _is_memory(error) else _internal()


def _events(spec: JobSpec, tasks: str) -> Iterator[Event]:
    begun = time.monotonic()
    task = _find(tasks, spec.task)
    params = task.parse(spec.params)
    inputs = _inputs(task, spec)
    kept = Path(spec.kept) if spec.kept else None
    context = Context(device.choose(spec.device), Path(spec.out), spec.sources, kept)
    device.limit_threads()
    device.keep_memory()
    device.reset_peak_memory()
    device.require_memory(task.estimate(inputs, params, context.device).memory)
    yield Started(context.device)
    finished = yield from _run(task, context, inputs, params)
    result = replace(finished.result, notes=(*spec.notes, *finished.result.notes))
    record = describe(task, context, inputs, params, result)
    if REPORT in task.outputs:
        yield Progress(1.0, 1, 1, "Writing the report")
        result, record = _reported(task, context, inputs, params, result, record)
    run = write_record(context.out, record, result, time.monotonic() - begun)
    yield Finished(replace(result, artifacts=(*result.artifacts, run)))


def _reported(
    task: Task,
    context: Context,
    inputs: Mapping[str, Path],
    params: Mapping[str, Value],
    result: Result,
    record: RunRecord,
) -> tuple[Result, RunRecord]:
    """Write the report and return result and record with it; with a warning where it cannot be written."""
    try:
        report: Artifact = task.report(context.out, task, inputs, params, result, record)
    except Exception as error:
        # what was computed is not lost for a page about it
        why = f": {error.message}" if isinstance(error, UserError) else "; the log has the details."
        if is_disk_full(error):
            why = ": the disk is full."
        else:
            log.exception("no report")
        noted = replace(result, notes=(*result.notes, Note("warning", f"The report could not be written{why}")))
        return noted, replace(record, result=noted)
    return replace(result, artifacts=(*result.artifacts, report)), with_file(record, report)


def _run(
    task: Task, context: Context, inputs: Mapping[str, Path], params: Mapping[str, Value]
) -> Generator[Event, None, Finished]:
    """Pass the task's progress on; when this returns, what the task held in memory is free."""
    fraction = 0.0
    for event in task.run(context, inputs, params):
        if isinstance(event, Progress):
            fraction = min(1.0, max(fraction, event.fraction))
            yield replace(event, fraction=fraction)
        elif isinstance(event, Finished):
            return event
    raise RuntimeError(f"task {task.name} ended without a result")


def _find(tasks: str, name: str) -> Task:
    known = {task.name: task for task in cast("tuple[Task, ...]", import_module(tasks).TASKS)}
    if name not in known:
        raise UserError("unknown_task", f"There is no task named {name[:40]!r}.", f"Choose one of: {', '.join(known)}.")
    return known[name]


def _inputs(task: Task, spec: JobSpec) -> dict[str, Path]:
    known = {entry.name: entry for entry in task.inputs}
    for name in spec.inputs:
        if name not in known:
            raise UserError(
                "unknown_input", f"{task.title} takes no input {name[:40]!r}.", f"It takes: {', '.join(known)}."
            )
    for name, entry in known.items():
        if entry.required and not spec.inputs.get(name):
            raise UserError("input_missing", f"{task.title} needs the input {entry.title!r}.", entry.help)
        given = Path(spec.inputs.get(name) or ".")
        if spec.inputs.get(name) and not (given.is_file() or (entry.kind == "tissue" and given.is_dir())):
            raise UserError("file_missing", f"The file of {entry.title!r} does not exist.", "Check its path.")
    return {name: Path(path) for name, path in spec.inputs.items() if path}


def _is_memory(error: Exception) -> bool:
    text = str(error).lower()
    return isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)


def _out_of_memory() -> Failed:
    return Failed(
        "out_of_memory",
        "The machine ran out of memory.",
        "Close other programs, draw a smaller mask, or use fewer samples.",
    )


def _disk_full() -> Failed:
    return Failed(
        "write_failed", "The disk is full; the result could not be written.", "Free some space and run again."
    )


def _internal() -> Failed:
    return Failed("internal", "Something unexpected went wrong.", "The log has the details; please report it.")
