"""What things are called on the page: by their role, never by the name of a file."""

from __future__ import annotations

from core.declaration import Method, Task

PLAIN = "baseline-"


def title_of(task: Task, name: str) -> str:
    """Return the title of an input or an output of ``task``; of a method run beside, what it is called."""
    declared = {entry.name: entry.title for entry in task.inputs}
    declared |= {entry.name: entry.title for entry in task.outputs}
    if name.startswith(PLAIN):
        method = name.removeprefix(PLAIN)
        return next((_beside(each) for each in task.methods if each.name == method), f"Method: {method}")
    return declared.get(name, name.replace("-", " ").replace("_", " ").capitalize())


def _beside(method: Method) -> str:
    return f"{'Plain method' if method.cheap else 'Method'}: {method.title}"
