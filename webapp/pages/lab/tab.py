"""The tab of a task that trains: choose what is simulated or bring data, choose what to train, run."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from functools import partial

import gradio as gr

from core.declaration import Task
from webapp.pages.kit import boxes, panel, share_form, upload_slot
from webapp.pages.kit.expected_time import expected
from webapp.pages.kit.page_state import Held, View
from webapp.pages.kit.panel import Panel, ident
from webapp.pages.kit.templates import joined
from webapp.pages.kit.upload_slot import Slot
from webapp.services import Services


def build(services: Services, task: Task) -> Panel:
    """Draw the tab of ``task``."""
    words = task.page
    slots: dict[str, Slot] = {}
    held = gr.State(Held())
    with gr.Column(elem_classes="cs-steps", min_width=0):
        with gr.Column(elem_classes="cs-section"):
            gr.HTML(boxes.step(1, words.load.title, words.load.note))
            gr.HTML(boxes.hint(words.load.hint))
            for entry in task.inputs:
                with (
                    gr.Accordion(entry.folded, open=False, elem_classes="cs-advanced")
                    if entry.folded
                    else nullcontext()
                ):
                    slots[entry.name] = upload_slot.build(entry, ident(task, entry.name), single=True)
        with gr.Column(elem_classes="cs-section"):
            gr.HTML(boxes.step(2, words.settings.title, words.settings.note))
            settings = panel.settings(services, task)
        sharing = share_form.build(services, held, partial(ident, task))
        running = panel.running(task)
    running.cancel.value = "Stop"
    return Panel(task, held, slots, settings, running, sharing, None, explain)


def explain(services: Services, shown: View, given: Mapping[str, object]) -> str:
    """Return what the settings mean for the data at hand, and what the run will take."""
    took = expected(services, shown, given)
    roles = {scan.role for scan in shown.scans.values()}
    about = shown.task.page.with_data if "tissue" in roles else shown.task.page.without_data
    if "model" in roles:
        about = f"{about} Your model is judged, and no network is trained."
    return joined((boxes.hint(about), boxes.expected("This run", took)))
