"""What an imaging tab does beside loading and running: masks drawn, results handed over, scans sorted into slots."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from core import tasks
from core.declaration import Task
from core.errors import SeveralVolumes, UserError
from core.files.nifti import read_volume
from core.presentation import Group
from core.result import RESULT
from webapp.intake import scans as intake
from webapp.pages.kit.job_titles import main_input
from webapp.pages.kit.page_state import Held, anchor, mask_input, sources
from webapp.pages.kit.panel_actions import Paths, series_name, uploads
from webapp.services import Services
from webapp.store.records import JobRecord, ScanRecord

# the description of a series within its words, and how many are listed
DESCRIBED, LISTED = re.compile("“([^”]*)”"), 8
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

    Returns the page and a sentence for each file or series that found no place. Of a DICOM folder with several series
    those are taken whose descriptions settle the contrast; UserError dicom_series where none does.
    """
    scans: list[tuple[str, ScanRecord]] = []
    problems: list[str] = []
    for files in _series(uploads(paths)):
        scans += _taken(services, session, group, files, problems, deface=deface)
    # by what the files are called, which is not kept everywhere
    named = [(name, read_volume(services.blobs.path(scan.blob))) for name, scan in scans]
    found = group.assign(named)
    for name, index in found.slots.items():
        held = held.with_input(task, name, scans[index][1].id)
    return held, (*problems, *found.problems)


def _taken(
    services: Services, session: str, group: Group, files: list[Path], problems: list[str], *, deface: bool
) -> list[tuple[str, ScanRecord]]:
    """Take the scans of one file or one DICOM folder in, each with what shows its contrast; sentences on others go to
    ``problems``."""
    name = series_name(files)
    try:
        scan = intake.accept_volume(services, files, name, session, deface=deface).scan
    except SeveralVolumes as error:
        volumes = error.volumes
    else:
        series = str(scan.facts.get("series", ""))
        return [(series if group.recognise(series) else name, scan)]
    chosen = _by_contrast(group, volumes, problems)
    if not chosen:
        raise UserError(
            "dicom_series",
            f"There are {len(volumes)} series here, and no description settles which contrast is which: "
            f"{_listing(volumes)}.",
            "Drop each series alone into its slot.",
        )
    numbers = [number for _, number in chosen]
    scans = intake.accept_volumes(services, files, name, session, numbers, deface=deface)
    return [(title, scan) for (title, _), scan in zip(chosen, scans, strict=True)]


def _by_contrast(group: Group, volumes: Sequence[str], problems: list[str]) -> list[tuple[str, int]]:
    """Return description and number, from 1, of the volumes whose descriptions settle their contrast; sentences on the
    others go to ``problems``."""
    found: dict[str | None, dict[str, int]] = {}
    for number, words in enumerate(volumes, 1):
        name = DESCRIBED.match(words)
        slot = group.recognise(name[1]) if name else None
        # of volumes with one description the first is the usual one
        found.setdefault(slot, {}).setdefault(name[1] if name else words, number)
    unclear = found.pop(None, {})
    if unclear and found:
        problems.append(f"Left out, as their descriptions name no contrast: {_listing(list(unclear))}.")
    problems += [
        f"Several series look alike by their descriptions, and none was taken: {_listing(list(alike))}."
        for alike in found.values()
        if len(alike) > 1
    ]
    return [next(iter(alike.items())) for alike in found.values() if len(alike) == 1]


def _listing(names: Sequence[str]) -> str:
    more = len(names) - LISTED
    return "; ".join(names[:LISTED]) + (f" and {more} more" if more > 0 else "")


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
