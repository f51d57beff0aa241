"""Which event of the failure lab calls which action, and how its results column follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import gradio as gr
from gradio.blocks import Block
from markupsafe import Markup

from core.failure.recipe_means import usual_models
from core.result import REPORT
from webapp.door.visitor import session_of
from webapp.pages.kit import boxes
from webapp.pages.kit.event_options import QUIET
from webapp.pages.kit.job_titles import subject
from webapp.pages.kit.page_state import Held, View, address
from webapp.pages.kit.panel import Panel, Shared
from webapp.pages.kit.panel_events import PanelEvents, Updates
from webapp.pages.kit.templates import joined, piece
from webapp.pages.kit.text import ago
from webapp.pages.kit.trouble import attempt
from webapp.pages.kit.view_place import FIT, Section
from webapp.pages.lab import sections, stored_results
from webapp.pages.lab.results_column import LabView
from webapp.services import Services
from webapp.store.records import JobRecord

NOBODY = ("No other run", "")
EMPTY = Section()


@dataclass(frozen=True)
class ResultsEvents(PanelEvents):
    """The lab: its results stand in a column of their own, where the viewer was."""

    view: LabView

    def shown_first(self, session: str, held: Held, *values: object) -> Held:
        """Queue a run without data, on simulated tissue, with the values of the form."""
        return self.started(session, Held(), *values)

    def own(self) -> list[Block]:
        """Return the components of the results column."""
        view = self.view
        return [
            view.welcome.group,
            view.welcome.start,
            view.trouble,
            view.shown,
            view.look,
            view.beside,
            view.compare,
            view.files,
            *self.drawn(),
        ]

    def drawn(self) -> list[Block]:
        """Return every component of the views."""
        places = (*self.view.places.values(), *self.view.other.values())
        return [part for place in places for part in place.everything()]

    def front(self, shown: View) -> Updates:
        """Return the viewer's value: it is hidden meanwhile, and only writes the page's address."""
        return {self.shared.viewer: {"address": address(shown), "away": True}}

    def rest(self, session: str, shown: View) -> Updates:
        """Return the outcome of the job, and the views of its results."""
        outcome = boxes.outcome(shown.job) if shown.job else ""
        if shown.job and shown.done:
            outcome = joined((outcome, boxes.result_notes(shown.job.result)))
        return {self.tab.running.outcome: outcome, **self._results(session, shown)}

    def _results(self, session: str, shown: View) -> Updates:
        view, job = self.view, shown.job
        if job is None or not shown.done:
            # the words stay while it runs, which takes minutes
            return {**self._shown(welcome=True), view.welcome.start: gr.Button(interactive=not shown.active)}
        results, box = attempt(lambda: stored_results.load(self.services, job))
        if results is None:
            return self._shown(trouble=box)
        known, (look, beside) = sections.choices(results), usual_models(results)
        others = [NOBODY, *((self._title(session, one), one.id) for one in self._earlier(session, job))]
        return {
            **self._shown(results=True),
            view.look: gr.Dropdown(choices=known, value=look),
            view.beside: gr.Dropdown(choices=[("None", ""), *known], value=beside, visible=len(known) > 1),
            view.compare: gr.Dropdown(choices=others, value="", visible=len(others) > 1),
            view.files: _files(job),
            **self._views(sections.sections(results, look, beside)),
            **self._other({}),
        }

    def _shown(self, *, welcome: bool = False, trouble: str = "", results: bool = False) -> Updates:
        """Return which parts of the column are there."""
        return {
            self.view.welcome.group: gr.Column(visible=welcome),
            self.view.trouble: gr.HTML(trouble, visible=bool(trouble)),
            self.view.shown: gr.Column(visible=results),
        }

    def _earlier(self, session: str, job: JobRecord) -> list[JobRecord]:
        jobs = self.services.repo.jobs(session)
        return [one for one in jobs if one.task == job.task and one.id != job.id and one.state == "done"]

    def _title(self, session: str, job: JobRecord) -> str:
        return f"{subject(self.services, session, job)}, {ago(job.created)}"

    def _views(self, made: Mapping[str, Section]) -> Updates:
        return {
            part: new for name, place in self.view.places.items() for part, new in place.updates(made[name]).items()
        }

    def _other(self, made: Mapping[str, Section]) -> Updates:
        places = self.view.other.items()
        return {part: new for name, place in places for part, new in place.updates(made.get(name, EMPTY)).items()}

    def looked(self, request: gr.Request, held: Held, look: str, beside: str) -> Updates:
        """Show other models."""
        job, _ = attempt(lambda: self.services.repo.job(held.job, session_of(request)))
        results, _ = attempt(lambda: stored_results.load(self.services, job)) if job else (None, "")
        if job is None or results is None:
            return {}
        return self._views(sections.sections(results, str(look), str(beside)))

    def compared(self, request: gr.Request, other: str) -> Updates:
        """Show another run beside this one, or none."""
        if not other:
            return self._other({})
        session = session_of(request)
        job, _ = attempt(lambda: self.services.repo.job(str(other), session))
        results, _ = attempt(lambda: stored_results.load(self.services, job)) if job else (None, "")
        if job is None or results is None:
            return self._other({})
        return self._other(sections.comparison(self._title(session, job), results))


def connect(services: Services, lab: Panel, view: LabView, panel: gr.Tab, shared: Shared) -> ResultsEvents:
    """Attach every event of the lab; panel: its tab."""
    events = ResultsEvents(services, lab, shared, view)
    events.connect()
    _connect_view(events, panel)
    return events


def _connect_view(events: ResultsEvents, panel: gr.Tab) -> None:
    view, held = events.view, events.tab.held
    for pick in (view.look, view.beside):
        pick.input(events.looked, [held, view.look, view.beside], events.drawn(), **QUIET)
    others = [part for place in view.other.values() for part in place.everything()]
    # beside another run a figure has half of its place
    view.compare.input(events.compared, view.compare, others, **QUIET).then(None, None, None, js=FIT)
    fields = list(events.tab.settings.fields.values())
    events.on(view.welcome.start.click, events.shown_first, events.tab.running.trouble, *fields)
    for one in (panel, *view.tabs):
        one.select(None, None, None, js=FIT)


def _files(job: JobRecord) -> Markup:
    names = {"report": "Report, opens offline", "results": "JSON", "table": "CSV", "run": "Run record"}
    found = sorted(job.artifacts, key=lambda one: one.name != REPORT)
    files = [{"id": one.id, "name": one.name, "title": names.get(one.name, one.title)} for one in found]
    return piece("lab", "exports", files=files)
