"""What a link shows of a run: its volumes under the names of their roles, its table, notes and report; nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from core import tasks
from core.declaration import Task
from core.result import BASELINE, DIFFERENCE, ERROR, REPORT, RESULT, UNCERTAINTY
from webapp.pages.imaging import result_scene
from webapp.pages.kit import boxes
from webapp.pages.kit.job_titles import headline
from webapp.pages.kit.page_state import REFERENCE, View, sources
from webapp.pages.kit.templates import document, script_json
from webapp.pages.kit.text import NAME, TAGLINE
from webapp.pages.lab import stored_results
from webapp.pages.worth import worth_report
from webapp.services import Services
from webapp.store.records import JobRecord, ScanRecord
from webapp.store.repository import not_found
from webapp.store.shares import ShareRecord

# how an address of the scene begins
VOLUMES = "/vol/"
# of result files, what the viewer shows
SHOWN = (RESULT, BASELINE, DIFFERENCE, ERROR, UNCERTAINTY)


@dataclass(frozen=True)
class SharedRun:
    """A run as a link shows it; ``parts``: name of a volume -> its blob. No name is that of a file or of a row."""

    link: ShareRecord
    task: Task
    job: JobRecord
    scans: Mapping[str, ScanRecord]
    parts: Mapping[str, str]

    @property
    def is_report(self) -> bool:
        """Whether there is nothing for the viewer: a run of the failure lab or of a study is its report."""
        return self.task.page.kind != "imaging"


def shared_run(services: Services, key: str) -> SharedRun:
    """Return what a key opens; UserError link_over."""
    link = services.shares.opened(key)
    job = services.repo.job(link.job, link.session)
    task = tasks.find(job.task)
    scans = {} if task.page.kind != "imaging" else _scans(services, task, job)
    made = {one.name: one.blob for one in job.artifacts if one.kind in SHOWN}
    given = {_part(name): scan.blob for name, scan in scans.items()}
    return SharedRun(link, task, job, scans, {**made, **given})


def page(run: SharedRun, key: str, age: timedelta | None) -> str:
    """Return the page of a link; age: that at which runs are deleted."""
    table = "" if run.is_report else boxes.result_table(run.task, run.job.result.table)
    return document(
        "shared",
        name=NAME,
        tagline=TAGLINE,
        base=f"/shared/{key}",
        title=headline(run.job),
        made=f"{run.job.created:%Y-%m-%d}",
        ends=f"{shown_until(run.link, run.job, age):%Y-%m-%d %H:%M} UTC",
        scene="" if run.is_report else script_json(json.dumps(scene(run, key))),
        table=table,
        notes=boxes.result_notes(run.job.result),
        has_report=run.is_report or run.job.artifact(REPORT) is not None,
    )


def scene(run: SharedRun, key: str) -> dict[str, Any]:
    """Return what the viewer draws, with addresses below the link's and without an id of any row."""
    scans = {name: replace(scan, id=_part(name), token=_part(name)) for name, scan in run.scans.items()}
    files = tuple(replace(one, token=one.name) for one in run.job.artifacts)
    shown = result_scene.scene(View(run.task, scans, replace(run.job, artifacts=files)))
    plain = shown.model_copy(update={"drawable": False, "job": "", "address": "", "busy": False})
    value: dict[str, Any] = _below(plain.value(), f"/shared/{key}")
    return value


def report(services: Services, run: SharedRun) -> bytes:
    """Return the report of the run as HTML; UserError not_found."""
    if run.task.page.kind == "worth":
        return worth_report.page(worth_report.load(services, run.job)).encode()
    if run.is_report:
        return stored_results.strangers_report(services, run.job)
    found = run.job.artifact(REPORT)
    path = services.blobs.path(found.blob) if found else None
    if path is None or not path.is_file():
        raise not_found()
    return path.read_bytes()


def volume(services: Services, run: SharedRun, part: str) -> Path:
    """Return the file of a volume by its name; UserError not_found."""
    blob = run.parts.get(part, "")
    if not blob.endswith((".nii", ".nii.gz")):
        raise not_found()
    return services.blobs.path(blob)


def shown_until(link: ShareRecord, job: JobRecord, age: timedelta | None) -> datetime:
    """Return when a link ends: at its time, or when its run is deleted."""
    if age is None:
        return link.ends
    deleted = (job.finished or job.created) + age
    return min(link.ends, max(deleted, job.keep_until) if job.keep_until else deleted)


def _scans(services: Services, task: Task, job: JobRecord) -> dict[str, ScanRecord]:
    """Return the volumes and masks that a run was given: sources, mask, reference, guide."""
    kinds = {entry.name: entry.kind for entry in task.inputs}
    given = {name: scan_id for name, scan_id in job.inputs.items() if kinds.get(name) in ("volume", "mask")}
    drawn = (*sources(task), REFERENCE, *(name for name, kind in kinds.items() if kind == "mask"))
    return {name: services.repo.scan(one, job.session) for name, one in given.items() if name in drawn}


def _part(name: str) -> str:
    # no artifact is called so
    return f"given-{name}"


def _below(value: Any, base: str) -> Any:
    """Return a JSON value in which every address of a volume lies below ``base``."""
    if isinstance(value, str):
        return f"{base}{value}" if value.startswith(VOLUMES) else value
    if isinstance(value, dict):
        return {key: _below(one, base) for key, one in value.items()}
    return [_below(one, base) for one in value] if isinstance(value, list | tuple) else value
