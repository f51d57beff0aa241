"""The right column of the augmentation study: one set of tabs with a place for every view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import gradio as gr
from gradio.blocks import Block

from core.presentation import Welcome
from webapp.pages.kit import welcome
from webapp.pages.kit.view_place import Place, place
from webapp.pages.kit.welcome import WelcomeBox
from webapp.pages.worth.worth_sections import DRAWN, TABS, VIEWS


@dataclass(frozen=True)
class WorthView:
    """welcome: what stands there until there is a run; trouble: why a run's results cannot be shown; files: links to
    the exports."""

    welcome: WelcomeBox
    trouble: gr.HTML
    shown: gr.Column
    files: gr.HTML
    places: Mapping[str, Place]
    tabs: tuple[gr.Tab, ...]

    def drawn(self) -> list[Block]:
        """Return every component of the views."""
        return [part for one in self.places.values() for part in one.everything()]


def build(words: Welcome) -> WorthView:
    """Draw the column; it stands beside the viewer's, and the style shows the one that the open tab needs."""
    greeting = welcome.build(words, "worth-welcome")
    trouble = gr.HTML(elem_id="worth-trouble", visible=False, elem_classes="cs-section")
    places: dict[str, Place] = {}
    with gr.Column(visible=False, elem_id="worth-results", elem_classes="cs-section") as shown:
        files = gr.HTML(elem_id="worth-files")
        with gr.Tabs(elem_id="worth-tabs", elem_classes="cs-result-tabs", overflow_behavior="wrap"):
            tabs = []
            for title in TABS:
                with gr.Tab(title, id=f"worth-{title}") as tab:
                    names = [name for name in VIEWS if VIEWS[name] == title]
                    places |= {name: place(f"worth-{name}", drawn=name in DRAWN) for name in names}
                tabs.append(tab)
    return WorthView(greeting, trouble, shown, files, places, tuple(tabs))
