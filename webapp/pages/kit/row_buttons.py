"""Buttons of a row: delete, by a second press within some seconds, and keep from retention."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import gradio as gr
from gradio.blocks import Block

from webapp.door.visitor import session_of
from webapp.keeping.deletion import longest
from webapp.pages.kit.event_options import QUIET
from webapp.pages.kit.panel_events import Updates
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
# deletes all that the visitor has, and opens the page anew
DELETE_DATA = (
    _TWICE
    + """
element.addEventListener("click", async (event) => {
  const button = event.target.closest(".cs-delete-data");
  if (!button || !twice(button)) return;
  const answer = await fetch("/data/delete", { method: "POST" }).catch(() => null);
  if (answer?.ok) location.assign("/");
  else element.querySelector("[role=status]").textContent = "Not deleted. Try again in a moment.";
});
"""
)


def connect(
    services: Services,
    rows: gr.HTML,
    trouble: gr.HTML,
    outputs: Sequence[Block],
    fill: Callable[[gr.Request], Updates],
    delete: Callable[[str, str], None],
    keep: Callable[[str, str, datetime], None] | None = None,
) -> None:
    """Attach the buttons of ``rows``, which have ROW_BUTTONS; why an item could not be changed goes to ``trouble``.

    fill: returns what ``outputs`` show. delete, keep: take the id of an item, the session, and until when to keep;
    without ``keep`` nothing can be kept.
    """

    def changed(request: gr.Request, change: Callable[[str], None]) -> Updates:
        _, box = attempt(lambda: change(session_of(request)))
        return {**fill(request), trouble: box}

    def deleted(request: gr.Request, event: gr.EventData) -> Updates:
        return changed(request, lambda session: delete(_item(event), session))

    rows.delete(deleted, None, outputs, queue=False, **QUIET)
    if keep is None:
        return

    def kept_longer(request: gr.Request, event: gr.EventData) -> Updates:
        until = longest(services)
        return changed(request, lambda session: keep(_item(event), session, until))

    rows.apply(kept_longer, None, outputs, queue=False, **QUIET)


def _item(event: gr.EventData) -> str:
    """Return the id that a button of a row was pressed for."""
    return str(getattr(event, "item", ""))


def keep_days(settings: Settings) -> int:
    """Return for how many days a visitor may keep an item from retention, 0 where nothing is deleted by age."""
    return settings.keep_days if settings.retention else 0


def day_of(moment: datetime | None) -> str:
    """Return the day of a moment in UTC, "" for none."""
    return "" if moment is None else f"{moment:%Y-%m-%d}"
