"""The page: header and navigation, the steps of a tab on the left, one shared viewer on the right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from core import tasks
from core.declaration import Task
from core.presentation import Welcome
from webapp.pages import about as tab_about
from webapp.pages import named_events
from webapp.pages import sessions as tab_sessions
from webapp.pages.imaging import result_scene, tab_events
from webapp.pages.imaging import tab as imaging_tab
from webapp.pages.kit import boxes, panel_events
from webapp.pages.kit.expected_time import device_title
from webapp.pages.kit.page_state import View
from webapp.pages.kit.panel import Chart, Panel, Shared, tab_title
from webapp.pages.kit.panel_events import PanelEvents
from webapp.pages.kit.row_buttons import GONE
from webapp.pages.kit.templates import piece
from webapp.pages.kit.text import NAME, TAGLINE
from webapp.pages.kit.theme import THEMES
from webapp.pages.kit.viewer import VolumeViewer, ended_visit, queue_badges
from webapp.pages.lab import results_column, results_events
from webapp.pages.lab import tab as lab_tab
from webapp.pages.many import tab as tab_many
from webapp.pages.study import management
from webapp.pages.study import tab as tab_rate
from webapp.pages.worth import worth_column, worth_events
from webapp.services import Services

# what the page shows while the work that its address names is on its way, see assets/page/head.html; the viewer ends it
_OPENING = """
const { opening } = document.documentElement.dataset;
if (opening) element.querySelector("p").textContent = `Opening your ${opening} \u2026`;
"""


def build(services: Services) -> gr.Blocks:
    """Return the page of ``services``."""
    demo = gr.Blocks(title=NAME, analytics_enabled=False, fill_width=True)
    with demo, gr.Column(elem_id="cs-page"):
        viewer = VolumeViewer(_empty_scene(), render=False, elem_id="viewer")
        results = gr.HTML(render=False, visible=False, elem_id="results", elem_classes="cs-section")
        # Gradio's render has no types
        right: tuple[Any, ...] = (viewer, results)
        gr.HTML(piece("boxes", "brand", name=NAME, tagline=TAGLINE), elem_id="cs-brand")
        gr.HTML(piece("boxes", "gone"), elem_id="cs-gone", js_on_load=GONE)
        ended_visit(piece("boxes", "ended"), elem_id="cs-ended")
        with gr.Row(elem_id="cs-main", equal_height=False):
            with (
                gr.Column(elem_id="cs-controls", min_width=0),
                gr.Tabs(overflow_behavior="wrap", elem_id="cs-tabs") as choice,
            ):
                panels = {task.name: _task_tab(services, task) for task in tasks.TASKS}
                with gr.Tab("Batch", elem_id="batch-tab") as batches:
                    tab_many.build(services, batches, demo)
                with gr.Tab("Rate", id=management.TAB, elem_id="rate-tab") as rate:
                    study = tab_rate.build()
                with gr.Tab("Sessions", elem_id="sessions-tab") as sessions:
                    runs = tab_sessions.build(services, sessions, demo)
                with gr.Tab("About", elem_id="about-tab"):
                    tab_about.build()
            gr.HTML(piece("boxes", "opening"), elem_id="cs-opening", js_on_load=_OPENING)
            with gr.Column(elem_id="cs-view", min_width=0):
                for part in right:
                    part.render()
                chart = _chart()
            with gr.Column(elem_id="lab-view", min_width=0):
                columns = {name: results_column.build(words) for name, words in _welcomes(panels, "lab").items()}
            with gr.Column(elem_id="worth-view", min_width=0):
                studies = {name: worth_column.build(words) for name, words in _welcomes(panels, "worth").items()}
            with gr.Column(elem_id="study-view", min_width=0):
                answers = tab_rate.results()
        badges = _status(services)
        shared = Shared(badges, viewer, results, chart, choice, gr.State(tasks.TASKS[0].name))
        connected = _connect(services, panels, columns, studies, shared)
        panel_events.connect_first(runs.start, connected[tasks.TASKS[0].name])
        _connect_landing(panels, connected)
        management.StudyEvents(services, study, answers, shared).connect(rate, demo)
        if services.settings.api:
            named_events.build(services)
    return demo


def _task_tab(services: Services, task: Task) -> tuple[gr.Tab, Panel]:
    """Draw the tab of a task, as the kind of its page wants it."""
    if task.page.kind != "imaging":
        with gr.Tab(tab_title(task), id=task.name, elem_id=f"{task.name}-tab") as tab:
            return tab, lab_tab.build(services, task)
    with gr.Tab(tab_title(task), id=task.name) as tab:
        return tab, imaging_tab.build(services, task)


def _connect(
    services: Services,
    panels: Mapping[str, tuple[gr.Tab, Panel]],
    columns: Mapping[str, results_column.LabView],
    studies: Mapping[str, worth_column.WorthView],
    shared: Shared,
) -> dict[str, PanelEvents]:
    """Attach and return the events of every task's tab; columns, studies: task of a lab, of a
    study -> where its results stand."""
    imaging = {name: panel for name, (_, panel) in panels.items() if isinstance(panel, imaging_tab.Tab)}
    connected: dict[str, PanelEvents] = {**tab_events.connect(services, imaging, shared)}
    for name, column in columns.items():
        tab, panel = panels[name]
        connected[name] = results_events.connect(services, panel, column, tab, shared)
    for name, view in studies.items():
        tab, panel = panels[name]
        connected[name] = worth_events.connect(services, panel, view, tab, shared)
    panel_events.connect({name: connected[name] for name in panels}, shared)
    return connected


def _welcomes(panels: Mapping[str, tuple[gr.Tab, Panel]], kind: str) -> dict[str, Welcome]:
    """Return task -> what stands in its results column at first, of each task whose page is of ``kind``."""
    pages = {name: panel.task.page for name, (_, panel) in panels.items()}
    return {name: page.welcome for name, page in pages.items() if page.kind == kind and page.welcome is not None}


def _connect_landing(panels: Mapping[str, tuple[gr.Tab, Panel]], connected: Mapping[str, PanelEvents]) -> None:
    """Let the first page of a public demo run the examples of the other tasks."""
    _, first = panels[tasks.TASKS[0].name]
    if isinstance(first, imaging_tab.Tab) and first.welcome:
        for name, button in first.welcome.others.items():
            panel_events.connect_first(button, connected[name])


def _empty_scene() -> dict[str, object]:
    # a scene with an address, or an empty one, sets the page's: the one that is there must be read first
    return {key: value for key, value in result_scene.scene(View(tasks.TASKS[0])).value().items() if key != "address"}


def _chart() -> Chart:
    with gr.Column(visible=False, elem_id="slices", elem_classes="cs-section") as group:
        words = gr.HTML()
        plot = gr.Plot(show_label=False, elem_id="slices-plot", elem_classes="cs-plot")
    return Chart(group, words, plot)


def _status(services: Services) -> gr.HTML:
    """Draw what stands beside the title: last, so that the keyboard comes to the navigation first."""
    with gr.Row(elem_id="cs-status"):
        # how long the queue is comes with the first answer of the server
        badges = queue_badges(boxes.header(device_title(services.settings.device), None), elem_id="cs-badges")
        if services.settings.has_login:
            gr.HTML(piece("boxes", "account"), elem_id="cs-account")
        gr.HTML(piece("boxes", "themes"), js_on_load=THEMES)
    return badges
