"""The tasks the program knows; importing them loads neither numpy, scipy nor torch."""

from __future__ import annotations

from importlib import import_module

from core.declaration import Task
from core.errors import UserError

# one line a task: the module whose TASK declares it, in the order of the page
MODULES = (
    "core.imaging.inpaint.task",
    "core.imaging.superres.task",
    "core.imaging.translate.task",
    "core.failure.task",
    "core.augment.task",
)

TASKS: tuple[Task, ...] = tuple(import_module(name).TASK for name in MODULES)


def find(name: str) -> Task:
    """Return the task called ``name``, or raise ``UserError("unknown_task")``."""
    for task in TASKS:
        if task.name == name:
            return task
    known = ", ".join(task.name for task in TASKS)
    raise UserError("unknown_task", f"There is no task named {name[:40]!r}.", f"Choose one of: {known}.")
