"""The tasks the program knows; importing them loads neither torch nor scipy."""

from __future__ import annotations

from core.declaration import Task
from core.errors import UserError
from core.failure import task as failure
from core.imaging.inpaint import task as inpaint
from core.imaging.superres import task as superres
from core.imaging.translate import task as translate

TASKS: tuple[Task, ...] = (inpaint.TASK, superres.TASK, translate.TASK, failure.TASK)


def find(name: str) -> Task:
    """Return the task called ``name``, or raise ``UserError("unknown_task")``."""
    for task in TASKS:
        if task.name == name:
            return task
    known = ", ".join(task.name for task in TASKS)
    raise UserError("unknown_task", f"There is no task named {name[:40]!r}.", f"Choose one of: {known}.")
