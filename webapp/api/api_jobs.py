"""Jobs of programs: queued, followed, cancelled, their results downloaded."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
from anyio import to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.exc import OperationalError

from core import tasks
from core.errors import UserError
from webapp.api.api_models import ROOT, JobRequest, JobView, file_name, job_view
from webapp.api.dicom_download import dicom_answer
from webapp.door.file_answers import stored_file
from webapp.door.headers import PRIVATE
from webapp.door.visitor import session_of
from webapp.services import Services
from webapp.store.records import ArtifactRecord, JobRecord
from webapp.store.repository import not_found
from webapp.store.states import OVER

# seconds between two looks of a follower at the board, and after which a silent stream shows that it lives
LOOK_SECONDS = 0.7
SILENT_SECONDS = 15.0
Look = Callable[[], Awaitable[JobView]]
Answers = dict[int | str, dict[str, Any]]
EVENTS: Answers = {200: {"content": {"text/event-stream": {}}, "description": "Events; the data of each is a job."}}
FILE: Answers = {200: {"content": {"application/octet-stream": {}}, "description": "The file."}}


def add_jobs(routes: APIRouter, services: Services) -> None:
    """Add the addresses under ``/jobs``."""
    repo = services.repo

    @routes.post("/jobs", status_code=202)
    def start_job(wanted: JobRequest, request: Request, response: Response) -> JobView:
        """Queue a job; the header Location is where it can be followed."""
        made = start(services, session_of(request), wanted)
        response.headers["location"] = f"{ROOT}/jobs/{made.id}"
        return made

    @routes.get("/jobs")
    def list_jobs(request: Request) -> list[JobView]:
        """The newest 50 jobs of this visitor, the newest first."""
        return [job_view(one) for one in repo.jobs(session_of(request))]

    @routes.get("/jobs/{job_id}")
    def read_job(job_id: str, request: Request) -> JobView:
        """A job as it stands; once a second is often enough to ask."""
        return job_view(repo.job(job_id, session_of(request)))

    @routes.post("/jobs/{job_id}/cancel")
    def cancel_job(job_id: str, request: Request) -> JobView:
        """Stop a job that waits or runs; one that is over stays as it is."""
        session = session_of(request)
        services.dispatcher.cancel(job_id, session)
        return job_view(repo.job(job_id, session))

    @routes.delete("/jobs/{job_id}", status_code=204)
    def delete_job(job_id: str, request: Request) -> Response:
        """Delete a job with its results for good; it is cancelled first if it is not over."""
        session = session_of(request)
        services.dispatcher.cancel(job_id, session)
        services.erasure.delete_job(job_id, session)
        return Response(status_code=204)


def add_results(routes: APIRouter, services: Services) -> None:
    """Add the addresses of a job's events and files."""
    repo = services.repo

    @routes.get("/jobs/{job_id}/events", response_class=StreamingResponse, responses=EVENTS)
    async def follow_job(job_id: str, request: Request) -> Response:
        """Server-sent events: progress whenever the job changes, end once it is over, which ends the stream."""
        session = session_of(request)
        # what is not this visitor's is refused before the stream begins
        first = job_view(await to_thread.run_sync(repo.job, job_id, session))
        sent = events(first, follower(services, first, session))
        return StreamingResponse(sent, media_type="text/event-stream", headers=PRIVATE)

    @routes.get("/jobs/{job_id}/results/{name}", response_class=Response, responses=FILE)
    def download_result(job_id: str, name: str, request: Request) -> Response:
        """A file of a finished job, by its name with or without its ending: result.nii.gz or result."""
        job, found = _found(services, session_of(request), job_id, name)
        title = f"counterscan-{job.task}-{job.id[:8]}-{file_name(found)}"
        return stored_file(services.blobs.path(found.blob), title)

    @routes.get("/jobs/{job_id}/results/{name}/dicom", response_class=Response, responses=FILE)
    def download_series(job_id: str, name: str, request: Request) -> Response:
        """The result, or a baseline, as a DICOM series in a zip: of no patient, with identifiers of its own."""
        job, found = _found(services, session_of(request), job_id, name)
        return dicom_answer(services, job, found)


def _found(services: Services, session: str, job_id: str, name: str) -> tuple[JobRecord, ArtifactRecord]:
    """Return a job of a visitor and its file of a name; UserError not_found."""
    job = services.repo.job(job_id, session)
    found = next((one for one in job.artifacts if name in (one.name, file_name(one))), None)
    if found is None:
        raise not_found()
    return job, found


def start(services: Services, session: str, wanted: JobRequest) -> JobView:
    """Queue a job of a visitor and return it; UserError: every code of ``Dispatcher.submit``."""
    task = tasks.find(wanted.task)
    params = {**task.preset_params(wanted.preset), **wanted.params}
    return job_view(services.repo.job(services.dispatcher.submit(session, task.name, wanted.inputs, params), session))


def follower(services: Services, first: JobView, session: str) -> Look:
    """Return what reads a job of a visitor again: from the board while it waits or runs, whole once it is over."""
    board = services.dispatcher.board

    async def look() -> JobView:
        standing = board.recall(first.id, session) or await to_thread.run_sync(board.alive, first.id, session)
        if standing is None:
            return job_view(await to_thread.run_sync(services.repo.job, first.id, session))
        moving = ("state", "fraction", "text", "position", "started")
        return first.model_copy(update={name: getattr(standing, name) for name in moving})

    return look


async def changes(first: JobView, look: Look, silent: float = math.inf) -> AsyncIterator[JobView | None]:
    """Yield a job, then what it has become whenever it has changed, until it is over or deleted; look: reads it again.

    silent: yield None after so many seconds without a change.
    """
    job, waited = first, 0.0
    yield job
    while job.state not in OVER:
        await anyio.sleep(LOOK_SECONDS)
        waited += LOOK_SECONDS
        try:
            seen = await look()
        except OperationalError:
            # looked at again soon
            continue
        except UserError:
            return
        if seen != job:
            job, waited = seen, 0.0
            yield job
        elif waited >= silent:
            waited = 0.0
            yield None


async def events(first: JobView, look: Look) -> AsyncIterator[str]:
    """Yield what a job has to report as server-sent events, until it is over or deleted; look: reads it again."""
    async for job in changes(first, look, SILENT_SECONDS):
        if job is None:
            yield ": waiting\n\n"
        else:
            yield _event("end" if job.state in OVER else "progress", job)


def _event(name: str, job: JobView) -> str:
    return f"event: {name}\ndata: {job.model_dump_json()}\n\n"
