"""A run of the failure lab as one HTML file that opens without a network, and the address that gives it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from core import tasks
from core.errors import UserError
from core.failure.results import Results
from core.failure.results_json import from_json
from webapp.door.visitor import session_of
from webapp.pages.kit.offline import document, drawn, section
from webapp.pages.kit.templates import joined
from webapp.pages.kit.view_place import Section
from webapp.pages.lab.sections import VIEWS, sections, usual
from webapp.services import Services
from webapp.store.records import JobRecord

RESULTS = "results"


def page(results: Results, look: str = "", beside: str = "") -> str:
    """Return the whole report of ``results``; look, beside: models to show, the usual ones if not named."""
    first, second = usual(results)
    made = sections(results, look or first, beside or second)
    body = joined(_tab(title, made) for title in dict.fromkeys(VIEWS.values()))
    return document("Failure lab", "Research use only, not for diagnosis.", body)


def load(services: Services, job: JobRecord) -> Results:
    """Return what a finished job found; UserError not_found, bad_results."""
    found = job.artifact(RESULTS)
    if tasks.find(job.task).page.kind != "lab" or found is None:
        raise UserError("not_found", "This run has no results of the failure lab.", "Wait until it is done.")
    return _read(services.blobs.path(found.blob))


def router(services: Services) -> APIRouter:
    """Return the route ``/lab/<job>.html``, a download for the session that made the job."""
    routes = APIRouter()

    @routes.get("/lab/{job_id}.html")
    def report(job_id: str, request: Request, look: str = "", beside: str = "") -> Response:
        """The report of a job of this session."""
        job = services.repo.job(job_id, session_of(request))
        headers = {
            "content-disposition": f'attachment; filename="counterscan-{job.task}-{job.id[:8]}.html"',
            "cache-control": "private, no-store",
        }
        return Response(page(load(services, job), look, beside), media_type="application/octet-stream", headers=headers)

    return routes


# blobs never change
@lru_cache(maxsize=8)
def _read(path: Path) -> Results:
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError("not_found", "This file is no longer on the server.", "Run the job again.") from error


def _tab(title: str, made: Mapping[str, Section]) -> Markup:
    found = [made[name] for name, tab in VIEWS.items() if tab == title]
    return section(title, joined(part for one in found for part in (one.above, drawn(one.figure), one.below)))
