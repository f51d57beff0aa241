"""What the events of every tab of a task do, and which tab's work the page shows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from core.errors import UserError
from webapp.door.visitor import session_of
from webapp.pages.kit import boxes, forms, page_state
from webapp.pages.kit import panel_actions as actions
from webapp.pages.kit.event_options import QUIET
from webapp.pages.kit.expected_time import device_title, offered, preset_titles
from webapp.pages.kit.job_progress import progress
from webapp.pages.kit.page_state import Held, View
from webapp.pages.kit.panel import Panel, Shared, why_not
from webapp.pages.kit.trouble import attempt
from webapp.services import Services

Updates = dict[Block, Any]
Action = Callable[..., Held]
# the result in sight is marked as old until the answer to a change comes
_OLD = "() => { document.documentElement.dataset.old = 'true'; }"
_ANSWERED = "() => { delete document.documentElement.dataset.old; }"


@dataclass(frozen=True)
class PanelEvents(ABC):
    """A tab, what it shares with the others, the services, and the translation between rows and components."""

    services: Services
    tab: Panel
    shared: Shared

    @abstractmethod
    def own(self) -> list[Block]:
        """Return the components that this kind of tab has besides."""

    @abstractmethod
    def rest(self, session: str, shown: View) -> Updates:
        """Return what ``own`` shows."""

    @abstractmethod
    def front(self, shown: View) -> Updates:
        """Return the parts that all tabs share as this tab shows them."""

    def everything(self) -> list[Block]:
        """Return every component that ``render`` may change."""
        tab, steps = self.tab, self.tab.running
        slots = [part for slot in tab.slots.values() for part in slot.everything()]
        return [
            tab.held, self.shared.badges, *self.shared.front(), *slots, steps.run, steps.cancel, steps.note,
            steps.progress, steps.trouble, steps.outcome, *tab.share.everything(), *self.own(),
        ]  # fmt: skip

    def render(
        self, session: str, held: Held, troubles: Mapping[Block, str] | None = None, *, open: bool = True
    ) -> Updates:
        """Return the whole tab for ``held``; ids that cannot be read leave it empty, with a box.

        open: whether it is the tab that is looked at; the parts that all tabs share are left alone if not.
        """
        found = dict(troubles or {})
        shown, box = self.read(session, held)
        if shown is None:
            found[self.tab.first_trouble] = box
            held, shown = Held(), View(self.tab.task)
        return {
            self.tab.held: held,
            self.shared.badges: header(self.services),
            **(self.front(shown) if open else {}),
            **self._steps(shown),
            **self.rest(session, shown),
            **found,
        }

    def read(self, session: str, held: Held) -> tuple[View | None, str]:
        """Return the rows of ``held``, or None and a box that explains."""
        return attempt(lambda: page_state.view(self.services, session, self.tab.task, held))

    def _steps(self, shown: View) -> Updates:
        tab, steps, free = self.tab, self.tab.running, not shown.active
        updates: Updates = {}
        for name, slot in tab.slots.items():
            updates |= slot.updates(shown.scans.get(name), free, shown.volumes.get(name))
        return updates | {
            steps.run: gr.Button(interactive=shown.ready),
            steps.cancel: gr.Button(interactive=shown.active),
            steps.note: why_not(shown),
            steps.progress: progress(shown.job),
            steps.trouble: "",
            **tab.share.updates(shown),
        }

    def after(self, action: Action, place: Component) -> Callable[..., Updates]:
        """Return a handler that does ``action(session, held, ...)`` and shows the tab, with its error at ``place``."""

        def handle(request: gr.Request, held: Held, *values: object) -> Updates:
            session = session_of(request)
            changed, box = attempt(lambda: action(session, held, *values))
            return self.render(session, changed or held, {place: box} if box else None)

        return handle

    def run_settings(self, values: Sequence[object]) -> dict[str, object]:
        """Return the settings of a run with the values of the form."""
        return forms.values(self.tab.task.params, values)

    def started(self, session: str, held: Held, *values: object) -> Held:
        """Queue a run with the values of the form."""
        return actions.submit(self.services, session, self.tab.task, held, self.run_settings(values))

    @abstractmethod
    def shown_first(self, session: str, held: Held, *values: object) -> Held:
        """Queue a run of the first example with the values of the form."""

    def opened_first(self, request: gr.Request, *values: object) -> Updates:
        """Open this tab and run the first example there, from any other tab."""
        run = self.after(self.shown_first, self.tab.first_trouble)
        name = self.tab.task.name
        opened: Updates = {self.shared.active: name, self.shared.tabs: gr.Tabs(selected=name)}
        return {**run(request, Held(), *values), **opened}

    def cancelled(self, request: gr.Request, held: Held) -> str:
        """Stop the job and return the box of what went wrong.

        Its end is shown by ``ended`` alone: of two answers the later one would undo what was begun between them.
        """
        _, box = attempt(lambda: actions.cancel(self.services, session_of(request), held))
        return box

    def ended(self, request: gr.Request, held: Held, active: str) -> Updates:
        """Show the tab whose job is over."""
        return self.render(session_of(request), held, open=active == self.tab.task.name)

    def note(self) -> dict[str, Any]:
        """Return what an event needs to call ``noted``."""
        fields = self.tab.settings.fields.values()
        return {"inputs": [self.tab.held, *fields], "outputs": self.notes(), "queue": False, **QUIET}

    def notes(self) -> list[Block]:
        """Return the components that ``noted`` fills."""
        return [self.tab.settings.preset, self.tab.settings.note]

    def noted(self, request: gr.Request, held: Held, *values: object) -> Updates:
        """Describe the present settings, and what the run and each preset will take."""
        return self._noted(session_of(request), held, values)

    def noted_first(self, session: str, held: Held) -> Updates:
        """Fill the form with the settings of the run that a page is opened on, and describe them; without a run
        describe those that the form begins with."""
        settings = self.tab.settings
        values: list[object] = [field.value for field in settings.fields.values()]
        job, _ = attempt(lambda: self.services.repo.job(held.job, session)) if held.job else (None, "")
        if job is None:
            return self._noted(session, held, values)
        values = self.ran(job.params, values)
        preset = forms.preset_of(offered(self.tab.task), forms.values(self.tab.task.params, values))
        name = preset.name if preset else None
        filled: Updates = dict(zip(settings.fields.values(), values, strict=True))
        return {**self._noted(session, held, values, value=name), **filled}

    def ran(self, settings: Mapping[str, object], now: Sequence[object]) -> list[object]:
        """Return the values of the fields for a run with ``settings``, those of ``now`` where it has none."""
        return forms.run_values(self.tab.task.params, settings, now)

    def _noted(self, session: str, held: Held, values: Sequence[object], **preset: Any) -> Updates:
        shown, _ = self.read(session, held)
        return self.note_texts(shown or View(self.tab.task), values, **preset)

    def note_texts(self, shown: View, values: Sequence[object], **preset: Any) -> Updates:
        """Return what each of ``notes`` shows; all expected times are of one moment.

        preset: what else the choice of presets is given, as its value.
        """
        settings, given = self.tab.settings, self.run_settings(values)
        text, box = attempt(lambda: self.tab.explain(self.services, shown, given))
        return {
            settings.preset: gr.Radio(choices=preset_titles(self.services, shown, given), **preset),
            settings.note: text or box,
        }

    def on(self, event: Callable[..., Any], action: Action, place: Component, *inputs: Component) -> None:
        """Let ``event`` change what is worked on: ``action(session, held, ...)`` with the values of ``inputs``."""
        changed = replacing(event, self.after(action, place), [self.tab.held, *inputs], self.everything())
        changed.then(self.noted, **self.note())

    def connect(self) -> None:
        """Attach the events of inputs, settings and run."""
        services, tab, steps = self.services, self.tab, self.tab.running
        for name, slot in tab.slots.items():
            wishes = [tab.deface] if tab.deface else []
            self.on(slot.file.upload, partial(_load, services, tab, name), slot.trouble, slot.file, *wishes)
            if slot.volume:
                choose = partial(_choose, services, tab, name)
                self.on(slot.volume.input, choose, slot.trouble, slot.volume, *wishes)
            if slot.remove:
                self.on(slot.remove.click, partial(_remove, tab, name), slot.trouble)
        whole: dict[str, Any] = {"outputs": self.everything(), **QUIET}
        given = [tab.held, *tab.settings.fields.values()]
        replacing(steps.run.click, self.after(self.started, steps.trouble), given, self.everything())
        steps.cancel.click(self.cancelled, tab.held, steps.trouble, **QUIET)
        steps.progress.over(self.ended, [tab.held, self.shared.active], **whole)
        # a run that is over changes what the next one is expected to take
        steps.outcome.change(self.noted, **self.note())
        self._connect_settings()

    def _connect_settings(self) -> None:
        """Let presets fill the fields, changed fields leave the preset, and both be explained."""
        task, settings = self.tab.task, self.tab.settings
        presets = {preset.name: preset.params for preset in task.presets}
        filled = list(settings.fields.values())
        settings.preset.input(
            None, [settings.preset, *filled], filled, js=forms.preset_script(task.params, presets), **QUIET
        ).then(self.noted, **self.note())
        chosen = {name for preset in offered(task) for name in preset.params}
        fields: Mapping[str, Any] = settings.fields
        for name, component in fields.items():
            if name in chosen:
                component.input(lambda: None, None, settings.preset, queue=False, **QUIET)
            self.changed(name, component)(self.noted, **self.note())

    def changed(self, name: str, field: Any) -> Callable[..., Any]:
        """Return the event after which a change of the field of parameter ``name`` is explained."""
        return cast("Callable[..., Any]", field.input)


def replacing(
    event: Callable[..., Any], change: Callable[..., Updates], inputs: Sequence[Block], outputs: Sequence[Block]
) -> Any:
    """Let ``event`` replace what is worked on by ``change``, and return Gradio's dependency, to which more is added."""
    event(None, js=_OLD, **QUIET)
    changed = event(change, inputs, outputs, **QUIET)
    changed.then(None, js=_ANSWERED, **QUIET)
    return changed


def header(services: Services) -> str:
    """Return the badges of the header: where networks run, and how many jobs wait or run."""
    return boxes.header(device_title(services.settings.device), services.dispatcher.waiting())


def connect_first(start: gr.Button, events: PanelEvents) -> None:
    """Let a button of another tab run the first example of the tab of ``events``."""
    fields = list(events.tab.settings.fields.values())
    outputs = [*events.everything(), events.shared.active, events.shared.tabs]
    start.click(events.opened_first, fields, outputs, **QUIET).then(events.noted, **events.note())


def connect(tabs: Mapping[str, PanelEvents], shared: Shared) -> None:
    """Let the page's address and the visitor choose whose work is shown; tabs: task name -> its tab."""
    _connect_address(tabs, shared)
    _connect_choice(tabs, shared)


def _connect_address(tabs: Mapping[str, PanelEvents], shared: Shared) -> None:
    """Show the job or the scans named in the page's address, in the tab of their task."""
    first, services = next(iter(tabs)), next(iter(tabs.values())).services
    parts = {
        part: None
        for one in tabs.values()
        for part in (*one.everything(), *one.notes(), *one.tab.settings.fields.values())
    }

    def opened(request: gr.Request, event: gr.EventData) -> Updates:
        session = session_of(request)
        wanted = str(getattr(event, "query", ""))
        found, box = attempt(lambda: _of_address(tabs, services, session, wanted))
        name, held = found or (first, Held())
        notes: Updates = {}
        for one in tabs.values():
            notes |= one.noted_first(session, held if one is tabs[name] else Held())
        if found is None and not box:
            # a visitor may have gone to another tab before this answer comes
            return {shared.badges: header(services), **notes}
        troubles: Updates = {tabs[name].tab.first_trouble: box} if box else {}
        return {
            shared.active: name,
            shared.tabs: gr.Tabs(selected=name),
            **notes,
            **tabs[name].render(session, held, troubles),
        }

    # without inputs: Gradio reports every event to the inputs of all events before it, and the fields of all tabs are
    # a hundred
    shared.viewer.address(opened, None, [shared.active, shared.tabs, *parts], **QUIET)


def _of_address(
    tabs: Mapping[str, PanelEvents], services: Services, session: str, wanted: str
) -> tuple[str, Held] | None:
    found = page_state.of_address(services, session, wanted)
    if found is None:
        return None
    task, held = found
    if task.name not in tabs:
        raise UserError("not_found", "This run has no tab on this page.", "Open it from the Sessions tab.")
    return task.name, held


def _connect_choice(tabs: Mapping[str, PanelEvents], shared: Shared) -> None:
    """Show the work of the tab that a visitor goes to in the parts that all tabs share."""

    def chosen(request: gr.Request, event: gr.EventData, *held: Held) -> Updates:
        name = str(getattr(event, "id", ""))
        if name not in tabs:
            return {shared.active: gr.skip()}
        shown, _ = tabs[name].read(session_of(request), dict(zip(tabs, held, strict=True))[name])
        return {shared.active: name, **tabs[name].front(shown or View(tabs[name].tab.task))}

    # that of the tabs is a visitor's press alone; that of a tab also comes by itself, at the start and after a job's
    # tab was opened, and would show empty work over the job that the address asks for
    shared.tabs.select(
        chosen,
        [events.tab.held for events in tabs.values()],
        [shared.active, *shared.front()],
        trigger_mode="always_last",
        **QUIET,
    )


def _load(
    services: Services, tab: Panel, name: str, session: str, held: Held, paths: Any, deface: bool = False
) -> Held:
    return actions.load(services, session, tab.task, name, held, paths, deface=deface)


def _choose(
    services: Services, tab: Panel, name: str, session: str, held: Held, number: Any, deface: bool = False
) -> Held:
    return actions.choose_volume(services, session, tab.task, name, held, int(number), deface=deface)


def _remove(tab: Panel, name: str, session: str, held: Held) -> Held:
    return actions.remove(tab.task, name, held)
