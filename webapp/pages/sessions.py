"""The Sessions tab: every run of this browser, to open again, to download, to delete."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import gradio as gr

from core.plurals import count
from core.presentation import Welcome
from core.result import REPORT, RESULT
from webapp.door.visitor import session_of
from webapp.pages import kept_scans, shared_links
from webapp.pages.kit import row_buttons, welcome
from webapp.pages.kit.event_options import QUIET
from webapp.pages.kit.job_titles import headline, subject
from webapp.pages.kit.panel_events import Updates
from webapp.pages.kit.row_buttons import DELETE_DATA, ROW_BUTTONS, day_of, keep_days
from webapp.pages.kit.templates import piece
from webapp.pages.kit.text import age_of, ago, bytes_of, seconds
from webapp.pages.kit.trouble import attempt
from webapp.pages.kit.welcome import WelcomeBox
from webapp.services import Services
from webapp.store.records import JobRecord

STATES = {
    "queued": "Waiting",
    "running": "Running",
    "done": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
}
WORDS = Welcome(
    "Every run is kept here",
    "With its settings, its files and its report; it opens again after a reload or a restart. Runs belong to this "
    "browser: nobody else can open them, unless you share a link.",
    "sessions.webp",
    "Three runs side by side: a filled cavity, thin slices, a translated contrast",
    "Runs of the synthetic examples: inpainting, super-resolution, translation.",
)
# filters the rows
_SCRIPT = (
    ROW_BUTTONS
    + """
const filter = () => {
  const find = element.querySelector(".cs-find"), which = element.querySelector(".cs-which");
  if (!find) return;
  const rows = [...element.querySelectorAll("tbody tr")], wanted = find.value.trim().toLowerCase();
  for (const row of rows) {
    const named = row.textContent.toLowerCase().includes(wanted);
    row.hidden = !named || Boolean(which.value && row.dataset.state !== which.value);
  }
  const shown = rows.filter((row) => !row.hidden).length;
  element.querySelector(".cs-found-runs").textContent = `${shown} of ${rows.length} runs`;
};
element.addEventListener("input", filter);
watch("value", () => requestAnimationFrame(filter));
requestAnimationFrame(filter);
"""
)


def build(services: Services, tab: gr.Tab, demo: gr.Blocks) -> WelcomeBox:
    """Draw the tab, fill it whenever it is opened, and return what stands in it until there is a run."""
    with gr.Column(elem_classes="cs-whole", min_width=0):
        outcome = row_buttons.outcome("sessions-outcome")
        with gr.Column(elem_classes="cs-section", visible=False, elem_id="sessions-runs") as kept:
            with gr.Row(elem_classes="cs-heading"):
                gr.HTML(piece("sessions", "heading", age=age_of(services.settings.retention)))
                refresh = gr.Button("Refresh", size="sm", elem_id="sessions-refresh")
            table = gr.HTML(elem_id="sessions", js_on_load=_SCRIPT)
            links = gr.HTML(elem_id="shares", js_on_load=ROW_BUTTONS)
        scan_deleted = kept_scans.build(services, tab, demo)
        gr.HTML(
            piece("sessions", "everything", tokens=services.settings.api), elem_id="delete-data", js_on_load=DELETE_DATA
        )
        greeting = welcome.build(WORDS, "sessions-welcome", visible=False)
    outputs = [greeting.group, kept, outcome, table, links]

    def listed(request: gr.Request) -> Updates:
        runs, box = attempt(lambda: rows(services, session_of(request)))
        days = keep_days(services.settings)
        shown = piece("sessions", "table", runs=runs, states=tuple(STATES.items()), days=days) if runs else ""
        shared, _ = attempt(lambda: shared_links.table(services, session_of(request)))
        return {
            greeting.group: gr.Column(visible=runs == []),
            kept: gr.Column(visible=runs != []),
            outcome: box,
            table: shown,
            links: shared or "",
        }

    for event in (demo.load, tab.select, refresh.click):
        event(listed, None, outputs, queue=False, **QUIET)
    # the runs on a scan are deleted with it
    scan_deleted.then(listed, None, outputs, queue=False, **QUIET)
    delete = partial(_delete, services)
    row_buttons.connect(services, table, outcome, outputs, listed, delete, services.erasure.keep_job)
    row_buttons.connect(services, links, outcome, outputs, listed, partial(_end, services))
    return greeting


def _delete(services: Services, job_id: str, session: str) -> str:
    """Delete a run and return in words what is gone."""
    job = services.repo.job(job_id, session)
    about = f"the run on {subject(services, session, job)}, {headline(job)},"
    services.erasure.delete_job(job_id, session)
    return f"{about} with {count(len(job.artifacts), 'file')}"


def _end(services: Services, share_id: str, session: str) -> str:
    """End a link to a run and return in words what is gone."""
    services.shares.end(share_id, session)
    return "the link; who has it finds nothing any more"


def rows(services: Services, session: str) -> list[Mapping[str, object]]:
    """Return what the table shows of each run of ``session``, newest first."""
    return [_row(services, session, job) for job in services.repo.jobs(session)]


def _row(services: Services, session: str, job: JobRecord) -> Mapping[str, object]:
    title = headline(job)
    main = job.artifact(RESULT) or job.artifact(REPORT) or next(iter(job.artifacts), None)
    files = [services.blobs.path(one.blob) for one in job.artifacts]
    size = sum(path.stat().st_size for path in files if path.is_file())
    return {
        "id": job.id,
        "subject": subject(services, session, job),
        "method": title,
        "ago": ago(job.created),
        "state": job.state,
        "title": STATES.get(job.state, job.state),
        "took": seconds(job.seconds) if job.seconds is not None else "–",
        "size": bytes_of(size) if size else "–",
        "picture": f"/thumbnail/{job.id}.webp" if job.artifact(RESULT) else "",
        "seen": f"Slice of the result: {title}",
        "letter": title[:1],
        "file": f"/files/{main.id}" if main else "",
        "over": job.over,
        "kept": day_of(job.keep_until),
    }
