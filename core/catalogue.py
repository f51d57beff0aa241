"""The tasks as JSON-able values: what the command line prints and other programs read."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from core import weights
from core.declaration import Method, Task
from core.tasks import TASKS


def catalogue() -> list[dict[str, Any]]:
    """Return every task with its inputs, outputs, parameters, presets, methods and weights."""
    return [describe(task) for task in TASKS]


def describe(task: Task) -> dict[str, Any]:
    """Return one task; a weight file that is not in the manifest is listed with ``installed`` false."""
    entries = weights.entries()
    return {
        "name": task.name,
        "title": task.title,
        "summary": task.summary,
        "inputs": [asdict(entry) for entry in task.inputs],
        "outputs": [asdict(entry) for entry in task.outputs],
        "params": [asdict(param) for param in task.params],
        "presets": [asdict(preset) for preset in task.presets],
        "methods": [_public(method) for method in task.methods],
        "weights": [_weights(name, entries.get(name)) for name in task.weights],
    }


def _public(method: Method) -> dict[str, Any]:
    return {name: getattr(method, name) for name in ("name", "title", "source", "cost", "cheap", "weights")}


def _weights(name: str, entry: weights.Entry | None) -> dict[str, Any]:
    if entry is None:
        return {"name": name, "installed": False}
    described = {field.name: getattr(entry, field.name) for field in fields(entry)}
    return {"installed": (weights.folder() / entry.file).is_file(), **described}
