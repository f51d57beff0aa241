"""Which event of the augmentation study calls which action, and how its results column follows."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr
from gradio.blocks import Block
from markupsafe import Markup

from webapp.pages.kit import boxes
from webapp.pages.kit.page_state import Held, View, address
from webapp.pages.kit.panel import Panel, Shared
from webapp.pages.kit.panel_events import PanelEvents, Updates
from webapp.pages.kit.templates import joined, piece
from webapp.pages.kit.trouble import attempt
from webapp.pages.kit.view_place import FIT
from webapp.pages.worth import worth_report
from webapp.pages.worth.worth_column import WorthView
from webapp.pages.worth.worth_sections import sections
from webapp.services import Services
from webapp.store.records import JobRecord

RUNNING = (
    "One classifier after the other is trained; the worth, its figures and the images stand here when all are. A run "
    "that is stopped goes on where it was when it is run again."
)


@dataclass(frozen=True)
class WorthEvents(PanelEvents):
    """The study: its results stand in a column of their own, where the viewer was."""

    view: WorthView

    def shown_first(self, session: str, held: Held, *values: object) -> Held:
        """Queue a run without data, on simulated images, with the values of the form."""
        return self.started(session, Held(), *values)

    def own(self) -> list[Block]:
        """Return the components of the results column."""
        view = self.view
        return [view.welcome.group, view.trouble, view.shown, view.files, *view.drawn()]

    def front(self, shown: View) -> Updates:
        """Return the viewer's value: it is hidden meanwhile, and only writes the page's address."""
        return {self.shared.viewer: {"address": address(shown), "away": True}}

    def rest(self, session: str, shown: View) -> Updates:
        """Return the outcome of the job, and the views of its results."""
        outcome = boxes.outcome(shown.job) if shown.job else ""
        if shown.job and shown.job.state == "cancelled":
            outcome = joined((outcome, boxes.hint("Run it again with the same settings and it goes on where it was.")))
        if shown.job and shown.done:
            outcome = joined((outcome, boxes.notes(shown.job.result.texts("warning"))))
        return {self.tab.running.outcome: outcome, **self._results(shown)}

    def _results(self, shown: View) -> Updates:
        view, job = self.view, shown.job
        if job is None or not shown.done:
            waiting = job is None or job.over
            return self._shown(welcome=waiting, trouble="" if waiting else boxes.hint(RUNNING))
        results, box = attempt(lambda: worth_report.load(self.services, job))
        if results is None:
            return self._shown(trouble=box)
        made = sections(results)
        views = {part: new for name, one in view.places.items() for part, new in one.updates(made[name]).items()}
        return {**self._shown(results=True), view.files: _files(job), **views}

    def _shown(self, *, welcome: bool = False, trouble: str = "", results: bool = False) -> Updates:
        """Return which parts of the column are there."""
        return {
            self.view.welcome.group: gr.Column(visible=welcome),
            self.view.trouble: gr.HTML(trouble, visible=bool(trouble)),
            self.view.shown: gr.Column(visible=results),
        }


def connect(services: Services, panel: Panel, view: WorthView, tab: gr.Tab, shared: Shared) -> WorthEvents:
    """Attach every event of the study; tab: its tab."""
    events = WorthEvents(services, panel, shared, view)
    events.connect()
    fields = list(panel.settings.fields.values())
    events.on(view.welcome.start.click, events.shown_first, panel.running.trouble, *fields)
    for one in (tab, *view.tabs):
        one.select(None, None, None, js=FIT)
    return events


def _files(job: JobRecord) -> Markup:
    names = {"results": "JSON", "table": "CSV", "report": "Report", "run": "Run record"}
    files = [{"id": one.id, "name": one.name, "title": names.get(one.name, one.title)} for one in job.artifacts]
    return piece("worth", "exports", job=job.id, files=files)
