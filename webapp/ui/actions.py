"""What the controls of the Inpaint tab do; the store and the queue do the work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from core.errors import UserError
from core.tasks.inpaint import TASK
from webapp import intake
from webapp.services import Services
from webapp.ui.page import Held


def load_scan(services: Services, session: str, path: str | None) -> Held:
    """Take an uploaded scan; the mask and job of an earlier one are let go."""
    if not path:
        raise UserError("no_file", "No file arrived.", "Drop a .nii or .nii.gz file.")
    file = Path(path)
    return Held(scan=intake.accept(services, file, file.name, session, "volume").id)


def load_mask(services: Services, session: str, held: Held, path: str | None) -> Held:
    """Take an uploaded mask of the page's scan."""
    if not held.scan:
        raise UserError("no_scan", "A mask needs its scan first.", "Load the scan in step 1, then the mask.")
    if not path:
        raise UserError("no_file", "No file arrived.", "Drop a .nii or .nii.gz file.")
    file = Path(path)
    mask = intake.accept(services, file, file.name, session, "mask", scan_id=held.scan)
    return Held(held.scan, mask.id)


def take_drawn(services: Services, session: str, held: Held, mask_id: object) -> Held:
    """Take a mask that ``POST /mask`` has stored; the id comes from the browser, so its owner and scan are checked."""
    mask = services.repo.scan(str(mask_id), session)
    if mask.role != "mask" or mask.parent != held.scan:
        raise UserError("not_found", "That mask belongs to another scan.", "Draw it again on the scan that is shown.")
    return Held(held.scan, mask.id)


def load_example(services: Services, session: str, name: str) -> Held:
    """Load a synthetic scan together with its mask."""
    scan, mask = intake.accept_example(services, session, name)
    return Held(scan.id, mask.id)


def submit(services: Services, session: str, held: Held, params: Mapping[str, object]) -> Held:
    """Queue a run and return the page with its job."""
    if not held.scan or not held.mask:
        raise UserError("not_ready", "A run needs a scan and a mask.", "Load the scan in step 1 and a mask in step 2.")
    parsed = TASK.parse(params)
    job = services.dispatcher.submit(session, TASK.name, {"t1": held.scan, "mask": held.mask}, parsed)
    return replace(held, job=job)


def cancel(services: Services, session: str, held: Held) -> Held:
    """Stop the page's job."""
    if held.job:
        services.dispatcher.cancel(held.job, session)
    return held
