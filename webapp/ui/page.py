"""What the page shows for a scan, a mask and a job: read from the store, never kept in the browser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from core import device, weights
from core.errors import UserError
from core.methods import find, of_task
from core.tasks.base import Value
from core.tasks.inpaint import TASK
from webapp.services import Services
from webapp.store.records import JobRecord, ScanRecord
from webapp.ui.text import seconds

# how intake names the copies of the shipped examples
SYNTHETIC = "(synthetic)"


@dataclass(frozen=True)
class Held:
    """What one open page works on: ids of rows, empty when there is none."""

    scan: str = ""
    mask: str = ""
    job: str = ""


@dataclass(frozen=True)
class View:
    """The rows behind a page."""

    scan: ScanRecord | None = None
    mask: ScanRecord | None = None
    job: JobRecord | None = None

    @property
    def active(self) -> bool:
        """Whether a job waits or runs."""
        return self.job is not None and not self.job.over

    @property
    def done(self) -> bool:
        """Whether there is a result to look at."""
        return self.job is not None and self.job.state == "done"

    @property
    def ready(self) -> bool:
        """Whether a run can start."""
        return self.scan is not None and self.mask is not None and not self.active


def view(services: Services, session: str, held: Held) -> View:
    """Return the rows of ``held``; UserError not_found when one is missing or another visitor's."""
    repo = services.repo
    return View(
        repo.scan(held.scan, session) if held.scan else None,
        repo.scan(held.mask, session) if held.mask else None,
        repo.job(held.job, session) if held.job else None,
    )


def of_job(services: Services, session: str, job_id: str) -> Held:
    """Return the scan and mask of a job together with it; UserError not_found."""
    job = services.repo.job(job_id, session)
    return Held(job.inputs.get("t1", ""), job.inputs.get("mask", ""), job.id)


def scene(shown: View) -> dict[str, Any]:
    """Return what the viewer draws, as it reads it (assets/viewer/viewer.js)."""
    scan, mask, job = shown.scan, shown.mask, shown.job
    return {
        "scan": _volume(scan) if scan else None,
        "mask": _volume(mask) if mask else None,
        "job": job.id if job else "",
        "busy": shown.active,
        **(_results(job) if job and shown.done else {"results": [], "uncertainty": None, "uncertain": ""}),
    }


def progress(job: JobRecord | None) -> dict[str, Any]:
    """Return the state of the progress bar."""
    if job is None or job.state not in ("queued", "running"):
        return {"shown": False, "percent": 0, "text": ""}
    if job.state == "queued":
        place = f"Waiting, place {job.position} in the queue" if job.position else "Waiting"
        return {"shown": True, "percent": 0, "text": place}
    passed = _since(job.started)
    text = f"{job.text or 'Starting'} · {seconds(passed)}" if passed is not None else job.text or "Starting"
    return {"shown": True, "percent": min(100, int(100 * job.fraction)), "text": text}


def preset_titles(services: Services, shown: View) -> list[tuple[str, str]]:
    """Return (title with expected seconds on this device, name) of each preset."""
    return [(f"{preset.title} · {expected(services, shown, preset.params)}", preset.name) for preset in TASK.presets]


def expected(services: Services, shown: View, params: Mapping[str, object]) -> str:
    """Return the expected duration of a run, for a typical lesion until there is a mask."""
    paths: tuple[tuple[str, Path], ...] = ()
    if shown.scan and shown.mask:
        paths = tuple((name, services.blobs.path(row.blob)) for name, row in (("t1", shown.scan), ("mask", shown.mask)))
    try:
        settings = tuple(TASK.parse(params).items())
        return seconds(_estimate(paths, settings, place(services.settings.device)))
    except UserError:
        return "–"


# an estimate reads the mask; blobs never change, so one reading is enough
@lru_cache(maxsize=256)
def _estimate(paths: tuple[tuple[str, Path], ...], params: tuple[tuple[str, Value], ...], on: str) -> float:
    return TASK.estimate(dict(paths), dict(params), on).seconds


@lru_cache
def place(wanted: str) -> str:
    """Return the device that jobs run on."""
    return device.choose(wanted)


def device_title(wanted: str) -> str:
    """Return the device in words for the badge."""
    chosen = place(wanted)
    return f"CPU · {device.threads()} threads" if chosen == "cpu" else f"GPU · {chosen}"


def default_method() -> str:
    """Return the network if its weights are here, else the best plain method."""
    installed = weights.entries()
    return next(one.name for one in of_task("inpaint") if not one.weights or one.weights in installed)


def method_titles() -> dict[str, str]:
    """Return method name -> title."""
    return {one.name: one.title for one in of_task("inpaint")}


def _volume(row: ScanRecord) -> dict[str, Any]:
    return {
        "id": row.id,
        "url": f"/vol/{row.token}/v.nii.gz",
        "synthetic": row.filename.endswith(SYNTHETIC),
    }


def _results(job: JobRecord) -> dict[str, Any]:
    titles = method_titles()
    method = str(job.params.get("method", TASK.params[0].default))
    urls = {one.name: f"/vol/{one.token}/v.nii.gz" for one in job.artifacts}
    shown = [{"id": method, "title": titles.get(method, method), "url": urls["result"]}] if "result" in urls else []
    shown += [
        {"id": other, "title": titles[other], "url": urls[f"baseline-{other}"]}
        for other in titles
        if f"baseline-{other}" in urls and other != method
    ]
    uncertain = urls.get("uncertainty") if method in titles and find(method, "inpaint").weights else None
    return {"results": shown, "uncertainty": uncertain, "uncertain": titles.get(method, method)}


def _since(moment: datetime | None) -> float | None:
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (datetime.now(UTC) - aware).total_seconds()
