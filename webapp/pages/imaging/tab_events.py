"""Which event of an imaging tab calls which action, and how the page follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import gradio as gr
from gradio.blocks import Block

from core.declaration import Preset
from core.errors import UserError
from webapp.api.dicom_download import came_as_dicom
from webapp.door.visitor import session_of
from webapp.intake import example_scans as examples
from webapp.pages.charts.captions import head
from webapp.pages.charts.slice_steps import slices
from webapp.pages.imaging import actions, comparison, other_presets, result_scene
from webapp.pages.imaging import result_rating as rating
from webapp.pages.imaging.tab import GroupDrop, Tab
from webapp.pages.kit import boxes, forms, panel_actions
from webapp.pages.kit.event_options import QUIET
from webapp.pages.kit.expected_time import expected
from webapp.pages.kit.page_state import Held, View, mask_input
from webapp.pages.kit.panel import Shared, ident
from webapp.pages.kit.panel_events import PanelEvents, Updates, replacing
from webapp.pages.kit.templates import joined
from webapp.pages.kit.trouble import attempt
from webapp.services import Services


@dataclass(frozen=True)
class TabEvents(PanelEvents):
    """An imaging tab: its result is drawn in the viewer, rated, and handed to another tab."""

    tab: Tab

    def own(self) -> list[Block]:
        """Return the components that only an imaging tab has."""
        tab, form = self.tab, self.tab.form
        return [
            tab.downloads, tab.chain.group, form.group, form.status, form.save, form.client, form.comment,
            *form.scores, *tab.followers, *tab.running.also.values(),
            *([tab.comparison.start] if tab.comparison else []),
            *([tab.together.trouble] if tab.together else []), *([tab.welcome.group] if tab.welcome else []),
        ]  # fmt: skip

    def front(self, shown: View) -> Updates:
        """Return the scene, and how the methods compare."""
        job, shared = shown.job, self.shared
        table = boxes.result_table(shown.task, job.result.table) if job and shown.done else ""
        chart = slices(job.result.table) if job and shown.done else None
        return {
            shared.viewer: result_scene.scene(shown).value(),
            shared.results: gr.HTML(table, visible=shown.done),
            shared.chart.group: gr.Column(visible=chart is not None),
            shared.chart.words: head(chart) if chart else "",
            shared.chart.plot: gr.Plot(chart.figure if chart else None),
        }

    def _downloads(self, shown: View) -> str:
        return boxes.downloads(shown.job, came_as_dicom(shown.scans)) if shown.job and shown.done else ""

    def _outcome(self, shown: View) -> str:
        """Return how the job ended, and the way to the other runs, which it has taken the place of."""
        if shown.job is None:
            return ""
        ended = boxes.outcome(shown.job, ident(shown.task, "downloads"))
        return joined((ended, boxes.other_runs(shown.earlier)))

    def rest(self, session: str, shown: View) -> Updates:
        """Return outcome, downloads and rating of the job."""
        tab, form, job = self.tab, self.tab.form, shown.job
        kept = self.services.repo.ratings(job.id, session) if job and shown.done else ()
        return {
            **{component: follow(shown) for component, follow in tab.followers.items()},
            **self._also(shown),
            tab.running.outcome: self._outcome(shown),
            tab.downloads: gr.HTML(self._downloads(shown), visible=shown.done),
            tab.chain.group: gr.Row(visible=shown.done),
            form.group: gr.Column(visible=shown.done),
            form.status: rating.known(kept),
            form.save: gr.Button("Save rating", interactive=True),
            form.client: rating.new_client(),
            form.comment: "",
            **{score: None for score in form.scores},
            **({tab.comparison.start: gr.Button(interactive=shown.ready)} if tab.comparison else {}),
            **({tab.welcome.group: gr.Column(visible=shown.empty)} if tab.welcome else {}),
        }

    def _also(self, shown: View) -> Updates:
        """Return the buttons that repeat the finished job under the presets that it has not had."""
        offers = {one.name: one for one in other_presets.left(shown)}
        buttons: Updates = {}
        for name, button in self.tab.running.also.items():
            buttons[button] = gr.Button(visible=name in offers)
            if shown.job and name in offers:
                took = expected(self.services, shown, other_presets.settings(shown.job, offers[name]))
                buttons[button] = gr.Button(f"Also compute {offers[name].title} · {took}", visible=True)
        return buttons

    def repeat(self, preset: Preset) -> Callable[..., Updates]:
        """Return a handler that queues the finished job again under another preset, which becomes that of the form."""
        task, settings = self.tab.task, self.tab.settings

        def again(session: str, held: Held) -> Held:
            job = self.services.repo.job(held.job, session)
            wanted = other_presets.settings(job, preset)
            return panel_actions.submit(self.services, session, task, held, wanted)

        def handle(request: gr.Request, held: Held) -> Updates:
            values = forms.preset_values(task.params, preset.params)
            return {
                **self.after(again, self.tab.running.trouble)(request, held),
                settings.preset: preset.name,
                **dict(zip(settings.fields.values(), values, strict=True)),
            }

        return handle

    def run_settings(self, values: Sequence[object]) -> dict[str, object]:
        """Return the settings of a run of the chosen method alone."""
        return comparison.alone(super().run_settings(values))

    def ran(self, settings: Mapping[str, object], now: Sequence[object]) -> list[object]:
        """Return the values of the fields for a run with ``settings``; one of several methods ran without the plain
        ones, which a run of one method has."""
        several = bool(settings.get(comparison.BESIDE))
        own = {name: value for name, value in settings.items() if not (several and name == "compare")}
        return super().ran(own, now)

    def compared(self, session: str, held: Held, *values: object) -> Held:
        """Queue one run of every ticked method."""
        task = self.tab.task
        wanted = comparison.settings(task, forms.values(task.params, values))
        return panel_actions.submit(self.services, session, task, held, wanted)

    def shown_first(self, session: str, held: Held, *values: object) -> Held:
        """Queue a run of the first example with the values of the form."""
        first = self.tab.examples[0][0]
        return self.started(session, _example(self.services, self.tab.task.name, first.name, session, held), *values)

    def notes(self) -> list[Block]:
        """Return the note on the run and that on the comparison."""
        return [*super().notes(), *([self.tab.comparison.note] if self.tab.comparison else [])]

    def note_texts(self, shown: View, values: Sequence[object], **preset: Any) -> Updates:
        """Return what the run means and takes, and what the comparison takes."""
        texts = super().note_texts(shown, values, **preset)
        if self.tab.comparison:
            given = forms.values(self.tab.task.params, values)
            texts[self.tab.comparison.note] = comparison.note(self.services, shown, given)
        return texts

    def changed(self, name: str, field: Any) -> Callable[..., Any]:
        """Return the event after which a change is explained; another method has its own number of steps."""
        tab = self.tab
        if name == "steps":
            field.input(lambda: True, None, tab.typed, queue=False, **QUIET)
        if name != "method" or "steps" not in tab.settings.fields:
            return super().changed(name, field)
        usual = field.input(_steps, tab.typed, tab.settings.fields["steps"], queue=False, **QUIET)
        return cast("Callable[..., Any]", usual.then)

    def drawn(self, request: gr.Request, held: Held, active: str, event: gr.EventData) -> Updates:
        """Take the mask that the browser has just sent, if this is the tab that it was drawn in."""
        task = self.tab.task
        if active != task.name:
            return {self.tab.held: gr.skip()}
        mask_id = getattr(event, "scan_id", "")
        take = partial(actions.take_drawn, self.services, task=task, mask_id=mask_id)
        place = self.tab.slots[mask_input(task)].trouble
        return self.after(lambda session, held: take(session=session, held=held), place)(request, held)

    def dropped(self, request: gr.Request, held: Held, paths: Any, deface: bool = False) -> Updates:
        """Take scans of the group that were dropped together."""
        group, together = self.tab.task.page.group, self.tab.together
        if group is None or together is None:
            raise UserError("not_found", "This tab takes its scans one by one.", "Drop each in its own place.")
        session = session_of(request)
        take = partial(actions.distribute, self.services, session, self.tab.task, group)
        taken, box = attempt(lambda: take(held, paths, deface=deface))
        changed, problems = taken or (held, ())
        return {
            **self.render(session, changed),
            together.trouble: box or boxes.notes(problems),
            together.drop: gr.File(value=None),
        }

    def received(self, request: gr.Request, from_held: Held) -> Updates:
        """Open this tab on the result of another tab's job."""
        session = session_of(request)
        taken, box = attempt(lambda: actions.receive(self.services, session, self.tab.task, from_held.job))
        opened: Updates = {
            self.shared.active: self.tab.task.name,
            self.shared.tabs: gr.Tabs(selected=self.tab.task.name),
        }
        return {**self.render(session, taken or Held(), {self.tab.first_trouble: box} if box else None), **opened}


def connect(services: Services, tabs: Mapping[str, Tab], shared: Shared) -> dict[str, TabEvents]:
    """Attach every event of the imaging tabs and return task name -> its events."""
    connected = {name: TabEvents(services, tab, shared) for name, tab in tabs.items()}
    for events in connected.values():
        tab = events.tab
        events.connect()
        if tab.comparison:
            given = [tab.held, *tab.settings.fields.values()]
            compared = events.after(events.compared, tab.running.trouble)
            replacing(tab.comparison.start.click, compared, given, events.everything())
        for preset in other_presets.twins(tab.task):
            outputs = [*events.everything(), tab.settings.preset, *tab.settings.fields.values()]
            also = tab.running.also[preset.name]
            replacing(also.click, events.repeat(preset), [tab.held], outputs).then(events.noted, **events.note())
        tab.settings.preset.input(lambda: False, None, tab.typed, queue=False, **QUIET)
        for example, button in tab.examples:
            events.on(button.click, partial(_example, services, tab.task.name, example.name), tab.first_trouble)
        if tab.welcome:
            fields = tab.settings.fields.values()
            events.on(tab.welcome.start.click, events.shown_first, tab.first_trouble, *fields)
        if mask_input(tab.task):
            drawn = replacing(shared.viewer.mask, events.drawn, [tab.held, shared.active], events.everything())
            drawn.then(events.noted, **events.note())
        for other, button in tab.chain.buttons.items():
            _connect_handing(button, tab.held, connected[other])
        if tab.together:
            _connect_group(events, tab.together)
    return connected


def _connect_group(events: TabEvents, together: GroupDrop) -> None:
    """Let scans be dropped together, and each be moved to another input."""
    held = events.tab.held
    outputs = [*events.everything(), together.drop]
    inputs = [held, together.drop, *([events.tab.deface] if events.tab.deface else [])]
    taken = replacing(together.drop.upload, events.dropped, inputs, outputs)
    taken.then(events.noted, **events.note())
    for name, field in together.corrections.items():
        # the last argument is what the field was changed to
        events.on(field.input, partial(_move, name), together.trouble, field)


def _move(name: str, session: str, held: Held, other: Any) -> Held:
    return actions.move(name, str(other), held)


def _connect_handing(button: gr.Button, held: gr.State, target: TabEvents) -> None:
    outputs = [*target.everything(), target.shared.active, target.shared.tabs]
    button.click(target.received, held, outputs, **QUIET).then(target.noted, **target.note())


def _steps(typed: bool) -> object:
    """Return 0, as many steps as the method is meant for, unless the visitor has typed a number."""
    return gr.skip() if typed else 0


def _example(services: Services, task: str, name: str, session: str, held: Held) -> Held:
    return Held(examples.accept_example(services, session, task, name))
