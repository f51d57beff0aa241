"""Buttons of a row: delete, by a second press within some seconds, and keep from retention."""

from __future__ import annotations

from datetime import datetime, timedelta

import gradio as gr

from core.plurals import count
from webapp.settings import Settings

_TWICE = """
const SECONDS = 5;
const twice = (button) => {
  if (button.dataset.sure) return true;
  const words = button.textContent;
  button.dataset.sure = "true";
  button.textContent = "Delete for good?";
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


def item_of(event: gr.EventData) -> str:
    """Return the id that a button of a row was pressed for."""
    return str(getattr(event, "item", ""))


def keep_days(settings: Settings) -> int:
    """Return for how many days a visitor may keep an item from retention, 0 where nothing is deleted by age."""
    return settings.keep_days if settings.retention else 0


def age_of(age: timedelta | None) -> str:
    """Return an age in words, "" for none."""
    if age is None:
        return ""
    hours = age.total_seconds() / 3600
    number, unit = (hours, "hour") if hours >= 1 else (60 * hours, "minute")
    return count(f"{number:g}", unit)


def day_of(moment: datetime | None) -> str:
    """Return the day of a moment in UTC, "" for none."""
    return "" if moment is None else f"{moment:%Y-%m-%d}"
