"""The parts of the page that run their own script: the volume viewer, the progress bar, the length of the queue.

Their templates are constant, so that a new value never replaces a canvas; values reach the script as properties.
"""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from webapp.door.file_answers import page_address
from webapp.pages.kit.job_progress import Bar
from webapp.pages.kit.templates import document

VIEWER_MODULE = page_address("viewer/viewer.js")
FOLLOWING_MODULE = page_address("viewer/following.js")
VISIT_MODULE = page_address("viewer/visit.js")
DROPS_MODULE = page_address("viewer/dom.js")
VIEWER_LIBRARY = page_address("niivue.js")

# puts dropped files into the first input of the tab that is open
TAKE = """(files) => {
  const drops = [...document.querySelectorAll(".cs-first-drop input[type=file]")];
  const input = drops.find((one) => one.closest(".cs-steps").offsetParent !== null);
  if (!input) return;
  input.files = files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}"""

_VIEWER = document("viewer")
_VIEWER_SCRIPT = (
    f"const take = {TAKE};"
    + """
// the address is reported before any value can write another one, or none, into it
trigger("address", { query: location.search });
const address = () => {
  if (!props.value || !("address" in props.value)) return;
  delete document.documentElement.dataset.opening;
  const query = props.value.address ? `?${props.value.address}` : "";
  history.replaceState(null, "", `${location.pathname}${query}${location.hash}`);
};
const ready = import(props.module).then((viewer) => viewer.mount(element, {
  library: props.library,
  emit: (reply) => trigger("mask", { scan_id: reply.scan_id }),
  take,
}));
// a value that is away only has the address: the viewer is hidden and keeps its scene
const show = () => { address(); if (!props.value?.away) ready.then((viewer) => viewer.apply(props.value)); };
watch("value", show);
show();
ready.catch((error) => {
  element.querySelector(".cs-viewer").textContent = "The viewer could not be started. Reload the page.";
  console.warn(error);
});
"""
)

_PROGRESS = document("progress")
# a value may come before the other properties do, so the module is no property
_FOLLOWING = f"const following = import({json.dumps(FOLLOWING_MODULE)});"
_VISIT = f"const visit = import({json.dumps(VISIT_MODULE)});"
_PROGRESS_SCRIPT = (
    _FOLLOWING
    + _VISIT
    + """
const draw = ({ percent = 0, text = "", shown = false, picture = "" }) => {
  const preview = element.querySelector(".cs-so-far");
  const root = element.querySelector(".cs-progress");
  const bar = element.querySelector(".cs-bar");
  root.hidden = !shown;
  const image = preview.firstElementChild;
  // shown once it is there; it may be gone before it is fetched
  image.onload = () => { preview.hidden = !picture; };
  image.onerror = () => { preview.hidden = true; };
  if (!picture) { preview.hidden = true; image.removeAttribute("src"); }
  else if (image.getAttribute("src") !== picture) image.src = picture;
  bar.setAttribute("aria-valuenow", String(percent));
  bar.setAttribute("aria-valuetext", `${percent} percent, ${text}`);
  // moved, not widened: the page is not laid out anew for each frame of the movement
  bar.firstElementChild.style.translate = `${percent - 100}%`;
  element.querySelector(".cs-progress-text").textContent = text;
  element.querySelector(".cs-progress-percent").textContent = `${percent} %`;
  // a reader of screens hears of each quarter, not of each step
  const quarter = shown ? Math.floor(percent / 25) : -1;
  const heard = element.querySelector(".cs-heard");
  if (quarter !== Number(heard.dataset.quarter ?? -1)) heard.textContent = shown ? `${percent} percent, ${text}` : "";
  heard.dataset.quarter = String(quarter);
};
let followed = "";
let stop = () => {};
const show = () => {
  const bar = props.value || {};
  draw(bar);
  const job = bar.shown ? bar.job : "";
  if (job === followed) return;
  stop();
  [followed, stop] = [job, () => {}];
  if (job) following.then(({ followRun }) => {
    if (job === followed) stop = followRun(job, draw, () => trigger("over"));
  });
};
watch("value", show);
show();
visit.then(({ onVisit }) => onVisit((problem) => {
  if (problem) element.querySelector(".cs-progress").hidden = true;
}));
"""
)

# the words that the server sent with the last event stay until the next look
QUEUE_SECONDS = 5.0
_QUEUE_SCRIPT = (
    f"const seconds = {QUEUE_SECONDS};"
    + _FOLLOWING
    + """
following.then(({ followQueue }) => followQueue((text) => {
  const pill = element.querySelector(".cs-queue");
  pill.textContent = text;
  pill.hidden = !text;
}, seconds));
"""
)


# what has become of the visit, wherever the page is scrolled to
_ENDED_SCRIPT = (
    _VISIT
    + """
const box = element.querySelector("[role=alert]");
const [message, hint] = box.querySelectorAll("p");
const button = box.querySelector("button");
button.addEventListener("click", () => visit.then(({ goOn }) => goOn()));
visit.then(({ onVisit }) => onVisit((problem) => {
  box.hidden = !problem;
  message.textContent = problem?.message ?? "";
  hint.textContent = problem?.hint ?? "";
  button.textContent = problem?.action ?? "";
}));
"""
)


class VolumeViewer(gr.HTML):
    """Four linked panels; ``value`` is that of a ``Scene``.

    The event ``mask`` reports a drawn mask, ``address`` once, at the start, the query of the page's address.
    """

    # Gradio builds the class anew with every property after an update, so each must be a keyword that can be overridden
    def __init__(
        self,
        value: dict[str, Any] | None = None,
        *,
        module: str = VIEWER_MODULE,
        library: str = VIEWER_LIBRARY,
        **options: Any,
    ) -> None:
        fixed = {"html_template": _VIEWER, "js_on_load": _VIEWER_SCRIPT, "apply_default_css": False}
        super().__init__(value=value or {}, module=module, library=library, **{**fixed, **options})

    def api_info(self) -> dict[str, Any]:
        """Return the JSON type of a scene."""
        return {"type": "object"}


class ProgressBar(gr.HTML):
    """A progress bar; ``value`` is a ``Bar``, from which on it follows the job by itself.

    The event ``over`` reports that the job has ended, again and again until the value is another.
    """

    def __init__(self, value: Bar | None = None, **options: Any) -> None:
        fixed = {"html_template": _PROGRESS, "js_on_load": _PROGRESS_SCRIPT, "apply_default_css": False}
        super().__init__(value=value or {}, **{**fixed, **options})

    def api_info(self) -> dict[str, Any]:
        """Return the JSON type of the bar's state."""
        return {"type": "object"}


def ended_visit(value: str, **options: Any) -> gr.HTML:
    """Draw the place that shows that the visit has ended, and how to go on."""
    return gr.HTML(value, js_on_load=_ENDED_SCRIPT, **options)


def queue_badges(value: str, **options: Any) -> gr.HTML:
    """Draw the badges of the header; they follow the length of the queue by themselves."""
    return gr.HTML(value, js_on_load=_QUEUE_SCRIPT, **options)
