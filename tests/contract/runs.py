"""Runs of every method of every task, each made once and read by all promises."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.declaration import Task
from core.engine.execute import execute
from core.engine.local import LocalEngine
from core.engine.protocol import JobSpec
from core.events import Event, Finished
from tests.contract.conftest import Runner, finish

# what differs between runs with two seeds, wherever a method draws at all
DRAWN = {"samples": 2, "steps": 2, "seed": 7, "mode": "realistic", "compare": False}
USUAL = {"samples": 2, "steps": 2}
ALONE = {"samples": 1, "steps": 1, "compare": False}


@dataclass(frozen=True)
class Ran:
    """A finished job: what it was given, its events, the last of them and the folder of its files."""

    params: Mapping[str, object]
    events: list[Event]
    last: Finished
    out: Path

    @property
    def record(self) -> Any:
        """What stands in ``run.json``."""
        return json.loads(Path(self.last.files["run"]).read_text())


class Runs:
    """Makes a run when a test first asks for it; one child for each task, which its runs share.

    A child measures the memory of what it does, so it does what needs no network before what loads torch.
    """

    def __init__(self, folder: Path, scans: Mapping[str, dict[str, str]]) -> None:
        self._folder = folder
        self._scans = scans
        self._made: dict[tuple[str, str, str], Ran] = {}
        self._engines: dict[str, LocalEngine] = {}

    def engine(self, task: Task) -> LocalEngine:
        """Return the engine whose child is that of ``task``."""
        if task.name not in self._engines:
            self._engines[task.name] = LocalEngine("cpu")
        return self._engines[task.name]

    def close(self) -> None:
        """End the children."""
        for engine in self._engines.values():
            engine.close()

    def here(self, task: Task, method: str) -> Ran:
        """Return the run of a method in this process that draws two realistic samples."""
        return self._run("here", task, method, execute, {"method": method, **DRAWN})

    def child(self, task: Task, method: str) -> Ran:
        """Return the same run in the task's child."""
        self.usual(task, method)
        return self._run("child", task, method, self._in_child(task), {"method": method, **DRAWN})

    def twin(self, task: Task, method: str) -> Ran:
        """Return the run that must give the bytes that ``child`` gives.

        It is the one here; without a network it is a second one in the child, because a report names the libraries
        that are loaded, and here torch always is.
        """
        if method not in self._light(task):
            return self.here(task, method)
        self.child(task, method)
        return self._run("twin", task, method, self._in_child(task), {"method": method, **DRAWN})

    def usual(self, task: Task, method: str) -> Ran:
        """Return the run in the task's child in the usual mode, beside the plain methods if it is the task's first.

        It comes after those of all methods that need no network.
        """
        for name in [*self._light(task), method]:
            params = {"method": name, **USUAL, "compare": name == task.methods[0].name}
            ran = self._run("usual", task, name, self._in_child(task), params)
        return ran

    def alone(self, task: Task, method: str) -> Ran:
        """Return the run in this process of a method alone, with one sample in one step, in the usual mode."""
        return self._run("alone", task, method, execute, {"method": method, **ALONE})

    def preset(self, task: Task, name: str) -> Ran:
        """Return the run of a preset, alone, or with every parameter left alone for the name "default"."""
        params: dict[str, dict[str, object]] = {"default": {}}
        params |= {preset.name: {**preset.params, "compare": False} for preset in task.presets}
        return self._run("preset", task, name, execute, params[name])

    def _light(self, task: Task) -> list[str]:
        return [method.name for method in task.methods if not method.weights]

    def _in_child(self, task: Task) -> Runner:
        return lambda spec: self.engine(task).run("job", spec)

    def _run(self, place: str, task: Task, name: str, runner: Runner, params: Mapping[str, object]) -> Ran:
        key = (place, task.name, name)
        if key not in self._made:
            out = self._folder / "-".join(key)
            out.mkdir(exist_ok=True)
            events, last = finish(runner, JobSpec(task.name, self._scans[task.name], params, str(out), "cpu"))
            self._made[key] = Ran(params, events, last, out)
        return self._made[key]
