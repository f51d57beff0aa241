"""What stands beside the steps of a tab before anything is loaded: its purpose, a picture, one click that shows it."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from core.presentation import Welcome
from webapp.pages.kit.templates import piece
from webapp.pages.kit.viewer import DROPS_MODULE, TAKE

# files dropped on the words go where the first step takes them
_DROP = f"""
import("{DROPS_MODULE}").then(({{ takeDrops }}) => takeDrops(element.closest(".cs-welcome"), {TAKE}));
"""


@dataclass(frozen=True)
class WelcomeBox:
    """The whole, and the button that runs the example."""

    group: gr.Column
    start: gr.Button


def build(words: Welcome, ident: str, invitation: str = "", *, visible: bool = True) -> WelcomeBox:
    """Draw ``words`` with a button called ``<ident>-start``.

    invitation: what may be dropped on it instead, "" where nothing may.
    """
    with gr.Column(elem_id=ident, elem_classes="cs-welcome", visible=visible) as group:
        gr.HTML(piece("boxes", "welcome", words=words), js_on_load=_DROP if invitation else None)
        with gr.Row(elem_classes="cs-welcome-act"):
            start = gr.Button(words.offer, variant="primary", elem_id=f"{ident}-start")
            if invitation:
                gr.HTML(piece("boxes", "hint", text=invitation))
    return WelcomeBox(group, start)
