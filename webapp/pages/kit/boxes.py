"""Boxes of the page: headings, cards of what was loaded, what a job gave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup

from core.declaration import Measure, Task
from core.errors import UserError
from core.plurals import count
from core.result import BASELINE, DIFFERENCE, ERROR, REPORT, RESULT, RUN, UNCERTAINTY, Measured, Result, Row
from webapp.pages.kit.job_titles import settings_title
from webapp.pages.kit.templates import EMPTY, joined, piece
from webapp.pages.kit.text import ago, number, seconds, times
from webapp.store.records import ArtifactRecord, JobRecord, ScanRecord

TISSUE_FACTS = ("Holds", "Size", "Values", "Bands", "Classes", "Groups", "Columns")
ORDER = (REPORT, RESULT, UNCERTAINTY, DIFFERENCE, ERROR, RUN)
UNKNOWN_TRUTH = "There is no truth to compare with: these measures look at the result itself."


def step(index: int, title: str, note: str = "") -> Markup:
    """Return the heading of a numbered step."""
    return piece("boxes", "step", index=index, title=title, note=note)


def hint(text: str) -> Markup:
    """Return a line of advice."""
    return piece("boxes", "hint", text=text)


def problem(error: UserError) -> Markup:
    """Return a calm box with what is wrong and what to do."""
    return piece("boxes", "problem", message=error.message, hint=error.hint, code=error.code)


def notes(lines: Iterable[str]) -> Markup:
    """Return warnings as a list, nothing when there are none."""
    return piece("boxes", "notes", lines=tuple(lines))


def expected(what: str, took: str) -> Markup:
    """Return how long ``what`` is expected to take."""
    return piece("boxes", "expected", what=what, took=took)


def scan_card(scan: ScanRecord) -> Markup:
    """Return what was read from a scan's file."""
    rows = {
        "Size": f"{times(scan.shape, 0)} voxels",
        "Spacing": f"{times(scan.spacing)} mm",
        "Orientation": scan.orientation,
    }
    assumed, face = (str(scan.facts.get(name, "")) for name in ("head", "face"))
    return piece(
        "boxes", "scan_card", name=scan.filename, values=rows, assumed=assumed, face=face, warnings=scan.warnings
    )


def mask_card(mask: ScanRecord) -> Markup:
    """Return what is known of a mask: its name, volume and warnings."""
    volume = mask.facts.get("volume_ml")
    rows = {"Volume": f"{number(volume, 1 if isinstance(volume, float) and volume >= 1 else 2)} ml"}
    name = mask.filename or "Drawn here"
    return piece("boxes", "mask_card", name=name, values=rows, warnings=mask.warnings, token=mask.token)


def tissue_card(data: ScanRecord) -> Markup:
    """Return what was read from a file for the failure lab."""
    rows = {str(key): str(value) for key, value in data.facts.items() if key in TISSUE_FACTS}
    return piece("boxes", "tissue_card", name=data.filename, values=rows, warnings=data.warnings)


def result_table(task: Task, rows: Sequence[Row]) -> Markup:
    """Return the measures of the chosen method and of those run beside it, as ``task`` declares them."""
    columns = [column for column in task.measures if any(row.measured(column.name) for row in rows)]
    cells = [(row.title, [_cell(row.values.get(one.name), one) for one in columns]) for row in rows]
    caption = "Measured against the reference." if any("psnr" in row.values for row in rows) else UNKNOWN_TRUTH
    return piece("results", "table", columns=columns, rows=cells, caption=caption)


def result_notes(result: Result) -> Markup:
    """Return the warnings of a run as a list, then what it found out and assumed, a paragraph each."""
    found = (piece("boxes", "paragraph", text=text) for text in result.texts("info"))
    return joined((notes(result.texts("warning")), *found))


def downloads(job: JobRecord, dicom: bool = False) -> Markup:
    """Return the notes of a finished job and links to its files, those of other methods folded away.

    dicom: whether the result is offered as a DICOM series too.
    """
    main = [one for one in job.artifacts if one.kind != BASELINE]
    main.sort(key=lambda one: ORDER.index(one.kind) if one.kind in ORDER else len(ORDER))
    others = [one for one in job.artifacts if one.kind == BASELINE]
    found = result_notes(job.result)
    result = job.artifact(RESULT) if dicom else None
    return piece(
        "results", "downloads", notes=found, main=list(map(_link, main)), others=list(map(_link, others)),
        dicom=result.id if result else "",
    )  # fmt: skip


def outcome(job: JobRecord, files: str = "") -> Markup:
    """Return one line on how a job ended, or its error; files: the id of the place where its files are listed."""
    if job.error:
        return problem(UserError(job.error.code, job.error.message, job.error.hint))
    if job.state == "cancelled":
        return piece("results", "cancelled")
    if job.state == "done":
        return piece("results", "done", text=f"Done in {seconds(job.seconds)}.", files=files)
    return EMPTY


def other_runs(jobs: Iterable[JobRecord]) -> Markup:
    """Return links to other runs on the scan at hand, nothing where there are none."""
    return piece("results", "other_runs", runs=[(one.id, settings_title(one), ago(one.created)) for one in jobs])


def header(device: str, waiting: int | None) -> Markup:
    """Return the device badge and the length of the queue, None where it is not known yet."""
    return piece("boxes", "badges", device=device, queue="" if waiting is None else queue_words(waiting))


def queue_words(waiting: int) -> str:
    """Return the length of the queue in words."""
    return f"{count(waiting, 'job')} in the queue" if waiting else "Queue empty"


def _link(artifact: ArtifactRecord) -> Mapping[str, str]:
    blob = artifact.blob
    suffix = blob[blob.index(".") :] if "." in blob else ""
    return {"id": artifact.id, "name": artifact.name, "title": artifact.title, "suffix": suffix}


def _cell(value: Measured, column: Measure) -> str:
    if isinstance(value, tuple):
        return " · ".join(number(one, column.digits) for one in value)
    text = number(value, column.digits)
    return f"{text} {column.unit}" if column.unit and text != "–" else text
