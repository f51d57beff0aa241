"""Buttons of a row: delete, by a second press within some seconds, and keep from retention."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import gradio as gr
from gradio.blocks import Block
from markupsafe import Markup

from webapp.door.visitor import session_of
from webapp.keeping.deletion import longest
from webapp.pages.kit.event_options import QUIET
from webapp.pages.kit.panel_events import Updates
from webapp.pages.kit.templates import piece
from webapp.pages.kit.trouble import attempt
from webapp.services import Services
from webapp.settings import Settings

_TWICE = """
const SECONDS = 5;
const twice = (button) => {
  if (button.dataset.sure) return true;
  const words = button.textContent;
  button.dataset.sure = "true";
  button.textContent = button.dataset.question || "Delete for good?";
  setTimeout(() => { delete button.dataset.sure; button.textContent = words; }, 1000 * SECONDS);
  return false;
};
"""
# triggers "delete" and "apply" with the id of the row's item
ROW_BUTTONS = (
    _TWICE
    + """
element.addEventListener("click", (event) => {
  const button = event.target.closest(".cs-delete, .cs-keep");
  if (!button) return;
  const item = { item: button.dataset.item };
  if (button.matches(".cs-keep")) trigger("apply", item);
  else if (twice(button)) trigger("delete", item);
});
"""
)
# deletes all that the visitor has, and the drawings that this browser keeps, and opens the page anew
DELETE_DATA = (
    _TWICE
    + """
element.addEventListener("click", async (event) => {
  const button = event.target.closest(".cs-delete-data");
  if (!button || !twice(button)) return;
  const answer = await fetch("/data/delete", { method: "POST" }).catch(() => null);
  if (answer?.ok) {
    // a browser that keeps nothing may forbid to name what it would keep it in
    try { indexedDB.deleteDatabase("counterscan"); } catch {}
    try { sessionStorage.setItem("counterscan-gone", "true"); } catch {}
    location.assign("/");
  }
  else element.querySelector("[role=status]").textContent = "Not deleted. Try again in a moment.";
});
"""
)

# the first sentence of the page that was opened anew
GONE = """
try {
  if (sessionStorage.getItem("counterscan-gone")) {
    sessionStorage.removeItem("counterscan-gone");
    element.querySelector("p").textContent =
      "Deleted: your scans, runs, uploads and studies, and the drawings that this browser kept.";
  }
} catch {}
"""


def outcome(ident: str) -> gr.HTML:
    """Draw the place for what became of an item; it is there from the start, so that readers of screens hear of it."""
    return gr.HTML(elem_id=ident, js_on_load='element.setAttribute("role", "status");')


def connect(
    services: Services,
    rows: gr.HTML,
    outcome: gr.HTML,
    outputs: Sequence[Block],
    fill: Callable[[gr.Request], Updates],
    delete: Callable[[str, str], str],
    keep: Callable[[str, str, datetime], None] | None = None,
) -> Any:
    """Attach the buttons of ``rows``, which have ROW_BUTTONS, and return Gradio's dependency of a deletion.

    outcome: gets what was deleted, or why an item could not be changed. fill: returns what ``outputs`` show. delete:
    takes the id of an item and the session, and returns in words what is gone, or as Markup all that is shown. keep:
    takes them and until when to keep; without it nothing can be kept.
    """

    def deleted(request: gr.Request, event: gr.EventData) -> Updates:
        gone, box = attempt(lambda: delete(_item(event), session_of(request)))
        shown = gone if isinstance(gone, Markup) else piece("sessions", "deleted", what=gone)
        return {**fill(request), outcome: box or shown}

    deletion = rows.delete(deleted, None, outputs, queue=False, **QUIET)
    if keep is None:
        return deletion

    def kept_longer(request: gr.Request, event: gr.EventData) -> Updates:
        _, box = attempt(lambda: keep(_item(event), session_of(request), longest(services)))
        return {**fill(request), outcome: box}

    rows.apply(kept_longer, None, outputs, queue=False, **QUIET)
    return deletion


def _item(event: gr.EventData) -> str:
    """Return the id that a button of a row was pressed for."""
    return str(getattr(event, "item", ""))


def keep_days(settings: Settings) -> int:
    """Return for how many days a visitor may keep an item from retention, 0 where nothing is deleted by age."""
    return settings.keep_days if settings.retention else 0


def day_of(moment: datetime | None) -> str:
    """Return the day of a moment in UTC, "" for none."""
    return "" if moment is None else f"{moment:%Y-%m-%d}"
