"""A tab of an imaging task: its left column from the first step to the rating of a result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import gradio as gr
from gradio.components import Component

from core import tasks
from core.declaration import Task
from webapp.intake.example_scans import Example, examples
from webapp.pages.imaging import result_rating as rating
from webapp.pages.imaging.comparison import BESIDE, Comparison, ticks
from webapp.pages.kit import boxes as pieces
from webapp.pages.kit import panel
from webapp.pages.kit.expected_time import expected
from webapp.pages.kit.page_state import Held, View
from webapp.pages.kit.panel import POLL_SECONDS, Explain, Panel, Settings, ident, running
from webapp.pages.kit.templates import joined, piece
from webapp.pages.kit.upload_slot import Slot
from webapp.services import Services

# how a component looks with what the tab now works on
Follow = Callable[[View], object]


@dataclass(frozen=True)
class Chain:
    """Buttons that hand the result to another task: its name -> button."""

    group: gr.Row
    buttons: Mapping[str, gr.Button]


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


def settings(
    services: Services, task: Task, main: Sequence[str], titles: Mapping[str, Mapping[str, str]] | None = None
) -> Settings:
    """Draw the settings of ``task``; the methods to compare have a place of their own, see ``finish``."""
    return panel.settings(services, task, main, titles, elsewhere={BESIDE: ticks(task, ident(task, BESIDE))})


def comparing(task: Task, choice: Component) -> Comparison:
    """Draw the choice of methods that are run on the same scan."""
    with gr.Accordion("Compare methods", open=False, elem_classes="cs-section", elem_id=ident(task, "comparison")):
        choice.render()
        note = gr.HTML(elem_id=ident(task, "comparison-note"))
        start = gr.Button("Compare", elem_id=ident(task, "compare"), interactive=View(task).ready)
    return Comparison(note, start)


def chain(task: Task) -> Chain:
    """Draw the buttons that send a result on."""
    with gr.Row(visible=False, elem_classes="cs-section cs-chain", elem_id=ident(task, "chain")) as group:
        gr.HTML(piece("boxes", "label", text="Send the result on to"))
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
        gr.HTML(piece("boxes", "label", text="Or a synthetic example:"))
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
    took = expected(services, shown, given)
    return joined((pieces.hint(f"{known.source}. Cost: {known.cost}."), pieces.expected("This run", took)))
