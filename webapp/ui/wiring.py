"""Which event of an imaging tab calls which action, and how the page follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from core.errors import UserError
from core.tasks.base import Task
from webapp import examples
from webapp.guard import session_of
from webapp.services import Services
from webapp.ui import actions, forms, page, pieces, rating
from webapp.ui.page import Held, View
from webapp.ui.tab import Settings, Shared, Tab, why_not
from webapp.ui.trouble import attempt

Updates = dict[Block, Any]
Action = Callable[..., Held]
QUIET: Mapping[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


class Opening(Protocol):
    """A tab that a job's address can open."""

    @property
    def services(self) -> Services:
        """Return the parts of the server."""

    @property
    def held(self) -> gr.State:
        """Return what the tab works on."""

    def everything(self) -> list[Block]:
        """Return every component that ``render`` may change."""

    def render(self, session: str, held: Held, troubles: Mapping[Block, str] | None = None) -> Updates:
        """Return the whole tab for ``held``."""

    def front(self, session: str, held: Held) -> Updates:
        """Return the parts that all tabs share as this tab shows them."""

    def first_trouble(self) -> Block:
        """Return where an error of the address is shown."""

    def note(self) -> dict[str, Any]:
        """Return what an event needs to call ``noted``."""

    def noted(self, request: gr.Request, held: Held, *values: object) -> str:
        """Describe the present settings."""


@dataclass(frozen=True)
class Wiring:
    """One tab, what it shares with the others, the services, and the translation between rows and components."""

    services: Services
    tab: Tab
    shared: Shared

    @property
    def held(self) -> gr.State:
        """Return what the tab works on."""
        return self.tab.held

    def everything(self) -> list[Block]:
        """Return every component that ``render`` may change."""
        tab, steps, form = self.tab, self.tab.running, self.tab.form
        slots = [part for slot in tab.slots.values() for part in slot.everything()]
        return [
            tab.held, self.shared.viewer, self.shared.results, *slots, tab.settings.preset, steps.run, steps.cancel,
            steps.note, steps.progress, steps.trouble, steps.outcome, tab.downloads, tab.chain.group, form.group,
            form.status, form.save, form.client, form.comment, *form.scores, tab.timer, *tab.extra,
        ]  # fmt: skip

    def render(
        self, session: str, held: Held, troubles: Mapping[Block, str] | None = None, *, open: bool = True
    ) -> Updates:
        """Return the whole tab for ``held``; ids that cannot be read leave it empty, with a box.

        open: whether it is the tab that is looked at; the parts that all tabs share are left alone if not.
        """
        boxes = dict(troubles or {})
        shown, box = attempt(lambda: page.view(self.services, session, self.tab.task, held))
        if shown is None:
            boxes[self.first_trouble()] = box
            held, shown = Held(), View(self.tab.task)
        return {
            self.tab.held: held,
            **self._shared(shown, open),
            **self._inputs(shown),
            **self._job(session, shown),
            **boxes,
        }

    def first_trouble(self) -> Block:
        """Return where an error of the address is shown."""
        return next(iter(self.tab.slots.values())).trouble

    def _shared(self, shown: View, open: bool) -> Updates:
        viewer, results = self.shared.viewer, self.shared.results
        if not open:
            return {viewer: gr.skip(), results: gr.skip()}
        job = shown.job
        table = pieces.result_table(shown.task, job.summary) if job and shown.done else ""
        return {viewer: page.scene(shown), results: gr.HTML(table, visible=shown.done)}

    def _inputs(self, shown: View) -> Updates:
        tab, free = self.tab, not shown.active
        updates: Updates = {}
        for name, slot in tab.slots.items():
            updates |= slot.updates(shown.scans.get(name), free)
        updates |= {component: follow(shown) for component, follow in tab.extra.items()}
        return updates | {
            tab.settings.preset: gr.Radio(choices=page.preset_titles(self.services, shown)),
            tab.running.run: gr.Button(interactive=shown.ready),
            tab.running.note: why_not(shown),
        }

    def _job(self, session: str, shown: View) -> Updates:
        tab, steps, form, job = self.tab, self.tab.running, self.tab.form, shown.job
        kept = self.services.repo.ratings(job.id, session) if job and shown.done else ()
        return {
            steps.cancel: gr.Button(interactive=shown.active),
            steps.progress: page.progress(job),
            steps.trouble: "",
            steps.outcome: pieces.outcome(job) if job else "",
            tab.downloads: gr.HTML(pieces.downloads(job) if job and shown.done else "", visible=shown.done),
            tab.chain.group: gr.Row(visible=shown.done),
            tab.timer: gr.Timer(active=shown.active),
            form.group: gr.Column(visible=shown.done),
            form.status: rating.known(kept),
            form.save: gr.Button("Save rating", interactive=True),
            form.client: rating.new_client(),
            form.comment: "",
            **{score: None for score in form.scores},
        }

    def after(self, action: Action, place: Component) -> Callable[..., Updates]:
        """Return a handler that does ``action(session, held, ...)`` and shows the tab, with its error at ``place``."""

        def handle(request: gr.Request, held: Held, *values: object) -> Updates:
            session = session_of(request)
            changed, box = attempt(lambda: action(session, held, *values))
            return self.render(session, changed or held, {place: box} if box else None)

        return handle

    def drawn(self, request: gr.Request, held: Held, event: gr.EventData) -> Updates:
        """Take the mask that the browser has just sent."""
        mask_id = getattr(event, "scan_id", "")
        take = partial(actions.take_drawn, self.services, task=self.tab.task, mask_id=mask_id)
        handle = self.after(lambda session, held: take(session=session, held=held), self.tab.slots["mask"].trouble)
        return handle(request, held)

    def started(self, session: str, held: Held, *values: object) -> Held:
        """Queue a run with the values of the form."""
        given = forms.values(self.tab.task.params, values)
        return actions.submit(self.services, session, self.tab.task, held, given)

    def tick(self, request: gr.Request, held: Held, active: str) -> Updates:
        """Follow a running job; the tab changes once, when the job is over."""
        session = session_of(request)
        shown, _ = attempt(lambda: page.view(self.services, session, self.tab.task, held))
        if shown is None or not shown.active:
            return self.render(session, held, open=active == self.tab.task.name)
        held_job, services = held.job, self.services
        preview, _ = attempt(lambda: services.dispatcher.preview(held_job, session))
        return {self.tab.running.progress: page.progress(shown.job, preview)}

    def front(self, session: str, held: Held) -> Updates:
        """Return the parts that all tabs share as this tab shows them."""
        shown, _ = attempt(lambda: page.view(self.services, session, self.tab.task, held))
        return self._shared(shown or View(self.tab.task), True)

    def received(self, request: gr.Request, from_held: Held) -> Updates:
        """Open this tab on the result of another tab's job."""
        session = session_of(request)
        taken, box = attempt(lambda: actions.receive(self.services, session, self.tab.task, from_held.job))
        opened: Updates = {
            self.shared.active: self.tab.task.name,
            self.shared.tabs: gr.Tabs(selected=self.tab.task.name),
        }
        return {**self.render(session, taken or Held(), {self.first_trouble(): box} if box else None), **opened}

    def note(self) -> dict[str, Any]:
        """Return what an event needs to call ``noted``."""
        settings = self.tab.settings
        return {"inputs": [self.tab.held, *settings.fields], "outputs": settings.note, "queue": False, **QUIET}

    def noted(self, request: gr.Request, held: Held, *values: object) -> str:
        """Describe the present settings and what the run will take."""
        given = forms.values(self.tab.task.params, values)
        shown, _ = attempt(lambda: page.view(self.services, session_of(request), self.tab.task, held))
        text, box = attempt(lambda: self.tab.explain(self.services, shown or View(self.tab.task), given))
        return text or box


def connect(
    services: Services,
    tabs: Mapping[str, Tab],
    shared: Shared,
    others: Mapping[str, Opening],
) -> dict[str, Wiring]:
    """Attach every event of the imaging tabs and return task name -> wiring.

    others: tabs that are no imaging tabs and are opened by a job's address too.
    """
    wirings = {name: Wiring(services, tab, shared) for name, tab in tabs.items()}
    for wiring in wirings.values():
        _connect_inputs(wiring)
        _connect_run(wiring)
        connect_settings(wiring.tab.settings, wiring.tab.task, wiring.noted, wiring.note())
        for other, button in wiring.tab.chain.buttons.items():
            target = wirings[other]
            button.click(
                target.received,
                wiring.tab.held,
                [*target.everything(), shared.active, shared.tabs],
                **QUIET,
            ).then(target.noted, **target.note())
    _connect_opening({**wirings, **others}, shared)
    _connect_choice({**wirings, **others}, shared)
    return wirings


def _connect_opening(wirings: Mapping[str, Opening], shared: Shared) -> None:
    """Show the job named in the page's address, in its own tab."""
    first = next(iter(wirings))
    outputs = [shared.active, shared.tabs, *{part: None for one in wirings.values() for part in one.everything()}]

    def opened(request: gr.Request, event: gr.EventData) -> Updates:
        session = session_of(request)
        wanted = str(getattr(event, "job", ""))
        if not wanted:
            # a visitor may have gone to another tab before this answer comes
            return {shared.active: gr.skip()}
        found, box = attempt(lambda: _of_job(wirings, session, wanted))
        name, held = found or (first, Held())
        troubles = {wirings[name].first_trouble(): box} if box else {}
        return {
            shared.active: name,
            shared.tabs: gr.Tabs(selected=name),
            **wirings[name].render(session, held, troubles),
        }

    event = shared.viewer.asked(opened, None, outputs, **QUIET)
    for wiring in wirings.values():
        event = event.then(wiring.noted, **wiring.note())


def _connect_choice(wirings: Mapping[str, Opening], shared: Shared) -> None:
    """Show the work of the tab that a visitor goes to in the parts that all tabs share."""

    def chosen(request: gr.Request, event: gr.EventData, *held: Held) -> Updates:
        name = str(getattr(event, "id", ""))
        if name not in wirings:
            return {shared.active: gr.skip()}
        works = dict(zip(wirings, held, strict=True))
        return {shared.active: name, **wirings[name].front(session_of(request), works[name])}

    # that of the tabs is a visitor's press alone; that of a tab also comes by itself, at the start and after a job's
    # tab was opened, and would show empty work over the job that the address asks for
    shared.tabs.select(
        chosen,
        [wiring.held for wiring in wirings.values()],
        [shared.active, shared.viewer, shared.results],
        trigger_mode="always_last",
        **QUIET,
    )


def _of_job(wirings: Mapping[str, Opening], session: str, wanted: str) -> tuple[str, Held]:
    services = next(iter(wirings.values())).services
    task, held = page.of_job(services, session, wanted)
    if task.name not in wirings:
        raise UserError("not_found", "This run has no tab on this page.", "Open it from the Sessions tab.")
    return task.name, held


def _connect_inputs(wiring: Wiring) -> None:
    tab, services = wiring.tab, wiring.services
    whole: dict[str, Any] = {"outputs": wiring.everything(), **QUIET}
    for name, slot in tab.slots.items():
        load = partial(_load, services, tab, name)
        slot.file.upload(wiring.after(load, slot.trouble), [tab.held, slot.file], **whole).then(
            wiring.noted, **wiring.note()
        )
        if slot.remove:
            take_off = partial(_remove, tab, name)
            slot.remove.click(wiring.after(take_off, slot.trouble), tab.held, **whole).then(
                wiring.noted, **wiring.note()
            )
    for example, button in tab.examples:
        take = partial(_example, services, tab.task.name, example.name)
        place = next(iter(tab.slots.values())).trouble
        button.click(wiring.after(take, place), tab.held, **whole).then(wiring.noted, **wiring.note())
    if "mask" in tab.slots:
        wiring.shared.viewer.mask(wiring.drawn, tab.held, **whole).then(wiring.noted, **wiring.note())


def _connect_run(wiring: Wiring) -> None:
    tab, steps = wiring.tab, wiring.tab.running
    whole: dict[str, Any] = {"outputs": wiring.everything(), **QUIET}
    steps.run.click(wiring.after(wiring.started, steps.trouble), [tab.held, *tab.settings.fields], **whole)
    stop = partial(actions.cancel, wiring.services)
    steps.cancel.click(wiring.after(stop, steps.trouble), tab.held, **whole)
    tab.timer.tick(wiring.tick, [tab.held, wiring.shared.active], **whole)


def connect_settings(settings: Settings, task: Task, noted: Callable[..., str], note: Mapping[str, Any]) -> None:
    """Let presets fill the fields, changed fields leave the preset, and both be explained by ``noted``."""
    presets = {preset.name: preset for preset in task.presets}
    settings.preset.input(
        lambda name: forms.preset_values(task.params, presets[name].params),
        settings.preset,
        list(settings.fields),
        queue=False,
        **QUIET,
    ).then(noted, **note)
    chosen = {name for preset in page.offered(task) for name in preset.params}
    fields: tuple[Any, ...] = settings.fields
    for param, component in zip(task.params, fields, strict=True):
        if param.name in chosen:
            component.input(lambda: None, None, settings.preset, queue=False, **QUIET)
        component.input(noted, **note)


def _load(services: Services, tab: Tab, name: str, session: str, held: Held, paths: Any) -> Held:
    return actions.load(services, session, tab.task, name, held, paths)


def _remove(tab: Tab, name: str, session: str, held: Held) -> Held:
    return actions.remove(tab.task, name, held)


def _example(services: Services, task: str, name: str, session: str, held: Held) -> Held:
    return Held(examples.accept_example(services, session, task, name))
