"""Which event of the failure lab calls which action, and how its results column follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from webapp.guard import session_of
from webapp.services import Services
from webapp.store.records import JobRecord
from webapp.ui import actions, forms, lab_export, lab_sections, page, pieces, tab_failure
from webapp.ui.lab_sections import Section
from webapp.ui.lab_view import FIT, LabView
from webapp.ui.page import Held, View
from webapp.ui.tab import Shared
from webapp.ui.tab_failure import Lab
from webapp.ui.text import ago, safe
from webapp.ui.trouble import attempt
from webapp.ui.wiring import QUIET, Action, Updates, connect_settings

NOBODY = ("No other run", "")
EMPTY = Section()


@dataclass(frozen=True)
class LabWiring:
    """The lab's two columns, what the page shares, the services, and the translation from rows to components."""

    services: Services
    lab: Lab
    view: LabView
    shared: Shared

    @property
    def held(self) -> gr.State:
        """Return what the tab works on."""
        return self.lab.held

    def everything(self) -> list[Block]:
        """Return every component that ``render`` may change."""
        lab, steps, view = self.lab, self.lab.running, self.view
        slots = [part for slot in lab.slots.values() for part in slot.everything()]
        return [
            lab.held, self.shared.viewer, *slots, lab.settings.preset, steps.run, steps.cancel, steps.progress,
            steps.trouble, steps.outcome, lab.timer, view.invite, view.shown, view.look, view.beside, view.compare,
            view.files, *self.drawn(),
        ]  # fmt: skip

    def drawn(self) -> list[Block]:
        """Return every component of the views."""
        places = (*self.view.places.values(), *self.view.other.values())
        return [part for place in places for part in place.everything()]

    def render(
        self, session: str, held: Held, troubles: Mapping[Block, str] | None = None, *, open: bool = True
    ) -> Updates:
        """Return both columns for ``held``; open: whether the lab is the tab that is looked at."""
        boxes = dict(troubles or {})
        shown, box = attempt(lambda: page.view(self.services, session, self.lab.task, held))
        if shown is None:
            boxes[self.first_trouble()] = box
            held, shown = Held(), View(self.lab.task)
        return {
            self.lab.held: held,
            **(self.front(session, held) if open else {}),
            **self._left(shown),
            **self._results(session, shown),
            **boxes,
        }

    def first_trouble(self) -> Block:
        """Return where an error of the address is shown."""
        return next(iter(self.lab.slots.values())).trouble

    def _left(self, shown: View) -> Updates:
        lab, steps, free = self.lab, self.lab.running, not shown.active
        updates: Updates = {}
        for name, slot in lab.slots.items():
            updates |= slot.updates(shown.scans.get(name), free)
        return updates | {
            lab.settings.preset: gr.Radio(choices=page.preset_titles(self.services, shown)),
            steps.run: gr.Button(interactive=shown.ready),
            steps.cancel: gr.Button(interactive=shown.active),
            steps.progress: page.progress(shown.job),
            steps.trouble: "",
            steps.outcome: pieces.outcome(shown.job, said=False) if shown.job else "",
            lab.timer: gr.Timer(active=shown.active),
        }

    def _results(self, session: str, shown: View) -> Updates:
        view, job = self.view, shown.job
        if job is None or not shown.done:
            return {view.invite: gr.HTML(visible=True), view.shown: gr.Column(visible=False)}
        results, box = attempt(lambda: lab_export.load(self.services, job))
        if results is None:
            return {view.invite: gr.HTML(box, visible=True), view.shown: gr.Column(visible=False)}
        known, (look, beside) = lab_sections.choices(results), lab_sections.usual(results)
        others = [NOBODY, *((_title(one), one.id) for one in self._earlier(session, job))]
        return {
            view.invite: gr.HTML(visible=False),
            view.shown: gr.Column(visible=True),
            view.look: gr.Dropdown(choices=known, value=look),
            view.beside: gr.Dropdown(choices=[("None", ""), *known], value=beside, visible=len(known) > 1),
            view.compare: gr.Dropdown(choices=others, value="", visible=len(others) > 1),
            view.files: _files(job, look, beside),
            **self._views(lab_sections.sections(results, look, beside)),
            **self._other({}),
        }

    def _earlier(self, session: str, job: JobRecord) -> list[JobRecord]:
        jobs = self.services.repo.jobs(session)
        return [one for one in jobs if one.task == job.task and one.id != job.id and one.state == "done"]

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
        results, _ = attempt(lambda: lab_export.load(self.services, job)) if job else (None, "")
        if job is None or results is None:
            return {self.view.files: gr.skip()}
        made = lab_sections.sections(results, str(look), str(beside))
        return {self.view.files: _files(job, look, beside), **self._views(made)}

    def compared(self, request: gr.Request, other: str) -> Updates:
        """Show another run beside this one, or none."""
        if not other:
            return self._other({})
        session = session_of(request)
        job, _ = attempt(lambda: self.services.repo.job(str(other), session))
        results, _ = attempt(lambda: lab_export.load(self.services, job)) if job else (None, "")
        if job is None or results is None:
            return self._other({})
        return self._other(lab_sections.comparison(_title(job), results))

    def after(self, action: Action, place: Component) -> Callable[..., Updates]:
        """Return a handler that does ``action(session, held, ...)`` and shows the lab, with its error at ``place``."""

        def handle(request: gr.Request, held: Held, *values: object) -> Updates:
            session = session_of(request)
            changed, box = attempt(lambda: action(session, held, *values))
            return self.render(session, changed or held, {place: box} if box else None)

        return handle

    def started(self, session: str, held: Held, *values: object) -> Held:
        """Queue a run with the values of the form."""
        given = forms.values(self.lab.task.params, values)
        return actions.submit(self.services, session, self.lab.task, held, given)

    def tick(self, request: gr.Request, held: Held, active: str) -> Updates:
        """Follow a running job; the columns change once, when it is over."""
        session = session_of(request)
        shown, _ = attempt(lambda: page.view(self.services, session, self.lab.task, held))
        if shown is None or not shown.active:
            return self.render(session, held, open=active == self.lab.task.name)
        return {self.lab.running.progress: page.progress(shown.job)}

    def front(self, session: str, held: Held) -> Updates:
        """Return the parts that all tabs share: the viewer is hidden, and only writes the job into the address."""
        return {self.shared.viewer: {"job": held.job, "away": True}}

    def note(self) -> dict[str, Any]:
        """Return what an event needs to call ``noted``."""
        settings = self.lab.settings
        return {"inputs": [self.lab.held, *settings.fields], "outputs": settings.note, "queue": False, **QUIET}

    def noted(self, request: gr.Request, held: Held, *values: object) -> str:
        """Describe the present settings and what the run will take."""
        given = forms.values(self.lab.task.params, values)
        shown, _ = attempt(lambda: page.view(self.services, session_of(request), self.lab.task, held))
        text, box = attempt(lambda: tab_failure.explain(self.services, shown or View(self.lab.task), given))
        return text or box


def connect(services: Services, lab: Lab, view: LabView, panel: gr.Tab, shared: Shared) -> LabWiring:
    """Attach every event of the lab; panel: its tab."""
    wiring = LabWiring(services, lab, view, shared)
    whole: dict[str, Any] = {"outputs": wiring.everything(), **QUIET}
    for name, slot in lab.slots.items():
        load = partial(_load, services, lab, name)
        slot.file.upload(wiring.after(load, slot.trouble), [lab.held, slot.file], **whole).then(
            wiring.noted, **wiring.note()
        )
        if slot.remove:
            take_off = partial(_remove, lab, name)
            slot.remove.click(wiring.after(take_off, slot.trouble), lab.held, **whole).then(
                wiring.noted, **wiring.note()
            )
    steps = lab.running
    steps.run.click(wiring.after(wiring.started, steps.trouble), [lab.held, *lab.settings.fields], **whole)
    steps.cancel.click(wiring.after(partial(actions.cancel, services), steps.trouble), lab.held, **whole)
    lab.timer.tick(wiring.tick, [lab.held, shared.active], **whole)
    connect_settings(lab.settings, lab.task, wiring.noted, wiring.note())
    _connect_view(wiring, panel)
    return wiring


def _connect_view(wiring: LabWiring, panel: gr.Tab) -> None:
    view, held = wiring.view, wiring.lab.held
    for pick in (view.look, view.beside):
        pick.input(wiring.looked, [held, view.look, view.beside], [view.files, *wiring.drawn()], **QUIET)
    others = [part for place in view.other.values() for part in place.everything()]
    view.compare.input(wiring.compared, view.compare, others, **QUIET)
    for one in (panel, *view.tabs):
        one.select(None, None, None, js=FIT)


def _files(job: JobRecord, look: str, beside: str) -> str:
    names = {"results": "JSON", "table": "CSV", "run": "Run record"}
    links = [
        f'<a class="cs-link" href="/lab/{safe(job.id)}.html?look={safe(look)}&amp;beside={safe(beside)}" download '
        'data-artifact="report">HTML, opens offline</a>'
    ]
    links += [
        f'<a class="cs-link" href="/files/{safe(one.id)}" download data-artifact="{safe(one.name)}">'
        f"{safe(names.get(one.name, one.title))}</a>"
        for one in job.artifacts
    ]
    return f'<p class="cs-exports"><span class="cs-hint">Take it with you:</span> {" ".join(links)}</p>'


def _title(job: JobRecord) -> str:
    about = "your data" if job.inputs.get("data") else str(job.params.get("tissue", ""))
    return f"{about}, {job.params.get('epochs')} epochs, {ago(job.created)}"


def _load(services: Services, lab: Lab, name: str, session: str, held: Held, paths: Any) -> Held:
    return actions.load(services, session, lab.task, name, held, paths)


def _remove(lab: Lab, name: str, session: str, held: Held) -> Held:
    return actions.remove(lab.task, name, held)
