"""A task that only takes time, in the worker process of a real engine."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.declaration import Context, Estimate, Input, Output, Param, Task
from core.events import Event, Finished, Progress
from core.result import Artifact, Result


def run(context: Context, inputs: Mapping[str, Path], params: Mapping[str, Any]) -> Iterator[Event]:
    """Wait ``params["seconds"]`` in 50 steps, then copy the scan."""
    for step in range(1, 51):
        time.sleep(params["seconds"] / 50)
        yield Progress(step / 50, step, 50, "waiting")
    result = context.out / "result.nii.gz"
    result.write_bytes(inputs["t1"].read_bytes())
    yield Finished(Result((Artifact("result", str(result)),)))


def estimate(inputs: Mapping[str, Path], params: Mapping[str, Any], device: str) -> Estimate:
    """Return the cost: next to nothing."""
    return Estimate(1.0, 1, 0)


TASK = Task(
    name="slow",
    title="Slow",
    summary="Waits.",
    inputs=(Input("t1", "volume", "T1", "Any scan."),),
    outputs=(Output("result", "volume", "Result"),),
    params=(Param("seconds", "float", 1.0, "Seconds", "How long.", low=0, high=60),),
    run=run,
    estimate=estimate,
)
TASKS = (TASK,)


def find(name: str) -> Task:
    """Return the task."""
    return {task.name: task for task in TASKS}[name]
