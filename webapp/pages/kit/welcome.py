"""What stands beside the steps of a tab before anything is loaded: its purpose, a picture, one click that shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import gradio as gr

from core.presentation import Welcome
from webapp.pages.kit.templates import piece
from webapp.pages.kit.text import age_of
from webapp.pages.kit.viewer import DROPS_MODULE, TAKE

# files dropped on the words go where the first step takes them
_DROP = f"""
import("{DROPS_MODULE}").then(({{ takeDrops }}) => takeDrops(element.closest(".cs-welcome"), {TAKE}));
"""


@dataclass(frozen=True)
class Landing:
    """What the first page of a public demo says besides: the age at which data are deleted, None for never, and the
    tasks whose examples run in one click, their names with their titles."""

    age: timedelta | None
    offers: Mapping[str, str]


@dataclass(frozen=True)
class WelcomeBox:
    """The whole, the button that runs the example, and those that run the examples of other tasks, by their names."""

    group: gr.Column
    start: gr.Button
    others: Mapping[str, gr.Button]


def build(
    words: Welcome, ident: str, invitation: str = "", *, visible: bool = True, landing: Landing | None = None
) -> WelcomeBox:
    """Draw ``words`` with a button called ``<ident>-start``.

    invitation: what may be dropped on it instead, "" where nothing may. landing: that of a public demo.
    """
    others: dict[str, gr.Button] = {}
    with gr.Column(elem_id=ident, elem_classes="cs-welcome", visible=visible) as group:
        gr.HTML(piece("boxes", "welcome", words=words), js_on_load=_DROP if invitation else None)
        with gr.Row(elem_classes="cs-welcome-act"):
            start = gr.Button(words.offer, variant="primary", elem_id=f"{ident}-start")
            if invitation:
                gr.HTML(piece("boxes", "hint", text=invitation))
        if landing:
            with gr.Row(elem_classes="cs-welcome-act cs-welcome-others"):
                gr.HTML(piece("boxes", "label", text="Or see at once:"))
                others = {name: gr.Button(title, elem_id=f"{ident}-{name}") for name, title in landing.offers.items()}
            gr.HTML(piece("boxes", "demo", age=age_of(landing.age)), elem_id="demo-notice")
    return WelcomeBox(group, start, others)
