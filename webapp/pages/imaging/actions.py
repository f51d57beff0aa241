"""What an imaging tab does beside loading and running: masks drawn, results handed over, scans sorted into slots."""

from __future__ import annotations

from pathlib import Path

from core.declaration import Task
from core.errors import UserError
from core.files.nifti import read_volume
from core.imaging.translate.slots import assign, recognise
from core.imaging.translate.task import TASK as TRANSLATE
from core.result import RESULT
from webapp.intake import scans as intake
from webapp.pages.kit.job_titles import main_scan
from webapp.pages.kit.page_state import Held, anchor
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
    return held.with_input(task, "mask", mask.id)


def receive(services: Services, session: str, task: Task, job_id: str) -> Held:
    """Return a page of ``task`` that starts from the result of a finished job."""
    job = services.repo.job(job_id, session)
    result = job.artifact(RESULT)
    if result is None:
        raise UserError("not_found", "This run has no result to send on.", "Wait until it is done, or run it again.")
    origin = services.repo.scan(main_scan(job), session).filename
    scan = intake.accept_result(services, session, result.id, origin)
    return Held({_slot(task, job, origin): scan.id})


def _slot(task: Task, job: JobRecord, origin: str) -> str:
    """Return the input of ``task`` that the result of ``job`` on the scan ``origin`` becomes."""
    if anchor(task):
        return anchor(task)
    if job.task == "inpaint":
        return "t1"
    return recognise(origin) or "t1"


def distribute(services: Services, session: str, held: Held, paths: Paths) -> tuple[Held, tuple[str, ...]]:
    """Take the contrasts of one head, dropped together, into the slots that their names and intensities say.

    Returns the page and a sentence for each file that found no place.
    """
    groups = _series(uploads(paths))
    scans = [intake.accept(services, group, series_name(group), session, "volume") for group in groups]
    named = [(scan.filename, read_volume(services.blobs.path(scan.blob))) for scan in scans]
    found = assign(named)
    for name, index in found.slots.items():
        held = held.with_input(TRANSLATE, name, scans[index].id)
    return held, found.problems


def move(name: str, other: str, held: Held) -> Held:
    """Say that the scan in the slot ``name`` is the contrast ``other``; what is there takes its place."""
    # the page tells of one choice twice now and then
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
