"""What the controls of an imaging tab do; the store and the queue do the work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from core.declaration import Task
from core.errors import UserError
from core.files.nifti import read_volume
from core.imaging.translate.slots import assign, recognise
from core.imaging.translate.task import TASK as TRANSLATE
from core.result import RESULT
from webapp.intake import scans as intake
from webapp.intake.spectra_files import accept_tissue
from webapp.pages.imaging.page import Held, anchor, main_scan, view
from webapp.services import Services
from webapp.store.records import JobRecord

Paths = str | Sequence[str] | None
# suffixes of files that are a scan by themselves
WHOLE = (".nii", ".gz", ".mgz", ".mgh", ".nrrd", ".mha", ".zip")


def load(services: Services, session: str, task: Task, name: str, held: Held, paths: Paths) -> Held:
    """Take an uploaded file, or the files of one series, as the input ``name`` of ``task``."""
    files = _files(paths)
    entry = next(one for one in task.inputs if one.name == name)
    if entry.kind == "mask":
        return _load_mask(services, session, task, name, held, files)
    if entry.kind == "tissue":
        return _load_tissue(services, session, task, name, held, files)
    if name == "reference" and not held.inputs:
        raise UserError("no_scan", "A reference needs its scan first.", "Load the scan in step 1, then the reference.")
    scan = intake.accept(services, files, _name(files), session, "volume")
    return held.with_input(task, name, scan.id)


def _load_mask(services: Services, session: str, task: Task, name: str, held: Held, files: list[Path]) -> Held:
    scan = held.inputs.get(anchor(task), "")
    if not scan:
        raise UserError("no_scan", "A mask needs its scan first.", "Load the scan in step 1, then the mask.")
    mask = intake.accept(services, files, _name(files), session, "mask", scan_id=scan)
    return held.with_input(task, name, mask.id)


def _load_tissue(services: Services, session: str, task: Task, name: str, held: Held, files: list[Path]) -> Held:
    """Take data, which let go of the labels of the data before, or the labels of the data at hand."""
    first = task.inputs[0].name
    data = held.inputs.get(first, "")
    if name == first:
        return Held({name: accept_tissue(services, files, session).id})
    if not data:
        raise UserError("no_scan", "Labels need their image first.", "Load the data in step 1, then the labels.")
    return held.with_input(task, name, accept_tissue(services, files, session, data).id)


def remove(task: Task, name: str, held: Held) -> Held:
    """Take an input off the page, and the labels with their data; what it was stays in the store."""
    if task.inputs[0].kind == "tissue" and name == task.inputs[0].name:
        return Held()
    return held.without(task, name)


def take_drawn(services: Services, session: str, task: Task, held: Held, mask_id: object) -> Held:
    """Take a mask that ``POST /mask`` has stored; the id comes from the browser, so its owner and scan are checked."""
    mask = services.repo.scan(str(mask_id), session)
    if mask.role != "mask" or mask.parent != held.inputs.get(anchor(task)):
        raise UserError("not_found", "That mask belongs to another scan.", "Draw it again on the scan that is shown.")
    return held.with_input(task, "mask", mask.id)


def submit(services: Services, session: str, task: Task, held: Held, params: Mapping[str, object]) -> Held:
    """Queue a run and return the page with its job."""
    shown = view(services, session, task, held)
    if shown.missing:
        wanted = " and ".join(entry.title for entry in shown.missing) if task.required else "at least one scan"
        raise UserError("not_ready", f"A run needs {wanted}.", "Load it in the steps above.")
    job = services.dispatcher.submit(session, task.name, dict(held.inputs), task.parse(params))
    return held.with_job(job)


def cancel(services: Services, session: str, held: Held) -> Held:
    """Stop the page's job."""
    if held.job:
        services.dispatcher.cancel(held.job, session)
    return held


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
    groups = _series(_files(paths))
    scans = [intake.accept(services, group, _name(group), session, "volume") for group in groups]
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


def _files(paths: Paths) -> list[Path]:
    found = [paths] if isinstance(paths, str) else list(paths or ())
    if not found:
        raise UserError("no_file", "No file arrived.", "Drop a .nii or .nii.gz file, or the files of a DICOM series.")
    return [Path(path) for path in found]


def _name(files: Sequence[Path]) -> str:
    return files[0].name if len(files) == 1 else f"{files[0].name} and {len(files) - 1} more"
