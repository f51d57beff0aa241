"""The Failure lab tab: choose tissue or bring data, say what to train, run."""

from __future__ import annotations

from collections.abc import Mapping

import gradio as gr

from core.failure.task import TASK
from core.failure.titles import CHOICES
from webapp.pages.kit import boxes as pieces
from webapp.pages.kit import panel
from webapp.pages.kit import upload_slot as slot
from webapp.pages.kit.expected_time import expected
from webapp.pages.kit.page_state import Held, View
from webapp.pages.kit.panel import Panel, ident
from webapp.pages.kit.templates import joined
from webapp.services import Services

FORMATS = "NPZ, ENVI (.hdr and its data), TIFF stack, MATLAB or CSV"
MAIN = ("tissue", "modalities", "remedies", "seeds")


def build(services: Services) -> Panel:
    """Draw the tab."""
    entries = {entry.name: entry for entry in TASK.inputs}
    with gr.Column(elem_classes="cs-section"):
        gr.HTML(pieces.step(1, "Data", "simulated, or your own"))
        gr.HTML(
            pieces.hint(
                "Without a file, tissue is simulated: infrared cube and stained picture of the same cells, and a "
                "shortcut of a known kind. Choose it in step 2."
            )
        )
        data = slot.build(entries["data"], ident(TASK, "data"), f"Your data: {FORMATS}", single=True)
        with gr.Accordion("Labels of an infrared image", open=False, elem_classes="cs-advanced"):
            labels = slot.build(
                entries["labels"], ident(TASK, "labels"), "Label picture, PNG, TIFF or NPY", single=True
            )
    with gr.Column(elem_classes="cs-section"):
        gr.HTML(pieces.step(2, "What to train"))
        settings = panel.settings(services, TASK, MAIN, CHOICES, "quick")
    held = gr.State(Held())
    running = panel.running(TASK, 3)
    running.cancel.value = "Stop"
    timer = gr.Timer(panel.POLL_SECONDS, active=False)
    return Panel(TASK, held, {"data": data, "labels": labels}, settings, running, timer, explain)


def explain(services: Services, shown: View, given: Mapping[str, object]) -> str:
    """Return what the settings mean for the data at hand, and what the run will take."""
    took = expected(services, shown, given)
    data = shown.scans.get("data")
    about = (
        "Your data are examined; the choice of simulated tissue does not count. Groups (patients, slides) are kept "
        "apart, and recipes that the data do not allow are left out."
        if data is not None
        else "Tissue is simulated; every number is of the simulation."
    )
    return joined((pieces.hint(about), pieces.expected("This run", took)))
