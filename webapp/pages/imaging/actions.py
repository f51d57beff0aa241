"""What an imaging tab does beside loading and running: masks drawn, results handed over, scans sorted into slots."""

from __future__ import annotations

from pathlib import Path

from core import tasks
from core.declaration import Task
from core.errors import UserError
from core.files.nifti import read_volume
from core.presentation import Group
from core.result import RESULT
from webapp.intake import scans as intake
from webapp.pages.kit.job_titles import main_input
from webapp.pages.kit.page_state import Held, anchor, mask_input, sources
from webapp.pages.kit.panel_actions import Paths, series_name, uploads
from webapp.services import Services
from webapp.store.records import JobRecord

# suffixes of files that are a scan by themselves
WHOLE = (".nii", ".gz", ".mgz", ".mgh", ".nrrd", ".mha", ".zip")


def take_drawn(services: Services, session: str, task: Task, held: Held, mask_id: object) -> Held:
    """Take a mask that ``POST /mask`` has stored; the id comes from the browser, so its owner and scan are checked."""
    mask = services.repo.scan(str(mask_id), session)
    if mask.role != "mask" or mask.parent != held.inputs.get(anchor(task)):
        raise UserError("not_found", "That mask belongs to another scan.", "Draw it again on the scan that is shown.")
    return held.with_input(task, mask_input(task), mask.id)


def receive(services: Services, session: str, task: Task, job_id: str) -> Held:
    """Return a page of ``task`` that starts from the result of a finished job."""
    job = services.repo.job(job_id, session)
    result = job.artifact(RESULT)
    if result is None:
        raise UserError("not_found", "This run has no result to send on.", "Wait until it is done, or run it again.")
    origin = services.repo.scan(main_input(job), session).filename
    scan = intake.accept_result(services, session, result.id, origin)
    return Held({_slot(task, job, origin): scan.id})


def _slot(task: Task, job: JobRecord, origin: str) -> str:
    """Return the input of ``task`` that the result of ``job`` on the scan ``origin`` becomes."""
    group = task.page.group
    if anchor(task) or group is None:
        return anchor(task) or sources(task)[0]
    made_from = anchor(tasks.find(job.task))
    if made_from in group.inputs:
        return made_from
    return group.recognise(origin) or group.inputs[0]


def distribute(
    services: Services, session: str, task: Task, group: Group, held: Held, paths: Paths, *, deface: bool = False
) -> tuple[Held, tuple[str, ...]]:
    """Take the scans of a group, dropped together, as the inputs that ``group`` assigns them to; deface: without faces.

    Returns the page and a sentence for each file that found no place.
    """
    series = _series(uploads(paths))
    names = [series_name(files) for files in series]
    scans = [
        intake.accept(services, files, name, session, "volume", deface=deface)
        for files, name in zip(series, names, strict=True)
    ]
    # by what the files are called, which is not kept everywhere
    stored = [read_volume(services.blobs.path(scan.blob)) for scan in scans]
    named = list(zip(names, stored, strict=True))
    found = group.assign(named)
    for name, index in found.slots.items():
        held = held.with_input(task, name, scans[index].id)
    return held, found.problems


def move(name: str, other: str, held: Held) -> Held:
    """Move the scan of the input ``name`` to the input ``other``; what is there takes its place."""
    # the page reports one choice twice now and then
    if name == other or name not in held.inputs:
        return held
    inputs = dict(held.inputs)
    scan, displaced = inputs.pop(name), inputs.pop(other, "")
    return Held({**inputs, other: scan, **({name: displaced} if displaced else {})})


def _series(files: list[Path]) -> list[list[Path]]:
    """Return the files one by one, but the slices of DICOM series, which have no name to tell them apart, together."""
    whole = [file for file in files if file.name.lower().endswith(WHOLE)]
    slices = [file for file in files if file not in whole]
    return [*([file] for file in whole), *([slices] if slices else [])]
