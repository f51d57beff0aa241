"""What things are called on the page: by their role, never by the name of a file."""

from __future__ import annotations

from core.declaration import Task
from core.result import BASELINE, Artifact


def input_title(task: Task, name: str) -> str:
    """Return the title of the input ``name`` of ``task``."""
    return {entry.name: entry.title for entry in task.inputs}[name]


def artifact_title(task: Task, artifact: Artifact) -> str:
    """Return the title of a result file of ``task``: as the task declares its kind, or the method that made it."""
    if artifact.kind != BASELINE:
        titles = {entry.name: entry.title for entry in task.outputs}
        # the run record belongs to every task, declared or not
        return titles.get(artifact.kind, artifact.kind.capitalize())
    method = next((each for each in task.methods if each.name == artifact.method), None)
    if method is None:
        return f"Method: {artifact.method}"
    return f"{'Plain method' if method.cheap else 'Method'}: {method.title}"
