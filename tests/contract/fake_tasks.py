"""Tasks that do little, to test engines with: count, wait, fail, eat the process."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core import weights
from core.declaration import Context, Estimate, Output, Param, Run, Task
from core.errors import UserError
from core.events import Event, Finished, Progress
from core.result import Finding, Result, artifact_in
from core.tasks import find


def count(context: Context, inputs: Mapping[str, Path], params: Mapping[str, Any]) -> Iterator[Event]:
    """Take ``steps`` steps of ``pause`` seconds and write the number of this process."""
    for step in range(params["steps"]):
        time.sleep(params["pause"])
        yield Progress((step + 1) / params["steps"], step + 1, params["steps"], "Counting")
    count = artifact_in(context.out, "count", ".json")
    Path(count.path).write_text(json.dumps(params["steps"]))
    yield Finished(Result((count,), findings=(_process(),)))


def refuse(context: Context, inputs: Mapping[str, Path], params: Mapping[str, Any]) -> Iterator[Event]:
    """Fail as a task does when the user can help."""
    yield Progress(0.5, 1, 2, "Trying")
    raise UserError("empty_mask", "The mask is empty.", "Draw one.")


def crash(context: Context, inputs: Mapping[str, Path], params: Mapping[str, Any]) -> Iterator[Event]:
    """Fail as a task does when it has a fault."""
    yield Progress(0.5, 1, 2, "Trying")
    raise ZeroDivisionError


def exhaust(context: Context, inputs: Mapping[str, Path], params: Mapping[str, Any]) -> Iterator[Event]:
    """Fail as a task does when memory is out."""
    yield Progress(0.5, 1, 2, "Trying")
    raise MemoryError


def shout(context: Context, inputs: Mapping[str, Path], params: Mapping[str, Any]) -> Iterator[Event]:
    """Write noise to every stream a library may write to, then succeed."""
    os.write(1, b'{"event": "Failed"}\n')
    os.write(2, b"\xff\n")
    yield Progress(0.9, 1, 2, "falls after this")
    yield Progress(0.1, 2, 2, "line\nbreak \u2603")
    yield Finished(Result(findings=(_process(),)))


def helper(context: Context, inputs: Mapping[str, Path], params: Mapping[str, Any]) -> Iterator[Event]:
    """Start a process that would outlive this one, and report its number."""
    started = subprocess.Popen(["sleep", "600"])
    yield Progress(0.5, 1, 2, str(started.pid))
    time.sleep(params["pause"])
    os._exit(1)


def look(context: Context, inputs: Mapping[str, Path], params: Mapping[str, Any]) -> Iterator[Event]:
    """Find out which networks this process has loaded."""
    yield Progress(0.5, 1, 2, "Looking")
    yield Finished(Result(findings=(Finding("loaded", "Loaded", len(weights._loaded)), _process())))


def _process() -> Finding:
    return Finding("pid", "Process", os.getpid())


def _task(name: str, run: Run) -> Task:
    return Task(
        name=name,
        title=name.title(),
        summary=f"{name}s",
        inputs=(),
        outputs=(Output("count", "json", "Count"),),
        params=(
            Param("steps", "int", 3, "Steps", "How many.", low=1, high=10_000),
            Param("pause", "float", 0.0, "Pause", "Between steps.", low=0, high=600, unit="s"),
        ),
        run=run,
        estimate=lambda inputs, params, device: Estimate(params["steps"] * params["pause"], 1 << 20, 0),
    )


TASKS = (
    _task("count", count),
    _task("refuse", refuse),
    _task("crash", crash),
    _task("exhaust", exhaust),
    _task("shout", shout),
    _task("helper", helper),
    _task("look", look),
    # a real one, whose files travel
    find("inpaint"),
)
