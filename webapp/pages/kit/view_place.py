"""One view of a results column: HTML above a figure, the figure, HTML below it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr
import plotly.graph_objects as go
from gradio.blocks import Block
from markupsafe import Markup

from webapp.pages.kit.templates import EMPTY

# a plot that was drawn while it was hidden has the wrong width
FIT = "() => requestAnimationFrame(() => window.dispatchEvent(new Event('resize')))"


@dataclass(frozen=True, eq=False)
class Section:
    """What a view shows: HTML above the figure, the figure, HTML below it; each may be missing."""

    above: Markup = EMPTY
    figure: go.Figure | None = None
    below: Markup = EMPTY


@dataclass(frozen=True)
class Place:
    """Where a view stands: HTML above its figure, the figure (None for a view without), HTML below."""

    above: gr.HTML
    plot: gr.Plot | None
    below: gr.HTML | None

    def updates(self, made: Section) -> dict[Block, Any]:
        """Return the place with ``made`` in it; what is empty is hidden."""
        changed: dict[Block, Any] = {self.above: gr.HTML(made.above, visible=bool(made.above))}
        if self.plot is not None and self.below is not None:
            changed[self.plot] = gr.Plot(made.figure, visible=made.figure is not None)
            changed[self.below] = gr.HTML(made.below, visible=bool(made.below))
        return changed

    def everything(self) -> list[Block]:
        """Return the components."""
        return [part for part in (self.above, self.plot, self.below) if part is not None]


def place(ident: str, *, drawn: bool, script: str | None = None) -> Place:
    """Draw the place of a view, whose parts are called ``ident``, ``<ident>-plot`` and ``<ident>-table``.

    drawn: whether it has a figure; script: what is done when its HTML has come.
    """
    above = gr.HTML(elem_id=ident, visible=False, js_on_load=script)
    if not drawn:
        return Place(above, None, None)
    plot = gr.Plot(show_label=False, visible=False, elem_id=f"{ident}-plot", elem_classes="cs-plot")
    return Place(above, plot, gr.HTML(elem_id=f"{ident}-table", visible=False))
