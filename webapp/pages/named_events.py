"""Events of the page that programs call by the name of a task, with the library gradio_client."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, cast

import gradio as gr
from anyio import to_thread
from gradio.events import api
from pydantic import ValidationError

from core import tasks
from core.declaration import Input, Task
from core.errors import UserError
from webapp.api.api_files import take
from webapp.api.api_jobs import changes, follower, start
from webapp.api.api_models import JobRequest, JobView, Kind
from webapp.door.visitor import session_of
from webapp.services import Services

# calls of one event that wait for their jobs, which takes no thread
AT_ONCE = 100
UNREADABLE = UserError(
    "bad_request", "The call cannot be read.", "Give files by handle_file, and params by their names."
)


def build(services: Services) -> None:
    """Add one event a task to the page that is being built."""
    for task in tasks.TASKS:
        api(
            _event(services, task),
            api_name=task.name,
            api_description=f"{task.summary} Gives the job whenever it changes, last of all when it is over.",
            concurrency_limit=AT_ONCE,
        )


def _event(services: Services, task: Task) -> Callable[..., AsyncIterator[dict[str, Any]]]:
    """Return what runs a task: its inputs, the name of a preset, and parameters by name."""

    async def run(request: gr.Request, *values: object) -> AsyncIterator[dict[str, Any]]:
        session = session_of(request)
        try:
            first = await to_thread.run_sync(_started, services, session, task, values)
        except UserError as error:
            raise gr.Error(f"{error.message} {error.hint} [{error.code}]", print_exception=False) from error
        async for job in changes(first, follower(services, first, session)):
            if job is not None:
                yield job.model_dump(mode="json")

    # Gradio reads the names, types and defaults of a function's parameters
    run.__annotations__.update(_types(task))
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    first_of_all = inspect.Parameter("request", kind)
    defaults: dict[str, object] = {
        "preset": "",
        "params": {},
        **{entry.name: None for entry in task.inputs if not entry.required},
    }
    given = [
        inspect.Parameter(name, kind, default=defaults.get(name, inspect.Parameter.empty)) for name in _types(task)
    ]
    cast(Any, run).__signature__ = inspect.Signature([first_of_all, *given], return_annotation=dict)
    return run


def _types(task: Task) -> dict[str, type]:
    """Return name -> type of what an event is given, in order; a file comes as Gradio's description of it."""
    return {**{entry.name: dict for entry in task.inputs}, "preset": str, "params": dict}


def _started(services: Services, session: str, task: Task, values: Sequence[object]) -> JobView:
    """Take the files of a call and queue its job; UserError: every code of the intake and of the queue."""
    files, (preset, params) = values[: len(task.inputs)], values[len(task.inputs) :]
    inputs: dict[str, str] = {}
    try:
        wanted = JobRequest.model_validate({"task": task.name, "preset": preset or None, "params": params or {}})
    except ValidationError as error:
        raise UNREADABLE from error
    for entry, value in zip(task.inputs, files, strict=True):
        if value is not None:
            inputs[entry.name] = _taken(services, session, entry, value, inputs.get(task.inputs[0].name))
    return start(services, session, wanted.model_copy(update={"inputs": inputs}))


def _taken(services: Services, session: str, entry: Input, value: object, before: str | None) -> str:
    """Return the id of the file that a value is: one that was uploaded for this call, or the id of an earlier one."""
    if isinstance(value, str):
        return services.repo.scan(value, session).id
    # the door passes no path on but of this visitor's own uploads
    described = value if isinstance(value, list) else [value]
    paths = [one["path"] for one in described if isinstance(one, dict) and isinstance(one.get("path"), str)]
    if not paths or len(paths) != len(described):
        raise UNREADABLE
    kind: Kind = "pictures" if entry.kind == "tissue" and entry.pictures else entry.kind
    belongs_to = before if kind in ("mask", "tissue", "pictures") else None
    return take(services, session, [Path(path) for path in paths], kind, belongs_to).id
