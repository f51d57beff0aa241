"""What an open page asks by itself: how far its job is, and how long the queue."""

from __future__ import annotations

import hashlib

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from webapp.door.headers import PRIVATE
from webapp.door.visitor import session_of
from webapp.pages.kit.boxes import queue_words
from webapp.pages.kit.job_progress import progress
from webapp.services import Services
from webapp.store.repository import not_found

# threads of its own: those of everybody may all be taken by uploads
LOOKS_AT_ONCE = 4
MARK_LETTERS = 16


def mark_of(session: str) -> str:
    """Return what tells a session from others and names none."""
    return hashlib.sha256(f"mark of {session}".encode()).hexdigest()[:MARK_LETTERS]


def router(services: Services) -> APIRouter:
    """Return the addresses, which hundreds of pages ask every second or two: as a rule in no thread of their own."""
    found, dispatcher, looks = APIRouter(), services.dispatcher, CapacityLimiter(LOOKS_AT_ONCE)

    @found.get("/progress/{job_id}")
    async def follow(job_id: str, request: Request) -> Response:
        """How far a job of this session is."""
        session = session_of(request)
        job = dispatcher.board.recall(job_id, session)
        if job is None:
            job = await to_thread.run_sync(dispatcher.board.find, job_id, session, limiter=looks)
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
        """How long the queue is, in words, and a mark of the session, by which a page notices that it is another's."""
        session = session_of(request)
        words = queue_words(await to_thread.run_sync(dispatcher.waiting, limiter=looks))
        return JSONResponse({"text": words, "whose": mark_of(session)}, headers=PRIVATE)

    return found
