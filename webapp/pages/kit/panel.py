"""The left column of a task: its inputs, settings and run, and the parts that all tabs of the page share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from core import tasks
from core.declaration import Param, Task, Value
from webapp.pages.kit import boxes, forms
from webapp.pages.kit.expected_time import preset_titles
from webapp.pages.kit.page_state import View
from webapp.pages.kit.share_form import ShareForm
from webapp.pages.kit.templates import piece
from webapp.pages.kit.upload_slot import Slot
from webapp.pages.kit.viewer import ProgressBar, VolumeViewer
from webapp.services import Services

Explain = Callable[[Services, View, Mapping[str, object]], str]


@dataclass(frozen=True)
class Chart:
    """Where the figure of a job stands, and how to read it."""

    group: gr.Column
    words: gr.HTML
    plot: gr.Plot


@dataclass(frozen=True)
class Shared:
    """What every tab shows its work in. badges: of the header; active: the name of the imaging tab that is open."""

    badges: gr.HTML
    viewer: VolumeViewer
    results: gr.HTML
    chart: Chart
    tabs: gr.Tabs
    active: gr.State

    def front(self) -> list[Block]:
        """Return the parts that show the work of the tab that is open."""
        return [self.viewer, self.results, self.chart.group, self.chart.words, self.chart.plot]


@dataclass(frozen=True)
class Settings:
    """Preset, the field of each parameter in their order, and a note on what the choice means and costs."""

    preset: gr.Radio
    fields: Mapping[str, Component]
    note: gr.HTML


@dataclass(frozen=True)
class Running:
    """Start, stop, and how it goes; also: preset -> the button that repeats a finished run under it."""

    run: gr.Button
    cancel: gr.Button
    note: gr.HTML
    progress: ProgressBar
    trouble: gr.HTML
    outcome: gr.HTML
    also: Mapping[str, gr.Button]


@dataclass(frozen=True)
class Panel:
    """What every tab of a task has that an event reads or changes.

    deface: whether faces are removed from scans that are loaded, None where there are none, or nothing to choose.
    explain: what the chosen settings mean for the scans at hand, as HTML.
    """

    task: Task
    held: gr.State
    slots: Mapping[str, Slot]
    settings: Settings
    running: Running
    share: ShareForm
    deface: gr.Checkbox | None
    explain: Explain

    @property
    def first_trouble(self) -> gr.HTML:
        """Where an error of no input in particular is shown."""
        return next(iter(self.slots.values())).trouble


def tab_title(task: Task) -> str:
    """Return the title of a task's tab."""
    return task.page.tab or task.title


def ident(task: Task, name: str) -> str:
    """Return the id of a part of a tab; the first task's parts go by their bare names."""
    return name if task is tasks.TASKS[0] else f"{task.name}-{name}"


def settings(services: Services, task: Task, elsewhere: Mapping[str, Component] | None = None) -> Settings:
    """Draw presets, the fields in the open and those folded away, under headings of their own where they have one.

    elsewhere: the fields of parameters that are drawn in another place.
    """
    built = dict(elsewhere or {})
    presets = preset_titles(services, View(task), {})
    with gr.Column():
        preset = gr.Radio(
            presets,
            value=task.page.preset or next((name for _, name in presets), None),
            label="Preset and expected time",
            visible=bool(presets),
            elem_id=ident(task, "preset"),
            elem_classes=["cs-choice", "cs-preset"],
        )
        left = [param for param in task.params if param.name not in built and not param.folded]
        folded = [param for param in task.params if param.name not in built and param.folded]
        chosen = next((one.params for one in task.presets if one.name == preset.value), {})
        built |= _fields((one for one in left if not one.advanced), chosen)
        note = gr.HTML(elem_id=ident(task, "method-note"))
        for heading in dict.fromkeys(param.folded for param in folded):
            with gr.Accordion(heading, open=False, elem_classes="cs-advanced"):
                built |= _fields((one for one in folded if one.folded == heading), chosen)
        words = "Method and advanced settings" if task.methods else "Advanced settings"
        with gr.Accordion(words, open=False, visible=any(one.advanced for one in left), elem_classes="cs-advanced"):
            built |= _fields((one for one in left if one.advanced and not one.paper), chosen)
            papers = [param for param in left if param.paper]
            if papers:
                with gr.Accordion("Settings of the papers' methods", open=False, elem_classes="cs-advanced"):
                    built |= _fields(papers, chosen)
    return Settings(preset, {param.name: built[param.name] for param in task.params}, note)


def _fields(params: Iterable[Param], chosen: Mapping[str, Value]) -> dict[str, Component]:
    return {param.name: forms.field(param, chosen.get(param.name)) for param in params}


def running(task: Task) -> Running:
    """Draw the step that starts, follows and stops a run."""
    empty = View(task)
    with gr.Column(elem_classes="cs-section cs-foot"):
        gr.HTML(piece("boxes", "run_step"))
        with gr.Row(elem_classes="cs-buttons"):
            run = gr.Button(
                "Run", variant="primary", elem_id=ident(task, "run"), elem_classes="cs-run", interactive=empty.ready
            )
            cancel = gr.Button("Cancel", elem_id=ident(task, "cancel"), elem_classes="cs-cancel", interactive=False)
        note = gr.HTML(why_not(empty), elem_id=ident(task, "run-note"))
        progress = ProgressBar(elem_id=ident(task, "progress"))
        trouble = gr.HTML(elem_id=ident(task, "run-trouble"))
        outcome = gr.HTML(elem_id=ident(task, "outcome"))
        with gr.Row(elem_classes="cs-also") if task.page.twins else nullcontext():
            also = {name: gr.Button(visible=False, elem_id=ident(task, f"also-{name}")) for name in task.page.twins}
    return Running(run, cancel, note, progress, trouble, outcome, also)


def why_not(shown: View) -> str:
    """Return what a run still needs, as HTML."""
    if shown.ready or shown.active:
        return ""
    wanted = ", ".join(entry.title for entry in shown.missing) if shown.task.required else "at least one scan"
    return boxes.hint(f"Still needed: {wanted}.")
