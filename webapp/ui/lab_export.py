"""A run of the failure lab as one HTML file that opens without a network, and the address that gives it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import plotly.graph_objects as go
from fastapi import APIRouter, Request, Response
from plotly.io import to_html
from plotly.offline import get_plotlyjs

from core import __version__
from core.errors import UserError
from core.failure.exchange import from_json
from core.failure.results import Results
from webapp.guard import session_of
from webapp.services import Services
from webapp.store.records import JobRecord
from webapp.ui.lab_sections import VIEWS, Section, sections, usual
from webapp.ui.lab_view import SORT
from webapp.ui.text import safe

STYLE = Path(__file__).parents[2] / "assets" / "style" / "style.css"
RESULTS = "results"
TASK = "failure"
PLOT = {"displaylogo": False, "responsive": True}
OWN = """
body { margin: 0; background: var(--cs-ground); color: var(--cs-text); }
body { font: 14px/1.5 "IBM Plex Sans", system-ui, sans-serif; }
main { max-width: 1100px; margin: 0 auto; padding: 20px 16px 48px; display: grid; gap: 16px; }
h1, h2, h3, p, ul, dl, dd, figure { margin: 0; }
h2 { font-size: 17px; }
"""


def page(results: Results, look: str = "", beside: str = "") -> str:
    """Return the whole report of ``results``; look, beside: models to show, the usual ones if not named."""
    first, second = usual(results)
    made = sections(results, look or first, beside or second)
    body = "".join(_tab(title, made) for title in dict.fromkeys(VIEWS.values()))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="dark">'
        f"<title>Failure lab</title><style>{STYLE.read_text(encoding='utf-8')}{OWN}</style>"
        f"<script>{get_plotlyjs()}</script></head>"
        f'<body class="gradio-container"><main><header><h1>Failure lab</h1><p class="cs-hint">Counterscan '
        f"{safe(__version__)}. Research use only, not for diagnosis.</p></header>{body}</main>"
        f"<script>const element = document.body; {SORT}</script></body></html>\n"
    )


def load(services: Services, job: JobRecord) -> Results:
    """Return what a finished job found; UserError not_found, bad_results."""
    found = next((one for one in job.artifacts if one.name == RESULTS), None)
    if job.task != TASK or found is None:
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
            "content-disposition": f'attachment; filename="counterscan-failure-{job.id[:8]}.html"',
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


def _tab(title: str, made: Mapping[str, Section]) -> str:
    inner = "".join(_section(made[name]) for name, tab in VIEWS.items() if tab == title)
    return f'<section class="cs-section"><h2>{safe(title)}</h2>{inner}</section>'


def _section(one: Section) -> str:
    return f"{one.above}{_drawn(one.figure) if one.figure is not None else ''}{one.below}"


def _drawn(figure: go.Figure) -> str:
    return str(to_html(figure, config=PLOT, include_plotlyjs=False, full_html=False))
