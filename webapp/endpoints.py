"""The addresses of Counterscan itself: volumes for the viewer, drawn masks, downloads, static files."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi import Path as PathPart
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from core.errors import UserError
from webapp.api.dicom_download import dicom_answer
from webapp.door.file_answers import page_file, stored_file
from webapp.door.headers import LASTING, PRIVATE, UNKEPT
from webapp.door.refusals import BUSY, CODE, answer, is_shown, refusal_page
from webapp.door.visitor import session_of
from webapp.intake.proposals import proposed
from webapp.intake.scans import accept, incoming
from webapp.intake.slice_pictures import Kind, SlicePictures
from webapp.services import Services
from webapp.store.records import ScanRecord
from webapp.store.repository import not_found
from webapp.study import routes as study_routes

log = logging.getLogger(__name__)

# what the viewer reads; anything else, a report above all, is only ever given as a download
IMAGES = (".nii", ".nii.gz")
INTERNAL = UserError(
    "internal", "Something went wrong on our side.", "Try again; if it stays, report the name of the request."
)
UNREADABLE = UserError("bad_request", "The request cannot be read: its body.", "Send JSON in UTF-8, nested less deep.")
STATUS = {
    "not_found": 404,
    "no_session": 403,
    "not_allowed": 403,
    "no_account": 403,
    "bad_request": 422,
    "invitation_over": 410,
    "link_over": 404,
    "too_fast": 429,
    "still_running": 409,
    "queue_full": 429,
    "job_limit": 429,
    "too_large": 413,
    "too_many_tokens": 429,
    "disk_full": 507,
    "storage_away": 503,
}


def add_routes(app: FastAPI, services: Services) -> None:
    """Add every address of Counterscan to ``app``; it must be done before Gradio is mounted at "/"."""
    app.add_exception_handler(UserError, _explain)
    app.add_exception_handler(RequestValidationError, _misread)
    app.add_exception_handler(HTTPException, _unread)
    app.add_exception_handler(OperationalError, _put_off)
    app.add_exception_handler(Exception, _unexpected)
    app.include_router(study_routes.router(services))
    app.include_router(_images(services))
    app.include_router(_private(services))
    app.include_router(_open())


def _images(services: Services) -> APIRouter:
    """Return the addresses of what the viewer shows to a session."""
    router = APIRouter()
    repo, blobs, pictures = services.repo, services.blobs, SlicePictures()

    def opened(token: str, session: str) -> Path:
        """Return the volume that a token opens for a session."""
        blob = repo.blob_of(token, session)
        if not blob.endswith(IMAGES):
            raise not_found()
        return blobs.path(blob)

    @router.get("/vol/{token}/{name}")
    def volume(token: str, name: str, request: Request) -> Response:
        """A scan or a result of this session, for the viewer; ``name`` only gives the viewer its suffix."""
        return stored_file(opened(token, session_of(request)), headers=LASTING)

    @router.get("/slice/{token}/{axis}")
    def slice_picture(
        token: str,
        axis: Annotated[int, PathPart(ge=0, le=2)],
        request: Request,
        at: Annotated[float, Query(ge=0, le=1)] = 0.5,
        over: str = "",
        kind: Kind = "mask",
        minus: str = "",
    ) -> Response:
        """One slice of a volume of this session as a PNG; ``over`` and ``minus`` are tokens of volumes as well."""
        session = session_of(request)
        others = [opened(one, session) if one else None for one in (over, minus)]
        return Response(
            pictures.picture(opened(token, session), axis, at, others[0], kind, others[1]),
            media_type="image/png",
            headers=LASTING,
        )

    return router


def _private(services: Services) -> APIRouter:
    """Return the other addresses of a session's own files."""
    router = APIRouter()
    repo, blobs = services.repo, services.blobs

    @router.get("/files/{artifact_id}")
    def download(artifact_id: str, request: Request) -> Response:
        """A result of this session as a download."""
        found, task = repo.artifact(artifact_id, session_of(request))
        suffix = found.blob[found.blob.index(".") :]
        return stored_file(blobs.path(found.blob), f"counterscan-{task}-{found.name}-{found.job[:8]}{suffix}")

    @router.get("/files/{artifact_id}/dicom")
    def download_series(artifact_id: str, request: Request) -> Response:
        """A result of this session as a DICOM series, in a zip."""
        session = session_of(request)
        found, _ = repo.artifact(artifact_id, session)
        return dicom_answer(services, repo.job(found.job, session), found)

    @router.post("/proposal/{scan_id}")
    def proposal(scan_id: str, request: Request) -> Response:
        """A proposed mask for a scan of this session, gzipped NIfTI; a header names what it was made from."""
        data, basis = proposed(services, scan_id, session_of(request))
        return Response(data, media_type="application/gzip", headers={**PRIVATE, "x-counterscan-basis": basis})

    @router.post("/mask/{scan_id}")
    async def mask(scan_id: str, request: Request) -> Response:
        """A mask drawn in the browser: gzipped NIfTI on the scan's own grid."""
        record = await _received(services, request, scan_id)
        return JSONResponse(
            {
                "scan_id": record.id,
                "token": record.token,
                "voxels": record.facts["voxels"],
                "volume_ml": record.facts["volume_ml"],
                "warnings": list(record.warnings),
            },
            headers=PRIVATE,
        )

    return router


async def _received(services: Services, request: Request, scan_id: str) -> ScanRecord:
    """Record the body of a request as a mask of the scan."""
    path = await run_in_threadpool(incoming, services)
    try:
        with path.open("wb") as file:
            async for chunk in request.stream():
                file.write(chunk)
        return await run_in_threadpool(
            accept, services, path, "drawn mask.nii.gz", session_of(request), "mask", scan_id, same_grid=True
        )
    finally:
        path.unlink(missing_ok=True)


def _open() -> APIRouter:
    router = APIRouter()

    @router.get("/ui/{name:path}")
    def asset(name: str, request: Request) -> Response:
        """A file of the page itself."""
        return page_file(name, request.scope)

    return router


async def _explain(request: Request, error: Exception) -> Response:
    if not isinstance(error, UserError):
        raise error
    return _problem(request, error, STATUS.get(error.code, 422))


async def _misread(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    where = ".".join(str(part)[:40] for part in first["loc"][1:4])
    if first["type"] == "json_invalid":
        where = f"its body is no JSON from character {where} on"
    return _problem(
        request,
        UserError("bad_request", f"The request cannot be read: {where or 'its body'}.", f"{first['msg']}."),
        422,
    )


async def _unread(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code != 400:
        return await http_exception_handler(request, error)
    # what FastAPI raises for a body that JSON's own reader gives up: nested too deep, long numbers, no UTF-8
    return _problem(request, UNREADABLE, 422)


async def _put_off(request: Request, error: Exception) -> Response:
    if not isinstance(error, OperationalError):
        raise error
    # as a rule locked for longer than a write waits; the whole error contains what a visitor sent
    log.warning("a request was put off: %s", error.orig, extra={"route": request.scope["route"].path})
    return _problem(request, BUSY, 503, {"retry-after": "1"})


async def _unexpected(request: Request, error: Exception) -> Response:
    # whoever serves the application logs the error
    return answer(request.scope, 500, INTERNAL, UNKEPT)


def _problem(request: Request, error: UserError, status: int, headers: Mapping[str, str] = {}) -> Response:
    request.scope[CODE] = error.code
    if is_shown(request.scope):
        return refusal_page(request.scope, status, error, {**PRIVATE, **headers})
    body = {"code": error.code, "message": error.message, "hint": error.hint}
    return JSONResponse(body, status, {**PRIVATE, **headers})
