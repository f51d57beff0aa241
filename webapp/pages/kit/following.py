"""What an open page asks by itself: how far its job is, and how long the queue."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from webapp.door.headers import PRIVATE
from webapp.door.visitor import session_of
from webapp.pages.kit.boxes import queue_words
from webapp.pages.kit.job_progress import progress
from webapp.services import Services
from webapp.store.repository import not_found


def router(services: Services) -> APIRouter:
    """Return the addresses, which hundreds of pages ask every second or two: as a rule in no thread of their own."""
    found, dispatcher = APIRouter(), services.dispatcher

    @found.get("/progress/{job_id}")
    async def follow(job_id: str, request: Request) -> Response:
        """How far a job of this session is."""
        session = session_of(request)
        job = dispatcher.board.recall(job_id, session)
        if job is None:
            job = await run_in_threadpool(dispatcher.board.find, job_id, session)
        version = dispatcher.preview_version(job_id) if job.state == "running" else 0
        picture = f"/progress/{job_id}/picture?version={version}" if version else ""
        return JSONResponse(progress(job, picture), headers=PRIVATE)

    @found.get("/progress/{job_id}/picture")
    def picture(job_id: str, request: Request) -> Response:
        """What the result of a running job of this session looks like so far, a PNG."""
        png = dispatcher.preview(job_id, session_of(request))
        if png is None:
            raise not_found()
        return Response(png, media_type="image/png", headers=PRIVATE)

    @found.get("/queue")
    async def queue(request: Request) -> Response:
        """How long the queue is, in words."""
        session_of(request)
        return JSONResponse({"text": queue_words(await run_in_threadpool(dispatcher.waiting))}, headers=PRIVATE)

    return found
