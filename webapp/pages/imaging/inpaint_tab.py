"""The Inpaint tab: load, mask and set up, run."""

from __future__ import annotations

import gradio as gr

from core.imaging.inpaint.task import TASK
from webapp.pages.imaging import tab
from webapp.pages.imaging.tab import Tab
from webapp.pages.kit import boxes as pieces
from webapp.pages.kit import upload_slot as slot
from webapp.pages.kit.event_options import QUIET
from webapp.pages.kit.page_state import View
from webapp.pages.kit.panel import ident
from webapp.services import Services

START_DRAWING = "() => { document.querySelector('.cs-viewer').counterscan.startDrawing(); }"


def build(services: Services) -> Tab:
    """Draw the tab."""
    entries = {entry.name: entry for entry in TASK.inputs}
    with gr.Column(elem_classes="cs-section"):
        gr.HTML(pieces.step(1, "Load", "T1-weighted; NIfTI, DICOM, MGZ, NRRD, MHA"))
        scan = slot.build(entries["t1"], ident(TASK, "scan"), "T1 scan", first=True, removable=False)
        examples = tab.example_buttons(TASK)
    with gr.Column(elem_classes="cs-section"):
        gr.HTML(pieces.step(2, "Mask and settings", "what is to be replaced"))
        draw = gr.Button("Draw in the viewer", elem_id="draw", interactive=False)
        gr.HTML(pieces.hint("Draw the lesion, or drop a mask file (1 inside, 0 outside)."))
        mask = slot.build(entries["mask"], ident(TASK, "mask"), "Mask on the scan's grid")
        with gr.Accordion("I have the truth", open=False, elem_classes="cs-advanced"):
            reference = slot.build(entries["reference"], ident(TASK, "reference"), "The true scan, to measure against")
    settings = tab.settings(services, TASK, ("method", "mode"))
    draw.click(None, js=START_DRAWING, **QUIET)
    slots = {"t1": scan, "mask": mask, "reference": reference}
    return tab.finish(services, TASK, slots, examples, settings, extra={draw: _draw})


def _draw(shown: View) -> gr.Button:
    words = "Edit in the viewer" if "mask" in shown.scans else "Draw in the viewer"
    return gr.Button(words, interactive=not shown.active and "t1" in shown.scans)
