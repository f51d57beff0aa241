"""A tab of a task: its inputs, settings, run, results, and the parts that all tabs of the page share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from core import tasks
from core.declaration import Task
from webapp.intake.example_scans import Example, examples
from webapp.pages.imaging import comparison, page
from webapp.pages.imaging import result_rating as rating
from webapp.pages.imaging.comparison import BESIDE, Comparison
from webapp.pages.imaging.page import Held, View
from webapp.pages.kit import boxes as pieces
from webapp.pages.kit import forms
from webapp.pages.kit.text import safe
from webapp.pages.kit.upload_slot import Slot
from webapp.pages.kit.viewer import ProgressBar, VolumeViewer
from webapp.services import Services

# how a component looks with what the tab now works on
Follow = Callable[[View], object]
Explain = Callable[[Services, View, Mapping[str, object]], str]

POLL_SECONDS = 0.7
DEFAULT_PRESET = "balanced"


@dataclass(frozen=True)
class Chart:
    """Where the figure of a job stands, and how to read it."""

    group: gr.Column
    words: gr.HTML
    plot: gr.Plot


@dataclass(frozen=True)
class Shared:
    """What every tab shows its work in. active: the name of the imaging tab that is open."""

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
    """Start, stop, and how it goes."""

    run: gr.Button
    cancel: gr.Button
    note: gr.HTML
    progress: ProgressBar
    trouble: gr.HTML
    outcome: gr.HTML


@dataclass(frozen=True)
class Chain:
    """Buttons that hand the result to another task: its name -> button."""

    group: gr.Row
    buttons: Mapping[str, gr.Button]


@dataclass(frozen=True)
class Panel:
    """What every tab of a task has that an event reads or changes.

    explain: what the chosen settings mean for the scans at hand, as HTML.
    """

    task: Task
    held: gr.State
    slots: Mapping[str, Slot]
    settings: Settings
    running: Running
    timer: gr.Timer
    explain: Explain

    @property
    def first_trouble(self) -> gr.HTML:
        """Where an error of no input in particular is shown."""
        return next(iter(self.slots.values())).trouble


@dataclass(frozen=True)
class Tab(Panel):
    """An imaging tab; extra: components of one tab alone and how they follow its state.

    typed: whether the visitor set the number of steps.
    """

    comparison: Comparison
    typed: gr.State
    examples: tuple[tuple[Example, gr.Button], ...]
    downloads: gr.HTML
    form: rating.RatingForm
    chain: Chain
    extra: Mapping[Component, Follow]


def ident(task: Task, name: str) -> str:
    """Return the id of a part of a tab; the first task's parts go by their bare names."""
    return name if task is tasks.TASKS[0] else f"{task.name}-{name}"


def settings(
    services: Services,
    task: Task,
    main: Sequence[str],
    titles: Mapping[str, Mapping[str, str]] | None = None,
    preset_name: str = DEFAULT_PRESET,
) -> Settings:
    """Draw preset, the ``main`` fields and the others folded away, those of the papers' methods once more.

    titles: parameter -> choice -> plain words. The methods to compare have a place of their own, see ``finish``.
    """
    named = {"method": page.method_titles(task.name), **(titles or {})}
    built: dict[str, Component] = {}
    if any(param.name == BESIDE for param in task.params):
        built[BESIDE] = comparison.ticks(task, ident(task, BESIDE))
    with gr.Column(elem_classes="cs-section cs-settings"):
        preset = gr.Radio(
            page.preset_titles(services, View(task)),
            value=preset_name,
            label="Preset and expected time",
            elem_id=ident(task, "preset"),
            elem_classes=["cs-choice", "cs-preset"],
        )
        for param in task.params:
            if param.name in main:
                built[param.name] = forms.field(param, named.get(param.name))
        note = gr.HTML(elem_id=ident(task, "method-note"))
        with gr.Accordion("Advanced", open=False, elem_classes="cs-advanced"):
            for param in task.params:
                if param.name not in built and not param.paper:
                    built[param.name] = forms.field(param, named.get(param.name))
            papers = [param for param in task.params if param.paper]
            if papers:
                with gr.Accordion("Settings of the papers' methods", open=False, elem_classes="cs-advanced"):
                    built |= {param.name: forms.field(param, named.get(param.name)) for param in papers}
    return Settings(preset, {param.name: built[param.name] for param in task.params}, note)


def running(task: Task, index: int) -> Running:
    """Draw the step that starts, follows and stops a run."""
    empty = View(task)
    with gr.Column(elem_classes="cs-section"):
        gr.HTML(pieces.step(index, "Run"))
        with gr.Row(elem_classes="cs-buttons"):
            run = gr.Button(
                "Run", variant="primary", elem_id=ident(task, "run"), elem_classes="cs-run", interactive=empty.ready
            )
            cancel = gr.Button("Cancel", elem_id=ident(task, "cancel"), elem_classes="cs-cancel", interactive=False)
        note = gr.HTML(why_not(empty), elem_id=ident(task, "run-note"))
        progress = ProgressBar(elem_id=ident(task, "progress"))
        trouble = gr.HTML(elem_id=ident(task, "run-trouble"))
        outcome = gr.HTML(elem_id=ident(task, "outcome"))
    return Running(run, cancel, note, progress, trouble, outcome)


def comparing(task: Task, ticks: Component) -> Comparison:
    """Draw the choice of methods that are run on the same scan."""
    with gr.Accordion("Compare methods", open=False, elem_classes="cs-section", elem_id=ident(task, "comparison")):
        ticks.render()
        note = gr.HTML(elem_id=ident(task, "comparison-note"))
        start = gr.Button("Compare", elem_id=ident(task, "compare"), interactive=View(task).ready)
    return Comparison(note, start)


def why_not(shown: View) -> str:
    """Return what a run still needs, as HTML."""
    if shown.ready or shown.active:
        return ""
    wanted = ", ".join(entry.title for entry in shown.missing) if shown.task.required else "at least one scan"
    return f'<p class="cs-hint">Still needed: {safe(wanted)}.</p>'


def chain(task: Task) -> Chain:
    """Draw the buttons that send a result on."""
    with gr.Row(visible=False, elem_classes="cs-section cs-chain", elem_id=ident(task, "chain")) as group:
        gr.HTML('<span class="cs-hint">Send the result on to</span>')
        buttons = {
            other.name: gr.Button(SHORT[other.name], size="sm", elem_id=ident(task, f"send-{other.name}"))
            for other in tasks.TASKS
            if other is not task and other.name in SHORT
        }
    return Chain(group, buttons)


SHORT = {"inpaint": "Inpaint", "superres": "Super-resolve", "translate": "Translate"}


def example_buttons(task: Task) -> tuple[tuple[Example, gr.Button], ...]:
    """Draw a button for each synthetic example of ``task``."""
    known = examples(task.name)
    if not known:
        return ()
    with gr.Row(elem_classes="cs-examples"):
        gr.HTML('<span class="cs-hint">Or a synthetic example:</span>')
        return tuple((one, gr.Button(one.title, size="sm", elem_classes="cs-example")) for one in known)


def finish(
    services: Services,
    task: Task,
    slots: Mapping[str, Slot],
    buttons: tuple[tuple[Example, gr.Button], ...],
    chosen: Settings,
    explain: Explain | None = None,
    extra: Mapping[Component, Follow] | None = None,
) -> Tab:
    """Draw what every tab ends with, run to rating, and return the tab."""
    held = gr.State(Held())
    steps = running(task, 3)
    several = comparing(task, chosen.fields[BESIDE])
    downloads = gr.HTML(elem_id=ident(task, "downloads"), visible=False, elem_classes="cs-section cs-results")
    sending = chain(task)
    form = rating.build(services, held, partial(ident, task))
    timer = gr.Timer(POLL_SECONDS, active=False)
    return Tab(
        task, held, slots, chosen, steps, timer, explain or describe, several, gr.State(False), buttons, downloads,
        form, sending, extra or {},
    )  # fmt: skip


def describe(services: Services, shown: View, given: Mapping[str, object]) -> str:
    """Return what a method does, what it costs, and the expected duration with the present settings."""
    known = shown.task.method(str(given["method"]))
    took = page.expected(services, shown, given)
    return (
        f'<p class="cs-hint">{safe(known.source)}. Cost: {safe(known.cost)}.</p>'
        f'<p class="cs-expected">This run: about <strong>{safe(took)}</strong></p>'
    )
