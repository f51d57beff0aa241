"""What a program that speaks the Model Context Protocol may call: every task, and what it needs around them."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from anyio import to_thread
from pydantic import ValidationError

from core import tasks
from core.declaration import Task
from core.errors import UserError
from core.option_schema import option_schema
from webapp.api.api_jobs import Look, changes, follower, start
from webapp.api.api_models import JobRequest, JobView, file_view, job_view
from webapp.services import Services

# how long a call may wait for its job, in seconds: what speaks the protocol gives up after a minute as a rule
LONGEST_WAIT, USUAL_WAIT = 50, 20
WAIT = {
    "type": "number", "minimum": 0, "maximum": LONGEST_WAIT, "default": USUAL_WAIT,
    "description": "For how many seconds the answer may wait for the job to be over.",
}  # fmt: skip
# what waits for no job
AT_ONCE = ("list_files", "list_jobs", "cancel_job")
JOB_ID = {"type": "string", "description": "Id of a job."}
ABOUT = (
    "Counterscan computes pseudo-healthy, sharper and translated brain scans, for research only: nothing of it is a "
    "diagnosis. Files are named by ids: list_files has those of this user, which they load on the page, or upload by "
    "POST /api/v1/files. A job that is not over when a call returns goes on: read_job has it. The files of a result "
    "are downloaded from their addresses on this server, with the token of this connection."
)


@dataclass(frozen=True)
class Tool:
    """One thing to call: its name, what it does, the JSON schema of its arguments; changes: whether it changes data."""

    name: str
    title: str
    text: str
    schema: Mapping[str, Any]
    changes: bool = False


def tools() -> tuple[Tool, ...]:
    """Return every tool: those of the tasks by their names, and four to find files and to follow jobs."""
    by_id = {"job": JOB_ID}
    return (
        *(_of_task(task) for task in tasks.TASKS),
        Tool("list_files", "List files", "The newest 50 scans, masks and data of this user.", _object({})),
        Tool("list_jobs", "List jobs", "The newest 50 jobs of this user.", _object({})),
        Tool(
            "read_job", "Read a job", "A job as it stands, or once it is over.", _object({**by_id, "wait": WAIT}, "job")
        ),
        Tool("cancel_job", "Cancel a job", "Stop a job that waits or runs.", _object(by_id, "job"), changes=True),
    )


async def called(services: Services, session: str, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Do what a tool does for a visitor and return what it gives.

    UserError: unknown_task for a tool that there is not, bad_request, and every code of the queue.
    """
    given = dict(arguments)
    if name in AT_ONCE:
        return await to_thread.run_sync(_at_once, services, session, name, given)
    wait = given.pop("wait", USUAL_WAIT)
    if isinstance(wait, bool) or not isinstance(wait, int | float) or not 0 <= wait <= LONGEST_WAIT:
        raise UserError("bad_request", f"wait is a number of seconds up to {LONGEST_WAIT}.", "Leave it out.")
    first = await to_thread.run_sync(_begun, services, session, name, given)
    return (await _waited(first, follower(services, first, session), wait)).model_dump(mode="json")


def failed(name: str, found: Mapping[str, Any]) -> bool:
    """Return whether what the tool `name` gave is a job that failed: a program that reads no state must see it too."""
    return name not in AT_ONCE and found["state"] == "failed"


def _of_task(task: Task) -> Tool:
    """Return the tool of a task: its inputs by the ids of files, a preset, parameters."""
    inputs = {
        entry.name: {"type": "string", "description": f"Id of a file of kind {entry.kind}. {entry.title}: {entry.help}"}
        for entry in task.inputs
    }
    params = {key: value for key, value in option_schema(task).items() if key != "$schema"}
    presets = {"type": "string", "enum": [one.name for one in task.presets], "description": "Settings at once."}
    schema = _object(
        {**inputs, **({"preset": presets} if task.presets else {}), "params": params, "wait": WAIT},
        *(entry.name for entry in task.required),
    )
    return Tool(task.name, task.title, f"{task.summary} Queues a job and gives it.", schema, changes=True)


def _object(properties: Mapping[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": list(required), "additionalProperties": False}


def _at_once(services: Services, session: str, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Do what a tool does that waits for nothing."""
    if name == "cancel_job":
        job_id = _job_id(given)
        services.dispatcher.cancel(job_id, session)
        return job_view(services.repo.job(job_id, session)).model_dump(mode="json")
    if name == "list_files":
        return {"files": [file_view(one).model_dump(mode="json") for one in services.repo.scans(session)]}
    return {"jobs": [job_view(one).model_dump(mode="json") for one in services.repo.jobs(session)]}


def _begun(services: Services, session: str, name: str, given: Mapping[str, Any]) -> JobView:
    """Return the job that a call is about, queued if it is to be."""
    if name == "read_job":
        return job_view(services.repo.job(_job_id(given), session))
    task = tasks.find(name)
    more = ("preset", "params")
    body = {"task": task.name, "inputs": {key: value for key, value in given.items() if key not in more}}
    try:
        wanted = JobRequest.model_validate({**body, **{key: given[key] for key in more if key in given}})
    except ValidationError as error:
        raise UserError("bad_request", "The arguments do not fit the tool.", "See its schema.") from error
    return start(services, session, wanted)


async def _waited(first: JobView, look: Look, seconds: float) -> JobView:
    """Return a job once it is over, or as it stands after so many seconds."""
    job, until = first, time.monotonic() + seconds
    async for seen in changes(first, look, silent=0.0):
        job = seen or job
        if time.monotonic() >= until:
            break
    return job


def _job_id(given: Mapping[str, Any]) -> str:
    job_id = given.get("job")
    if not isinstance(job_id, str):
        raise UserError("bad_request", "The id of a job is missing.", "Give it as job.")
    return job_id


def as_text(value: Mapping[str, Any]) -> str:
    """Return what a tool gives for programs that read texts alone."""
    return json.dumps(value, ensure_ascii=False)
