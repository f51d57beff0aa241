"""What things are called on the page: by their role, never by the name of a file."""

from __future__ import annotations

from core.methods import of_task
from core.tasks.base import Task

PLAIN = "baseline-"


def title_of(task: Task, name: str) -> str:
    """Return the title of an input or an output of ``task``; of a plain method, that of the method."""
    declared = {entry.name: entry.title for entry in task.inputs}
    declared |= {entry.name: entry.title for entry in task.outputs}
    if name.startswith(PLAIN):
        method = name.removeprefix(PLAIN)
        titles = {each.name: each.title for each in of_task(task.name)}
        return f"Plain method: {titles.get(method, method)}"
    return declared.get(name, name.replace("-", " ").replace("_", " ").capitalize())
