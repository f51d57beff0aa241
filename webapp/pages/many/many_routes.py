"""The addresses of a batch: its results as a zip, and its tables."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from core.batch.batch_tables import FAILED, failed_text, summary_text
from webapp.door.headers import PRIVATE
from webapp.door.visitor import session_of
from webapp.pages.many.many_archive import archive
from webapp.pages.many.many_state import batch_state
from webapp.pages.thumbnails import picture_of
from webapp.services import Services

Kind = Literal["results.zip", "summary.csv", "failed.csv"]


def router(services: Services) -> APIRouter:
    """Return the route ``/batch/<id>/<file>``, a download for the session that made the batch."""
    routes = APIRouter()

    @routes.get("/batch/{batch_id}/{kind}")
    def download(batch_id: str, kind: Kind, request: Request) -> Response:
        """The results of a batch of this session."""
        session = session_of(request)
        state = batch_state(services, session, services.batches.one(batch_id, session))
        headers = {
            **PRIVATE,
            "content-disposition": f'attachment; filename="counterscan-{state.task.name}-{batch_id[:8]}-{kind}"',
        }
        if kind == "results.zip":
            content = archive(services, state, lambda job: picture_of(services, session, job))
            return StreamingResponse(content, media_type="application/zip", headers=headers)
        text = failed_text(state.failures()) if kind == FAILED else summary_text(state.task, state.lines())
        return Response(text, media_type="text/csv; charset=utf-8", headers=headers)

    return routes
