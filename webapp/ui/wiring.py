"""Which event of the Inpaint tab calls which action, and how the page follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from core.tasks.inpaint import TASK
from webapp.guard import session_of
from webapp.services import Services
from webapp.ui import actions, forms, page, pieces, rating
from webapp.ui.page import Held, View
from webapp.ui.tab_inpaint import START_DRAWING, Tab, describe
from webapp.ui.trouble import attempt

Updates = dict[Block, Any]
Action = Callable[..., Held]


@dataclass(frozen=True)
class Wiring:
    """The tab, the services, and the translation between rows and components."""

    services: Services
    tab: Tab

    def everything(self) -> list[Block]:
        """Return every component that ``render`` may change."""
        tab = self.tab
        return [
            tab.held, tab.viewer, tab.results, tab.scan_file, tab.scan_facts, tab.scan_trouble, tab.mask_file,
            tab.mask_facts, tab.mask_trouble, tab.draw, tab.preset, tab.run, tab.cancel, tab.run_note, tab.progress,
            tab.run_trouble, tab.outcome, tab.downloads, tab.form.group, tab.form.status, tab.form.save,
            tab.form.client, tab.form.comment, *tab.form.scores, tab.timer,
        ]  # fmt: skip

    def render(self, session: str, held: Held, troubles: dict[Block, str] | None = None) -> Updates:
        """Return the whole page for ``held``; ids that cannot be read leave it empty, with a box."""
        troubles = dict(troubles or {})
        shown, box = attempt(lambda: page.view(self.services, session, held))
        if shown is None:
            troubles[self.tab.scan_trouble] = box
            held, shown = Held(), View()
        tab = self.tab
        boxes: Updates = {one: "" for one in (tab.scan_trouble, tab.mask_trouble, tab.run_trouble)}
        return {tab.held: held, **boxes, **troubles, **self._inputs(shown), **self._job(session, shown)}

    def _inputs(self, shown: View) -> Updates:
        tab, free = self.tab, not shown.active
        return {
            tab.viewer: page.scene(shown),
            tab.scan_file: gr.File(value=None, visible=free),
            tab.scan_facts: pieces.facts(shown.scan) if shown.scan else "",
            tab.mask_file: gr.File(value=None, visible=free),
            tab.mask_facts: pieces.mask_facts(shown.mask) if shown.mask else "",
            tab.draw: gr.Button("Edit in the viewer" if shown.mask else "Draw in the viewer",
                                interactive=free and shown.scan is not None),
            tab.preset: gr.Radio(choices=page.preset_titles(self.services, shown)),
            tab.run: gr.Button(interactive=shown.ready),
            tab.run_note: _why_not(shown),
        }  # fmt: skip

    def _job(self, session: str, shown: View) -> Updates:
        tab, job = self.tab, shown.job
        kept = self.services.repo.ratings(job.id, session) if job and shown.done else ()
        form = tab.form
        return {
            tab.cancel: gr.Button(interactive=shown.active),
            tab.progress: page.progress(job),
            tab.outcome: pieces.outcome(job) if job else "",
            tab.results: gr.HTML(pieces.result_table(job.summary) if job and shown.done else "", visible=shown.done),
            tab.downloads: gr.HTML(pieces.downloads(job) if job and shown.done else "", visible=shown.done),
            tab.timer: gr.Timer(active=shown.active),
            form.group: gr.Column(visible=shown.done),
            form.status: rating.known(kept),
            form.save: gr.Button("Save rating", interactive=True),
            form.client: rating.new_client(),
            form.comment: "",
            **{score: None for score in form.scores},
        }

    def opened(self, request: gr.Request, held: Held) -> Updates:
        """Show the job named in the page's address, if there is one."""
        session = session_of(request)
        wanted = str(request.query_params.get("job", ""))
        if not wanted:
            return self.render(session, held)
        found, box = attempt(lambda: page.of_job(self.services, session, wanted))
        return self.render(session, found or held, {self.tab.scan_trouble: box} if box else None)

    def drawn(self, request: gr.Request, held: Held, event: gr.EventData) -> Updates:
        """Take the mask that the browser has just sent."""
        mask_id = getattr(event, "scan_id", "")
        return self._after(request, held, partial(actions.take_drawn, mask_id=mask_id), self.tab.mask_trouble)

    def started(self, request: gr.Request, held: Held, *values: object) -> Updates:
        """Queue a run with the values of the form."""
        given = forms.values(TASK.params, values)
        return self._after(request, held, partial(actions.submit, params=given), self.tab.run_trouble)

    def tick(self, request: gr.Request, held: Held) -> Updates:
        """Follow a running job; the whole page changes once, when the job is over."""
        session = session_of(request)
        shown, _ = attempt(lambda: page.view(self.services, session, held))
        if shown is None or not shown.active:
            return self.render(session, held)
        return {self.tab.progress: page.progress(shown.job)}

    def after(self, action: Action, place: Component) -> Callable[..., Updates]:
        """Return a handler that does ``action`` and shows the page, with its error at ``place``."""

        def handle(request: gr.Request, held: Held, *values: object) -> Updates:
            return self._after(request, held, action, place, *values)

        return handle

    def _after(self, request: gr.Request, held: Held, action: Action, place: Component, *values: object) -> Updates:
        session = session_of(request)
        changed, box = attempt(lambda: action(self.services, session, held, *values))
        return self.render(session, changed or held, {place: box} if box else None)

    def noted(self, request: gr.Request, held: Held, *values: object) -> str:
        """Describe the chosen method and what the run will take."""
        given = forms.values(TASK.params, values)
        shown, _ = attempt(lambda: page.view(self.services, session_of(request), held))
        text, box = attempt(
            lambda: describe(str(given["method"]), page.expected(self.services, shown or View(), given))
        )
        return text or box


def connect(services: Services, tab: Tab, demo: gr.Blocks) -> None:
    """Attach every event of the tab."""
    wiring = Wiring(services, tab)
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    whole: dict[str, Any] = {"outputs": wiring.everything(), **quiet}
    form = [tab.held, *tab.fields]
    note: dict[str, Any] = {"inputs": form, "outputs": tab.method_note, "queue": False, **quiet}

    demo.load(wiring.opened, tab.held, **whole).then(wiring.noted, **note)
    tab.scan_file.upload(
        wiring.after(
            lambda services, session, held, path: actions.load_scan(services, session, path), tab.scan_trouble
        ),
        [tab.held, tab.scan_file],
        **whole,
    )
    for example, button in tab.example_buttons:
        load = partial(_example, example.name)
        button.click(wiring.after(load, tab.scan_trouble), tab.held, **whole).then(wiring.noted, **note)
    tab.mask_file.upload(wiring.after(actions.load_mask, tab.mask_trouble), [tab.held, tab.mask_file], **whole).then(
        wiring.noted, **note
    )
    tab.draw.click(None, js=START_DRAWING, **quiet)
    tab.viewer.mask(wiring.drawn, tab.held, **whole).then(wiring.noted, **note)
    tab.run.click(wiring.started, form, **whole)
    tab.cancel.click(wiring.after(actions.cancel, tab.run_trouble), tab.held, **whole)
    tab.timer.tick(wiring.tick, tab.held, **whole)
    _connect_settings(wiring, note, quiet)


def _connect_settings(wiring: Wiring, note: dict[str, Any], quiet: dict[str, Any]) -> None:
    tab = wiring.tab
    presets = {preset.name: preset for preset in TASK.presets}
    tab.preset.input(
        lambda name: forms.preset_values(TASK.params, presets[name].params),
        tab.preset,
        list(tab.fields),
        queue=False,
        **quiet,
    ).then(wiring.noted, **note)
    chosen = {name for preset in TASK.presets for name in preset.params}
    fields: tuple[Any, ...] = tab.fields
    for param, component in zip(TASK.params, fields, strict=True):
        if param.name in chosen:
            component.input(lambda: None, None, tab.preset, queue=False, **quiet)
        component.input(wiring.noted, **note)


def _example(name: str, services: Services, session: str, held: Held) -> Held:
    return actions.load_example(services, session, name)


def _why_not(shown: View) -> str:
    if shown.ready or shown.active:
        return ""
    missing = "a scan and a mask" if shown.scan is None else "a mask"
    return f'<p class="cs-hint">Run starts when there is {missing}.</p>'
