"""Which event of an imaging tab calls which action, and how the page follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import gradio as gr
from gradio.blocks import Block

from webapp.door.session import session_of
from webapp.intake import example_scans as examples
from webapp.pages.charts.captions import head
from webapp.pages.charts.slice_steps import slices
from webapp.pages.imaging import actions, comparison, result_scene
from webapp.pages.imaging import result_rating as rating
from webapp.pages.imaging.tab import Tab
from webapp.pages.kit import boxes as pieces
from webapp.pages.kit import forms, panel_actions
from webapp.pages.kit.event_options import QUIET
from webapp.pages.kit.page_state import Held, View
from webapp.pages.kit.panel import Shared
from webapp.pages.kit.panel_events import PanelEvents, Updates
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
            *form.scores, tab.comparison.start, *tab.extra,
        ]  # fmt: skip

    def front(self, shown: View) -> Updates:
        """Return the scene, and how the methods compare."""
        job, shared = shown.job, self.shared
        table = pieces.result_table(shown.task, job.result.table) if job and shown.done else ""
        chart = slices(job.result.table) if job and shown.done else None
        return {
            shared.viewer: result_scene.scene(shown).value(),
            shared.results: gr.HTML(table, visible=shown.done),
            shared.chart.group: gr.Column(visible=chart is not None),
            shared.chart.words: head(chart) if chart else "",
            shared.chart.plot: gr.Plot(chart.figure if chart else None),
        }

    def rest(self, session: str, shown: View) -> Updates:
        """Return outcome, downloads and rating of the job."""
        tab, form, job = self.tab, self.tab.form, shown.job
        kept = self.services.repo.ratings(job.id, session) if job and shown.done else ()
        return {
            **{component: follow(shown) for component, follow in tab.extra.items()},
            tab.running.outcome: pieces.outcome(job) if job else "",
            tab.downloads: gr.HTML(pieces.downloads(job) if job and shown.done else "", visible=shown.done),
            tab.chain.group: gr.Row(visible=shown.done),
            tab.comparison.start: gr.Button(interactive=shown.ready),
            form.group: gr.Column(visible=shown.done),
            form.status: rating.known(kept),
            form.save: gr.Button("Save rating", interactive=True),
            form.client: rating.new_client(),
            form.comment: "",
            **{score: None for score in form.scores},
        }

    def asked(self, values: Sequence[object]) -> dict[str, object]:
        """Return the settings of a run of the chosen method alone."""
        return comparison.alone(super().asked(values))

    def compared(self, session: str, held: Held, *values: object) -> Held:
        """Queue one run of every ticked method."""
        task = self.tab.task
        wanted = comparison.settings(task, forms.values(task.params, values))
        return panel_actions.submit(self.services, session, task, held, wanted)

    def notes(self) -> list[Block]:
        """Return the note on the run and that on the comparison."""
        return [*super().notes(), self.tab.comparison.note]

    def said(self, shown: View, values: Sequence[object]) -> Updates:
        """Return what the run means and takes, and what the comparison takes."""
        several = comparison.note(self.services, shown, forms.values(self.tab.task.params, values))
        return {**super().said(shown, values), self.tab.comparison.note: several}

    def changed(self, name: str, field: Any) -> Callable[..., Any]:
        """Return the event after which a change is explained; another method has its own number of steps."""
        tab = self.tab
        if name == "steps":
            field.input(lambda: True, None, tab.typed, queue=False, **QUIET)
        if name != "method":
            return super().changed(name, field)
        meant = field.input(_steps, tab.typed, tab.settings.fields["steps"], queue=False, **QUIET)
        return cast("Callable[..., Any]", meant.then)

    def drawn(self, request: gr.Request, held: Held, event: gr.EventData) -> Updates:
        """Take the mask that the browser has just sent."""
        mask_id = getattr(event, "scan_id", "")
        take = partial(actions.take_drawn, self.services, task=self.tab.task, mask_id=mask_id)
        handle = self.after(lambda session, held: take(session=session, held=held), self.tab.slots["mask"].trouble)
        return handle(request, held)

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
        tab.comparison.start.click(
            events.after(events.compared, tab.running.trouble),
            [tab.held, *tab.settings.fields.values()],
            events.everything(),
            **QUIET,
        )
        tab.settings.preset.input(lambda: False, None, tab.typed, queue=False, **QUIET)
        for example, button in tab.examples:
            events.on(button.click, partial(_example, services, tab.task.name, example.name), tab.first_trouble)
        if "mask" in tab.slots:
            drawn = shared.viewer.mask(events.drawn, tab.held, events.everything(), **QUIET)
            drawn.then(events.noted, **events.note())
        for other, button in tab.chain.buttons.items():
            _connect_handing(button, tab.held, connected[other])
    return connected


def _connect_handing(button: gr.Button, held: gr.State, target: TabEvents) -> None:
    outputs = [*target.everything(), target.shared.active, target.shared.tabs]
    button.click(target.received, held, outputs, **QUIET).then(target.noted, **target.note())


def _steps(typed: bool) -> object:
    """Return 0, as many steps as the method is meant for, unless the visitor has typed a number."""
    return gr.skip() if typed else 0


def _example(services: Services, task: str, name: str, session: str, held: Held) -> Held:
    return Held(examples.accept_example(services, session, task, name))
