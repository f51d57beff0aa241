"""The right column of the failure lab: one set of tabs with a place for every view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import gradio as gr

from core.presentation import Welcome
from webapp.pages.kit import welcome
from webapp.pages.kit.sorting import SORT
from webapp.pages.kit.view_place import Place, place
from webapp.pages.kit.welcome import WelcomeBox
from webapp.pages.lab.sections import DRAWN, TABS, VIEWS

_WATCHED = f'{SORT}watch("value", () => requestAnimationFrame(ready));'


@dataclass(frozen=True)
class LabView:
    """The right column. other: the views of the run that is compared with; files: links to the exports.

    welcome: what stands there until there is a run; trouble: why a run's results cannot be shown.
    """

    welcome: WelcomeBox
    trouble: gr.HTML
    shown: gr.Column
    look: gr.Dropdown
    beside: gr.Dropdown
    compare: gr.Dropdown
    files: gr.HTML
    places: Mapping[str, Place]
    other: Mapping[str, Place]
    tabs: tuple[gr.Tab, ...]


def build(words: Welcome) -> LabView:
    """Draw the column; it stands beside the viewer's, and the style shows the one that the open tab needs."""
    greeting = welcome.build(words, "lab-welcome")
    trouble = gr.HTML(elem_id="lab-trouble", visible=False, elem_classes="cs-section")
    places: dict[str, Place] = {}
    other: dict[str, Place] = {}
    with gr.Column(visible=False, elem_id="lab-results", elem_classes="cs-section") as shown:
        with gr.Row(elem_classes="cs-lab-picks"):
            look, beside, compare = (
                gr.Dropdown([], label=label, elem_id=f"lab-{name}", filterable=False, min_width=180)
                for name, label in (
                    ("look", "Model"),
                    ("beside", "Beside it"),
                    ("compare", "Compare with an earlier run"),
                )
            )
        files = gr.HTML(elem_id="lab-files")
        with gr.Tabs(elem_id="lab-tabs", elem_classes="cs-result-tabs", overflow_behavior="wrap"):
            tabs = []
            for title in TABS:
                with gr.Tab(title, id=f"lab-{title}") as tab:
                    names = [name for name in VIEWS if VIEWS[name] == title]
                    least = WIDE if "remedies" in names else NARROW
                    with gr.Row(equal_height=False, elem_classes="cs-beside"):
                        with gr.Column(min_width=least):
                            places |= {name: _place(name) for name in names}
                        if title in COMPARED:
                            with gr.Column(min_width=least, elem_classes="cs-other"):
                                other |= {name: _place(name, "other-") for name in names if name in OTHERS}
                tabs.append(tab)
    return LabView(greeting, trouble, shown, look, beside, compare, files, places, other, tuple(tabs))


# pixels that a column needs: a table of many columns takes the whole width, and the other run stands below it
NARROW, WIDE = 320, 700
OTHERS = ("verdict", "bars", "remedies")
COMPARED = tuple(dict.fromkeys(VIEWS[name] for name in OTHERS))


def _place(name: str, before: str = "") -> Place:
    script = _WATCHED if name == "remedies" else None
    return place(f"lab-{before}{name}", drawn=name in DRAWN, script=script)
