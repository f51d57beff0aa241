"""The tab of an imaging task, drawn from its declaration: load, set up, run, look at the result, rate it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import groupby

import gradio as gr
from gradio.components import Component
from markupsafe import Markup

from core import tasks
from core.declaration import Input, Task
from core.presentation import GivenScan, Group
from core.result import Note
from webapp.intake.example_scans import Example, examples
from webapp.pages.imaging import comparison
from webapp.pages.imaging import result_rating as rating
from webapp.pages.imaging.comparison import BESIDE, Comparison
from webapp.pages.kit import boxes, forms, panel, share_form, upload_slot, welcome
from webapp.pages.kit.event_options import QUIET
from webapp.pages.kit.expected_time import expected
from webapp.pages.kit.page_state import Held, View, anchor
from webapp.pages.kit.panel import Panel, ident, tab_title
from webapp.pages.kit.templates import joined, piece
from webapp.pages.kit.upload_slot import Slot
from webapp.pages.kit.welcome import Landing, WelcomeBox
from webapp.services import Services
from webapp.store.records import ScanRecord

# how a component looks with what the tab now works on
Follow = Callable[[View], object]

START_DRAWING = "() => { document.querySelector('.cs-viewer').counterscan.startDrawing(); }"


@dataclass(frozen=True)
class Chain:
    """Buttons that hand the result to another task: its name -> button."""

    group: gr.Row
    buttons: Mapping[str, gr.Button]


@dataclass(frozen=True)
class GroupDrop:
    """Where the scans of a group are dropped at once, and for each input the list that moves its scan to another."""

    drop: gr.File
    trouble: gr.HTML
    corrections: Mapping[str, gr.Dropdown]


@dataclass(frozen=True)
class Tab(Panel):
    """An imaging tab. comparison, together, welcome: None for a task without methods to compare, without a group of
    inputs, without an example.

    typed: whether the visitor set the number of steps. followers: components that follow the state of the tab, and how.
    """

    comparison: Comparison | None
    together: GroupDrop | None
    typed: gr.State
    examples: tuple[tuple[Example, gr.Button], ...]
    downloads: gr.HTML
    form: rating.RatingForm
    chain: Chain
    welcome: WelcomeBox | None
    followers: Mapping[Component, Follow]


def imaging_tasks() -> tuple[Task, ...]:
    """Return the tasks with an imaging tab, in the order of the page."""
    return tuple(task for task in tasks.TASKS if task.page.kind == "imaging")


def build(services: Services, task: Task) -> Tab:
    """Draw the tab of ``task``."""
    ticks = {BESIDE: comparison.ticks(task, ident(task, BESIDE))} if task.param(BESIDE) else {}
    held = gr.State(Held())
    with gr.Column(elem_classes="cs-steps", min_width=0):
        slots, buttons, together, deface = _load(services, task)
        further, draw, settings = _set_up(services, task, ticks)
        several = _comparing(task, settings.fields[BESIDE]) if ticks else None
        downloads = gr.HTML(elem_id=ident(task, "downloads"), visible=False, elem_classes="cs-section cs-results")
        sharing = share_form.build(services, held, partial(ident, task))
        sending = _chain(task)
        form = rating.build(services, held, partial(ident, task))
        steps = panel.running(task)
    greeting = _greeting(services, task)
    offers = {settings.fields[name]: _offer(task, name) for name in task.page.offers}
    corrections: dict[Component, Follow] = (
        {field: _correction(name) for name, field in together.corrections.items()} if together else {}
    )
    return Tab(
        task, held, slots | further, settings, steps, sharing, deface, explain, several, together,
        gr.State(False), buttons, downloads, form, sending, greeting, {**draw, **corrections, **offers},
    )  # fmt: skip


def explain(services: Services, shown: View, given: Mapping[str, object]) -> Markup:
    """Return what the settings make of the scans at hand, then what the method is and what the run will take."""
    task = shown.task
    method = task.method(str(given["method"])) if "method" in given else None
    about = [piece("boxes", "about", text=f"{method.source}. Cost: {method.cost}.")] if method else []
    found: tuple[Note, ...] = ()
    if task.page.explain:
        scans = {name: _given(scan) for name, scan in shown.scans.items()}
        found = task.page.explain(scans, task.parse(given))
    took = expected(services, shown, given)
    return joined((*map(_note, found), boxes.expected("This run", took), *about))


def _given(scan: ScanRecord) -> GivenScan:
    slices = scan.facts.get("slices")
    return GivenScan(scan.shape, scan.spacing, (int(slices[0]), float(slices[1])) if slices else None)


def _note(note: Note) -> Markup:
    return piece("boxes", "banner" if note.level == "warning" else "paragraph", text=note.text)


def _load(
    services: Services, task: Task
) -> tuple[dict[str, Slot], tuple[tuple[Example, gr.Button], ...], GroupDrop | None, gr.Checkbox | None]:
    """Draw the first step: the scans in the open, or the group of them, the examples, and the removal of faces."""
    page = task.page
    with gr.Column(elem_classes="cs-section"):
        gr.HTML(boxes.step(1, page.load.title, page.load.note))
        drop = _drop(task, page.group) if page.group else None
        if page.load.hint:
            gr.HTML(boxes.hint(page.load.hint))
        trouble = gr.HTML(elem_id=ident(task, "drop-trouble")) if page.group else None
        members = page.group.inputs if page.group else ()
        alone = [one for one in task.inputs if one.kind != "mask" and not one.folded and one.name not in members]
        slots = {entry.name: _slot(task, entry) for entry in alone}
        buttons = _example_buttons(task)
        deface = _deface(services.settings.deface, task)
        corrections: dict[str, gr.Dropdown] = {}
        for entry in (one for one in task.inputs if one.name in members):
            with gr.Column(elem_classes="cs-slot"):
                gr.HTML(piece("boxes", "slot_title", text=entry.title))
                slots[entry.name] = _slot(task, entry, single=True)
                if page.group:
                    corrections[entry.name] = _correction_list(task, page.group, entry.name)
    together = GroupDrop(drop, trouble, corrections) if drop and trouble else None
    return slots, buttons, together, deface


def _deface(rule: str, task: Task) -> gr.Checkbox | None:
    """Draw what the server does about faces, by its setting of that name."""
    if rule == "always":
        gr.HTML(boxes.hint("This server removes the face from scans of whole heads before it keeps them."))
    if rule != "offer":
        return None
    return gr.Checkbox(
        False,
        label="Remove the face from scans that I load",
        info="Of whole heads, what lies before and below the front of the brain is emptied; it takes seconds.",
        elem_id=ident(task, "deface"),
    )


def _set_up(
    services: Services, task: Task, elsewhere: Mapping[str, Component]
) -> tuple[dict[str, Slot], dict[Component, Follow], panel.Settings]:
    """Draw the second step: masks, the parameters that are not drawn ``elsewhere``, inputs that are folded away."""
    words = task.page.settings
    masks = [entry for entry in task.inputs if entry.kind == "mask"]
    draw: dict[Component, Follow] = {}
    with gr.Column(elem_classes="cs-section"):
        gr.HTML(boxes.step(2, words.title, words.note))
        if masks:
            button = gr.Button("Draw in the viewer", elem_id=ident(task, "draw"), interactive=False)
            button.click(None, js=START_DRAWING, **QUIET)
            draw[button] = _draw
        if words.hint:
            gr.HTML(boxes.hint(words.hint))
        slots = {entry.name: _slot(task, entry) for entry in masks}
        settings = panel.settings(services, task, elsewhere)
        for heading, entries in groupby((one for one in task.inputs if one.folded), key=lambda one: one.folded):
            with gr.Accordion(heading, open=False, elem_classes="cs-advanced"):
                slots |= {entry.name: _slot(task, entry) for entry in entries}
    return slots, draw, settings


def _greeting(services: Services, task: Task) -> WelcomeBox | None:
    """Draw what stands in the viewer's place while it is empty, for a task that has an example to run."""
    words = task.page.welcome
    if words is None or not examples(task.name):
        return None
    landing = None
    if services.settings.public_demo and task is tasks.TASKS[0]:
        offers = {other.name: tab_title(other) for other in tasks.TASKS if other is not task and other.page.welcome}
        landing = Landing(services.settings.retention, offers)
    return welcome.build(words, ident(task, "welcome"), task.page.invitation, landing=landing)


def _slot(task: Task, entry: Input, *, single: bool = False) -> Slot:
    """Draw the place of an input; that of the scan on which all others depend goes by the name "scan"."""
    first = entry.name == anchor(task)
    name = ident(task, "scan" if first else entry.name)
    return upload_slot.build(entry, name, first=first, removable=not first, single=single)


def _drop(task: Task, group: Group) -> gr.File:
    return gr.File(
        label=upload_slot.drop_words(group.title),
        elem_id=ident(task, "drop"),
        elem_classes=["cs-drop", "cs-first-drop"],
        height=56,
        file_count="multiple",
        interactive=True,
    )


def _correction_list(task: Task, group: Group, name: str) -> gr.Dropdown:
    titles = {entry.name: entry.title for entry in task.inputs}
    return gr.Dropdown(
        [(titles[other], other) for other in group.inputs],
        value=name,
        label=group.correction,
        visible=False,
        filterable=False,
        elem_id=ident(task, f"{name}-is"),
    )


def _comparing(task: Task, choice: Component) -> Comparison:
    """Draw the choice of methods that are run on the same scan."""
    with gr.Accordion("Compare methods", open=False, elem_classes="cs-section", elem_id=ident(task, "comparison")):
        choice.render()
        note = gr.HTML(elem_id=ident(task, "comparison-note"))
        start = gr.Button("Compare", elem_id=ident(task, "compare"), interactive=View(task).ready)
    return Comparison(note, start)


def _chain(task: Task) -> Chain:
    """Draw the buttons that send a result on."""
    with gr.Row(visible=False, elem_classes="cs-section cs-chain", elem_id=ident(task, "chain")) as group:
        gr.HTML(piece("boxes", "label", text="Send the result on to"))
        buttons = {
            other.name: gr.Button(tab_title(other), size="sm", elem_id=ident(task, f"send-{other.name}"))
            for other in imaging_tasks()
            if other is not task
        }
    return Chain(group, buttons)


def _example_buttons(task: Task) -> tuple[tuple[Example, gr.Button], ...]:
    """Draw a button for each synthetic example of ``task``."""
    known = examples(task.name)
    if not known:
        return ()
    with gr.Row(elem_classes="cs-examples"):
        gr.HTML(piece("boxes", "label", text="Or a synthetic example:"))
        return tuple((one, gr.Button(one.title, size="sm", elem_classes="cs-example")) for one in known)


def _draw(shown: View) -> gr.Button:
    drawn = any(scan.role == "mask" for scan in shown.scans.values())
    words = "Edit in the viewer" if drawn else "Draw in the viewer"
    return gr.Button(words, interactive=not shown.active and anchor(shown.task) in shown.scans)


def _correction(name: str) -> Follow:
    def follow(shown: View) -> gr.Dropdown:
        return gr.Dropdown(value=name, visible=name in shown.scans and not shown.active)

    return follow


def _offer(task: Task, name: str) -> Follow:
    """Return what offers the choices that the given scans leave to a parameter, and chooses what the job had."""
    param = task.params[[one.name for one in task.params].index(name)]

    def follow(shown: View) -> gr.Dropdown:
        left = task.page.offers[name](tuple(shown.scans))
        made = str(shown.job.params.get(name, "")) if shown.job else ""
        value = made if made in left.choices else left.usual
        return gr.Dropdown(choices=forms.choices(param, left.choices), value=value)

    return follow
