"""What stands under a finished result to make a link that shows it to others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import gradio as gr
from gradio.blocks import Block

from core.errors import UserError
from webapp.door.visitor import session_of, site_of
from webapp.pages.kit.event_options import QUIET
from webapp.pages.kit.page_state import Held, View
from webapp.pages.kit.templates import piece
from webapp.pages.kit.text import age_of
from webapp.pages.kit.trouble import attempt
from webapp.services import Services
from webapp.store.clock import now

# choice -> (title, days)
SPANS = {"day": ("1 day", 1), "week": ("1 week", 7), "month": ("1 month", 30)}
USUAL = "week"
_COPY = """
element.addEventListener("click", async (event) => {
  const button = event.target.closest(".cs-copy");
  const field = element.querySelector(".cs-shared-link");
  if (!button || !field) return;
  field.select();
  const copied = await navigator.clipboard?.writeText(field.value).then(() => true, () => false);
  button.textContent = copied ? "Copied" : "Press Ctrl+C";
});
"""


@dataclass(frozen=True)
class ShareForm:
    """The parts that the rest of the page shows and hides; ``made`` holds the link."""

    group: gr.Column
    span: gr.Radio
    make: gr.Button
    made: gr.HTML
    offered: bool

    def everything(self) -> list[Block]:
        """Return every component that ``updates`` may change."""
        return [self.group, self.make, self.made]

    def updates(self, shown: View) -> dict[Block, Any]:
        """Return the form as it stands with the job of a tab."""
        return {
            self.group: gr.Column(visible=shown.done and self.offered),
            self.make: gr.Button("Make a link", interactive=True),
            self.made: "",
        }


def build(services: Services, held: gr.State, ident: Callable[[str], str]) -> ShareForm:
    """Draw the form and wire it; ``held`` has the job that is shared, ``ident`` makes ids of names."""
    with gr.Column(visible=False, elem_classes="cs-section cs-share", elem_id=ident("share")) as group:
        gr.HTML(piece("results", "share_heading", age=age_of(services.settings.retention)))
        spans = [(title, name) for name, (title, _) in SPANS.items()]
        span = gr.Radio(spans, value=USUAL, label="The link ends after", elem_classes="cs-choice")
        make = gr.Button("Make a link", elem_id=ident("share-make"))
        made = gr.HTML(elem_id=ident("share-link"), js_on_load=_COPY)

    def link(request: gr.Request, page: Held, chosen: str) -> dict[Block, Any]:
        found, box = attempt(lambda: _link(services, request, page.job, chosen))
        return {made: box or found, make: gr.Button("Make another link")}

    make.click(link, [held, span], [made, make], **QUIET)
    return ShareForm(group, span, make, made, services.settings.sharing)


def _link(services: Services, request: gr.Request, job_id: str, chosen: str) -> str:
    if not services.settings.sharing:
        raise UserError("not_allowed", "This server shares nothing.", "Ask an administrator of this server.")
    if chosen not in SPANS:
        raise UserError("bad_parameter", "There is no such time.", "Choose a day, a week or a month.")
    ends = now() + timedelta(days=SPANS[chosen][1])
    share, key = services.shares.add(job_id, session_of(request), ends)
    return piece(
        "results", "share_link", address=f"{site_of(request)}/shared/{key}", ends=f"{share.ends:%Y-%m-%d %H:%M} UTC"
    )
