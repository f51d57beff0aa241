"""What inputs and buttons of a task's tab do; the store and the queue do the work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from core.declaration import Task
from core.errors import SeveralVolumes, UserError
from webapp.intake import scans as intake
from webapp.intake.model_files import accept_model
from webapp.intake.spectra_files import accept_tissue
from webapp.pages.kit.page_state import REFERENCE, Held, Volumes, anchor, view
from webapp.services import Services

Paths = str | Sequence[str] | None


def load(
    services: Services, session: str, task: Task, name: str, held: Held, paths: Paths, *, deface: bool = False
) -> Held:
    """Take an uploaded file, or the files of one series, as the input ``name`` of ``task``; deface: without a face."""
    files = uploads(paths)
    entry = next(one for one in task.inputs if one.name == name)
    if entry.kind == "mask":
        return _load_mask(services, session, task, name, held, files)
    if entry.kind == "tissue":
        return _load_tissue(services, session, task, name, held, files)
    if entry.kind == "model":
        return held.with_input(task, name, accept_model(services, files, session).id)
    if name == REFERENCE and not held.inputs:
        raise UserError("no_scan", "A reference needs its scan first.", "Load the scan in step 1, then the reference.")
    return _load_volume(services, session, task, name, held, files, deface=deface)


def choose_volume(
    services: Services, session: str, task: Task, name: str, held: Held, number: int, *, deface: bool = False
) -> Held:
    """Take volume ``number`` of the folder that was uploaded for the input ``name``, from 1; deface: without a face."""
    known = held.volumes.get(name)
    if known is None:
        raise UserError("upload_gone", "The uploaded file is no longer on the server.", "Upload it again.")
    return _load_volume(services, session, task, name, held, known.files, number, deface=deface)


def remove(task: Task, name: str, held: Held) -> Held:
    """Take an input off the page, and the labels with their data; what it was stays in the store."""
    if task.inputs[0].kind == "tissue" and name == task.inputs[0].name:
        return Held(_models(task, held))
    return held.without(task, name)


def submit(services: Services, session: str, task: Task, held: Held, params: Mapping[str, object]) -> Held:
    """Queue a run and return the page with its job."""
    shown = view(services, session, task, held)
    if shown.missing:
        wanted = " and ".join(entry.title for entry in shown.missing) if task.required else "at least one scan"
        raise UserError("not_ready", f"A run needs {wanted}.", "Load it in the steps above.")
    job = services.dispatcher.submit(session, task.name, dict(held.inputs), task.parse(params))
    return held.with_job(job)


def cancel(services: Services, session: str, held: Held) -> None:
    """Stop the page's job."""
    if held.job:
        services.dispatcher.cancel(held.job, session)


def uploads(paths: Paths) -> list[Path]:
    """Return the uploaded files; UserError no_file where none arrived."""
    found = [paths] if isinstance(paths, str) else list(paths or ())
    if not found:
        raise UserError("no_file", "No file arrived.", "Drop a .nii or .nii.gz file, or the files of a DICOM series.")
    return [Path(path) for path in found]


def series_name(files: Sequence[Path]) -> str:
    """Return what files that make one scan are called."""
    return files[0].name if len(files) == 1 else f"{files[0].name} and {len(files) - 1} more"


def _load_volume(
    services: Services,
    session: str,
    task: Task,
    name: str,
    held: Held,
    files: Sequence[Path],
    number: int | None = None,
    *,
    deface: bool = False,
) -> Held:
    """Take a scan; where its upload holds several volumes, the page offers all, also where none was taken yet."""
    try:
        taken = intake.accept_volume(services, files, series_name(files), session, number, deface=deface)
    except SeveralVolumes as error:
        return held.with_volumes(name, Volumes(error.volumes, None, tuple(files)))
    page = held.with_input(task, name, taken.scan.id)
    if len(taken.volumes) < 2:
        return page
    return page.with_volumes(name, Volumes(taken.volumes, taken.number, tuple(files)))


def _load_mask(services: Services, session: str, task: Task, name: str, held: Held, files: list[Path]) -> Held:
    scan = held.inputs.get(anchor(task), "")
    if not scan:
        raise UserError("no_scan", "A mask needs its scan first.", "Load the scan in step 1, then the mask.")
    mask = intake.accept(services, files, series_name(files), session, "mask", scan_id=scan)
    return held.with_input(task, name, mask.id)


def _models(task: Task, held: Held) -> dict[str, str]:
    """Return the models among the inputs of a page, which belong to no data in particular."""
    return {one.name: held.inputs[one.name] for one in task.inputs if one.kind == "model" and one.name in held.inputs}


def _load_tissue(services: Services, session: str, task: Task, name: str, held: Held, files: list[Path]) -> Held:
    """Take data, without the labels of the data before, or the labels of the data at hand."""
    first = task.inputs[0].name
    pictures = task.inputs[0].pictures
    data = held.inputs.get(first, "")
    if name == first:
        return Held({name: accept_tissue(services, files, session, pictures=pictures).id, **_models(task, held)})
    if not data:
        raise UserError("no_scan", "Labels need their image first.", "Load the data in step 1, then the labels.")
    return held.with_input(task, name, accept_tissue(services, files, session, data).id)
