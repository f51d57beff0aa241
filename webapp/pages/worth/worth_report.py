"""An augmentation study as one HTML file with figures, and the address that gives it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Request, Response

from core import tasks
from core.augment.worth_results import WorthResults, from_json
from core.errors import UserError
from webapp.door.visitor import session_of
from webapp.pages.kit.offline import document, drawn, section
from webapp.pages.kit.templates import joined
from webapp.pages.worth.worth_sections import VIEWS, sections
from webapp.services import Services
from webapp.store.records import JobRecord

RESULTS = "results"


def page(results: WorthResults) -> str:
    """Return the whole report of ``results``."""
    made = sections(results)
    parts = []
    for title in dict.fromkeys(VIEWS.values()):
        found = [made[name] for name, tab in VIEWS.items() if tab == title]
        parts.append(
            section(title, joined(part for one in found for part in (one.above, drawn(one.figure), one.below)))
        )
    return document("Worth of synthetic images", "Research use only, not for diagnosis.", joined(parts))


def load(services: Services, job: JobRecord) -> WorthResults:
    """Return what a finished job found; UserError not_found, bad_results."""
    found = job.artifact(RESULTS)
    if tasks.find(job.task).page.kind != "worth" or found is None:
        raise UserError("not_found", "This run has no results of a study.", "Wait until it is done.")
    return _read(services.blobs.path(found.blob))


def router(services: Services) -> APIRouter:
    """Return the route ``/worth/<job>.html``, a download for the session that made the job."""
    routes = APIRouter()

    @routes.get("/worth/{job_id}.html")
    def study(job_id: str, request: Request) -> Response:
        """The report of a job of this session."""
        job = services.repo.job(job_id, session_of(request))
        headers = {
            "content-disposition": f'attachment; filename="counterscan-{job.task}-{job.id[:8]}.html"',
            "cache-control": "private, no-store",
        }
        return Response(page(load(services, job)), media_type="application/octet-stream", headers=headers)

    return routes


# blobs never change
@lru_cache(maxsize=8)
def _read(path: Path) -> WorthResults:
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError("not_found", "This file is no longer on the server.", "Run the job again.") from error
