"""The page: header, controls on the left, one shared viewer on the right."""

from __future__ import annotations

from typing import Any

import gradio as gr

from core import tasks
from webapp.pages import about as tab_about
from webapp.pages import sessions as tab_sessions
from webapp.pages.imaging import bindings as imaging
from webapp.pages.imaging import contrast_slots as contrasts
from webapp.pages.imaging import inpaint_tab as tab_inpaint
from webapp.pages.imaging import page
from webapp.pages.imaging import superres_tab as tab_superres
from webapp.pages.imaging import translate_tab as tab_translate
from webapp.pages.kit import boxes as pieces
from webapp.pages.kit import wiring
from webapp.pages.kit.silent_event import QUIET
from webapp.pages.kit.tab import Chart, Shared
from webapp.pages.kit.text import NAME, TAGLINE
from webapp.pages.kit.viewer import VolumeViewer
from webapp.pages.lab import lab_events as lab_wiring
from webapp.pages.lab import results_column as lab_view
from webapp.pages.lab import tab as tab_failure
from webapp.pages.study import management
from webapp.pages.study import tab as tab_rate
from webapp.services import Services

BADGE_SECONDS = 5.0


def build(services: Services) -> gr.Blocks:
    """Return the page of ``services``."""
    demo = gr.Blocks(title=NAME, analytics_enabled=False, fill_width=True)
    with demo:
        badges = _header(services)
        viewer = VolumeViewer(_empty_scene(), render=False, elem_id="viewer")
        results = gr.HTML(render=False, visible=False, elem_id="results", elem_classes="cs-section")
        # Gradio's render has no types
        right: tuple[Any, ...] = (viewer, results)
        with gr.Row(elem_id="cs-main", equal_height=False):
            with (
                gr.Column(elem_id="cs-controls", min_width=0),
                gr.Tabs(overflow_behavior="wrap", elem_id="cs-tabs") as choice,
            ):
                with gr.Tab("Inpaint", id="inpaint"):
                    first = tab_inpaint.build(services)
                with gr.Tab("Super-resolve", id="superres"):
                    second = tab_superres.build(services)
                with gr.Tab("Translate", id="translate"):
                    third, several = tab_translate.build(services)
                with gr.Tab("Failure lab", id="failure", elem_id="failure-tab") as failure:
                    lab = tab_failure.build(services)
                with gr.Tab("Rate", id=management.TAB, elem_id="rate-tab") as rate:
                    study = tab_rate.build()
                with gr.Tab("Sessions") as sessions:
                    tab_sessions.build(services, sessions, demo)
                with gr.Tab("About"):
                    tab_about.build()
            with gr.Column(elem_id="cs-view", min_width=0):
                for part in right:
                    part.render()
                chart = _chart()
            with gr.Column(elem_id="lab-view", min_width=0):
                found = lab_view.build()
            with gr.Column(elem_id="study-view", min_width=0):
                answers = tab_rate.results()
        shared = Shared(viewer, results, chart, choice, gr.State(tasks.TASKS[0].name))
        tabs = {one.task.name: one for one in (first, second, third)}
        wirings = imaging.connect(services, tabs, shared)
        contrasts.connect(wirings["translate"], several)
        laboratory = lab_wiring.connect(services, lab, found, failure, shared)
        wiring.connect({**wirings, lab.task.name: laboratory}, shared)
        management.StudyWiring(services, study, answers, shared).connect(rate, demo)
        gr.Timer(BADGE_SECONDS).tick(lambda: _badges(services), None, badges, queue=False, **QUIET)
    return demo


def _empty_scene() -> dict[str, object]:
    # a scene that names a job, or none, sets the page's address: the one asked for must be read first
    return {key: value for key, value in page.scene(page.View(tasks.TASKS[0])).value().items() if key != "job"}


def _chart() -> Chart:
    with gr.Column(visible=False, elem_id="slices", elem_classes="cs-section") as group:
        words = gr.HTML()
        plot = gr.Plot(show_label=False, elem_id="slices-plot", elem_classes="cs-plot")
    return Chart(group, words, plot)


def _header(services: Services) -> gr.HTML:
    with gr.Row(elem_id="cs-header"):
        gr.HTML(f'<div class="cs-brand"><h1>{NAME}</h1><p>{TAGLINE}</p></div>')
        return gr.HTML(_badges(services), elem_id="cs-badges")


def _badges(services: Services) -> str:
    return pieces.header(page.device_title(services.settings.device), services.dispatcher.waiting())
