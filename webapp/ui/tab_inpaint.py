"""The Inpaint tab: load, mask and set up, run."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr
from gradio.components import Component

from core.methods import find
from core.tasks.inpaint import TASK
from webapp.intake import Example, examples
from webapp.services import Services
from webapp.ui import forms, page, pieces, rating
from webapp.ui.text import safe
from webapp.ui.viewer import ProgressBar, VolumeViewer

POLL_SECONDS = 0.7
START_DRAWING = "() => { document.querySelector('.cs-viewer').counterscan.startDrawing(); }"
MAIN_FIELDS = ("method", "mode")


@dataclass(frozen=True)
class Tab:
    """Every part of the tab that an event reads or changes."""

    held: gr.State
    viewer: VolumeViewer
    results: gr.HTML
    scan_file: gr.File
    scan_facts: gr.HTML
    scan_trouble: gr.HTML
    example_buttons: tuple[tuple[Example, gr.Button], ...]
    mask_file: gr.File
    mask_facts: gr.HTML
    mask_trouble: gr.HTML
    draw: gr.Button
    preset: gr.Radio
    fields: tuple[Component, ...]
    method_note: gr.HTML
    run: gr.Button
    cancel: gr.Button
    run_note: gr.HTML
    progress: ProgressBar
    run_trouble: gr.HTML
    outcome: gr.HTML
    downloads: gr.HTML
    form: rating.RatingForm
    timer: gr.Timer


def build(services: Services, viewer: VolumeViewer, results: gr.HTML) -> Tab:
    """Draw the tab; ``viewer`` and ``results`` stand elsewhere on the page."""
    held = gr.State(page.Held())
    scan_file, scan_facts, scan_trouble, buttons = _load_step()
    draw, mask_file, mask_facts, mask_trouble = _mask_step()
    preset, fields, method_note = _settings(services)
    run, cancel, run_note, progress, run_trouble, outcome = _run_step()
    downloads = gr.HTML(elem_id="downloads", visible=False, elem_classes="cs-section")
    form = rating.build(services, held)
    return Tab(
        held, viewer, results, scan_file, scan_facts, scan_trouble, buttons, mask_file, mask_facts, mask_trouble,
        draw, preset, fields, method_note, run, cancel, run_note, progress, run_trouble, outcome, downloads, form,
        gr.Timer(POLL_SECONDS, active=False),
    )  # fmt: skip


def describe(method: str, expected: str) -> str:
    """Return what a method does, what it costs, and the expected duration with the present settings."""
    known = find(method, "inpaint")
    return (
        f'<p class="cs-hint">{safe(known.source)}. Cost: {safe(known.cost)}.</p>'
        f'<p class="cs-expected">This run: about <strong>{safe(expected)}</strong></p>'
    )


def _load_step() -> tuple[gr.File, gr.HTML, gr.HTML, tuple[tuple[Example, gr.Button], ...]]:
    with gr.Column(elem_classes="cs-section"):
        gr.HTML(pieces.step(1, "Load", "T1-weighted, .nii or .nii.gz"))
        file = gr.File(label="T1 scan", elem_id="scan-file", elem_classes="cs-drop", height=56)
        buttons: list[tuple[Example, gr.Button]] = []
        if examples():
            with gr.Row(elem_classes="cs-examples"):
                gr.HTML('<span class="cs-hint">Or a synthetic example:</span>')
                buttons = [(one, gr.Button(one.title, size="sm", elem_classes="cs-example")) for one in examples()]
        trouble = gr.HTML(elem_id="scan-trouble")
        facts = gr.HTML(elem_id="scan-facts")
    return file, facts, trouble, tuple(buttons)


def _mask_step() -> tuple[gr.Button, gr.File, gr.HTML, gr.HTML]:
    with gr.Column(elem_classes="cs-section"):
        gr.HTML(pieces.step(2, "Mask and settings", "what is to be replaced"))
        draw = gr.Button("Draw in the viewer", elem_id="draw", interactive=False)
        gr.HTML('<p class="cs-hint">Draw the lesion, or drop a mask file (1 inside, 0 outside).</p>')
        file = gr.File(
            label="Mask on the scan's grid", elem_id="mask-file", elem_classes="cs-drop", height=56, interactive=True
        )
        trouble = gr.HTML(elem_id="mask-trouble")
        facts = gr.HTML(elem_id="mask-facts")
    return draw, file, facts, trouble


def _settings(services: Services) -> tuple[gr.Radio, tuple[Component, ...], gr.HTML]:
    built: dict[str, Component] = {}
    with gr.Column(elem_classes="cs-section cs-settings"):
        preset = gr.Radio(
            page.preset_titles(services, page.View()),
            value="balanced",
            label="Preset and expected time",
            elem_id="preset",
            elem_classes="cs-choice",
        )
        for param in TASK.params:
            if param.name in MAIN_FIELDS:
                built[param.name] = forms.field(param, page.method_titles())
        note = gr.HTML(elem_id="method-note")
        with gr.Accordion("Advanced", open=False, elem_classes="cs-advanced"):
            for param in TASK.params:
                if param.name not in built:
                    built[param.name] = forms.field(param)
    return preset, tuple(built[param.name] for param in TASK.params), note


def _run_step() -> tuple[gr.Button, gr.Button, gr.HTML, ProgressBar, gr.HTML, gr.HTML]:
    with gr.Column(elem_classes="cs-section"):
        gr.HTML(pieces.step(3, "Run"))
        with gr.Row(elem_classes="cs-buttons"):
            run = gr.Button("Run", variant="primary", elem_id="run", interactive=False)
            cancel = gr.Button("Cancel", elem_id="cancel", interactive=False)
        note = gr.HTML(elem_id="run-note")
        progress = ProgressBar(elem_id="progress")
        trouble = gr.HTML(elem_id="run-trouble")
        outcome = gr.HTML(elem_id="outcome")
    return run, cancel, note, progress, trouble, outcome
