"""What a visitor has uploaded, with links that open each scan again, with its newest mask, in any tab."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlencode

import gradio as gr
from markupsafe import Markup

from core import tasks
from core.declaration import Task
from core.plurals import count
from webapp.door.visitor import session_of
from webapp.pages.kit import row_buttons
from webapp.pages.kit.event_options import QUIET
from webapp.pages.kit.page_state import anchor, mask_input, opening, sources
from webapp.pages.kit.panel import tab_title
from webapp.pages.kit.panel_events import Updates
from webapp.pages.kit.row_buttons import ROW_BUTTONS, day_of, keep_days
from webapp.pages.kit.templates import piece
from webapp.pages.kit.text import ago, times
from webapp.pages.kit.trouble import attempt
from webapp.services import Services
from webapp.store.records import ScanRecord


def build(services: Services, tab: gr.Tab, demo: gr.Blocks) -> Any:
    """Draw the list, fill it whenever ``tab`` is opened, and return Gradio's dependency of a deletion."""
    outcome = row_buttons.outcome("kept-outcome")
    listed = gr.HTML(elem_id="kept-scans", elem_classes="cs-section", js_on_load=ROW_BUTTONS)
    outputs = [outcome, listed]

    def fill(request: gr.Request) -> Updates:
        days = keep_days(services.settings)
        found, box = attempt(lambda: table(services.repo.scans(session_of(request)), days))
        return {outcome: box, listed: found or ""}

    for event in (demo.load, tab.select):
        event(fill, None, outputs, queue=False, **QUIET)
    delete = partial(_delete, services)
    return row_buttons.connect(services, listed, outcome, outputs, fill, delete, services.erasure.keep_scan)


def _delete(services: Services, scan_id: str, session: str) -> str:
    """Delete a scan with its masks and the runs on it, and return in words what is gone."""
    name = services.repo.scan(scan_id, session).filename
    masks, runs = services.erasure.delete_scan(scan_id, session)
    beside = [count(number, noun) for number, noun in ((masks, "mask"), (runs, "run")) if number]
    return f"{name} with {' and '.join(beside)}" if beside else name


def table(scans: Sequence[ScanRecord], days: int = 0) -> Markup:
    """Return the uploads among ``scans``, newest first, masks with their scans; days: see ``keep_days``."""
    masks: dict[str, ScanRecord] = {}
    for scan in scans:
        if scan.role == "mask" and scan.parent:
            masks.setdefault(scan.parent, scan)
    shown = [_row(scan, masks.get(scan.id)) for scan in scans if scan.role != "mask"]
    return piece("scans", "table", scans=shown, days=days)


def _row(scan: ScanRecord, mask: ScanRecord | None) -> dict[str, object]:
    volume = scan.role == "volume"
    size = f"{times(scan.shape, 0)} voxels, {times(scan.spacing)} mm" if volume else str(scan.facts.get("Size", ""))
    return {
        "id": scan.id,
        "name": scan.filename,
        "kept": day_of(scan.keep_until),
        "about": size,
        "picture": f"/slice/{scan.token}/2" if volume else "",
        "ago": ago(scan.created),
        "masked": mask is not None,
        "links": tuple(_links(scan, mask)),
    }


def _links(scan: ScanRecord, mask: ScanRecord | None) -> Iterator[tuple[str, str]]:
    """Yield (title, address) of each tab that takes the scan."""
    for task in tasks.TASKS:
        name = _place(task, scan)
        if name:
            marked = {mask_input(task): mask.id} if mask and mask_input(task) else {}
            yield tab_title(task), f"?{urlencode(opening(task, {name: scan.id, **marked}))}"


def _place(task: Task, scan: ScanRecord) -> str:
    """Return the input of ``task`` that the scan becomes, "" where it takes no such scan."""
    if scan.role == "volume":
        known = sources(task)
        return anchor(task) if anchor(task) in known else next(iter(known), "")
    return next((entry.name for entry in task.inputs if entry.kind == scan.role), "")
