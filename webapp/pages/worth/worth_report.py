"""An augmentation study as one HTML file with figures, and the address that gives it."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from core.augment.worth_results import WorthResults, from_json
from webapp.door.visitor import session_of
from webapp.pages.kit.offline import document, drawn, section
from webapp.pages.kit.results_files import results_at, results_path
from webapp.pages.kit.templates import joined
from webapp.pages.worth.worth_sections import VIEWS, sections
from webapp.services import Services
from webapp.store.records import JobRecord


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
    found: WorthResults = results_at(results_path(services, job, "worth", "a study"), from_json)
    return found


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
