"""The addresses of a batch: its results as a zip, and its tables."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from core.batch.batch_tables import FAILED, SUMMARY, failed_text, summary_text
from webapp.door.headers import PRIVATE
from webapp.door.visitor import session_of
from webapp.pages.many.many_archive import archive, picture_of
from webapp.pages.many.many_state import ManyState, batch_state
from webapp.services import Services


def router(services: Services) -> APIRouter:
    """Return the routes ``/batch/<id>/...``, downloads for the session that made the batch."""
    routes = APIRouter()

    def opened(batch_id: str, request: Request) -> tuple[str, ManyState]:
        session = session_of(request)
        return session, batch_state(services, session, services.batches.one(batch_id, session))

    @routes.get("/batch/{batch_id}/results.zip")
    def results(batch_id: str, request: Request) -> Response:
        """The results of a batch of this session, a folder for each scan."""
        session, state = opened(batch_id, request)
        content = archive(services, state, lambda job: picture_of(services, session, job))
        return StreamingResponse(content, media_type="application/zip", headers=_headers(state, "results.zip"))

    @routes.get("/batch/{batch_id}/summary.csv")
    def summary(batch_id: str, request: Request) -> Response:
        """The table of a batch of this session."""
        _, state = opened(batch_id, request)
        return _table(summary_text(state.task, state.lines()), _headers(state, SUMMARY))

    @routes.get("/batch/{batch_id}/failed.csv")
    def failed(batch_id: str, request: Request) -> Response:
        """The scans of a batch of this session that failed."""
        _, state = opened(batch_id, request)
        return _table(failed_text(state.failures()), _headers(state, FAILED))

    return routes


def _headers(state: ManyState, name: str) -> dict[str, str]:
    title = f"counterscan-{state.task.name}-{state.record.id[:8]}-{name}"
    return {**PRIVATE, "content-disposition": f'attachment; filename="{title}"'}


def _table(text: str, headers: dict[str, str]) -> Response:
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)
