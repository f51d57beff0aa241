"""The Sessions tab: every run of this browser, each with a link that opens it again."""

from __future__ import annotations

import gradio as gr

from webapp.door.visitor import session_of
from webapp.pages.kit import boxes
from webapp.pages.kit.event_options import QUIET
from webapp.pages.kit.job_titles import headline, subject
from webapp.pages.kit.templates import piece
from webapp.pages.kit.trouble import attempt
from webapp.services import Services
from webapp.store.records import JobRecord


def build(services: Services, tab: gr.Tab, demo: gr.Blocks) -> None:
    """Draw the tab and fill it whenever it is opened."""
    with gr.Column(elem_classes="cs-section"):
        gr.HTML(piece("boxes", "sessions_heading"))
        table = gr.HTML(elem_id="sessions")
        refresh = gr.Button("Refresh", size="sm")

    def listed(request: gr.Request) -> str:
        rows, box = attempt(lambda: boxes.sessions(_rows(services, session_of(request))))
        return rows if rows is not None else box

    for event in (demo.load, tab.select, refresh.click):
        event(listed, None, table, queue=False, **QUIET)


def _rows(services: Services, session: str) -> list[tuple[JobRecord, str, str]]:
    return [(job, subject(services, session, job), headline(job)) for job in services.repo.jobs(session)]
