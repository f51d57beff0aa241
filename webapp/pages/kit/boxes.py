"""HTML pieces of the page; every value from outside passes ``safe``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from core.declaration import Measure, Task
from core.errors import UserError
from core.result import BASELINE, DIFFERENCE, ERROR, REPORT, RESULT, RUN, UNCERTAINTY, Measured, Result, Row
from webapp.pages.kit.text import ago, number, safe, seconds, times
from webapp.store.records import ArtifactRecord, JobRecord, ScanRecord

STATES = {
    "queued": "Waiting",
    "running": "Running",
    "done": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
}
TISSUE_FACTS = ("Holds", "Size", "Bands", "Classes", "Groups")
ORDER = (REPORT, RESULT, UNCERTAINTY, DIFFERENCE, ERROR, RUN)
UNKNOWN_TRUTH = "There is no truth to compare with: these measures look at the result itself."


def step(index: int, title: str, note: str = "") -> str:
    """Return the heading of a numbered step."""
    small = f'<span class="cs-step-note">{safe(note)}</span>' if note else ""
    return (
        f'<h2 class="cs-step"><span class="cs-step-number" aria-hidden="true">{index}</span>{safe(title)}{small}</h2>'
    )


def problem(error: UserError) -> str:
    """Return a calm box that says what is wrong and what to do."""
    return (
        f'<div class="cs-problem" role="alert"><p>{safe(error.message)}</p>'
        f'<p class="cs-hint">{safe(error.hint)}</p><code>{safe(error.code)}</code></div>'
    )


def notes(lines: Iterable[str]) -> str:
    """Return warnings as a list, nothing when there are none."""
    items = "".join(f"<li>{safe(line)}</li>" for line in lines)
    return f'<ul class="cs-notes">{items}</ul>' if items else ""


def facts(scan: ScanRecord) -> str:
    """Return what was read from a scan's file."""
    rows = {
        "Size": f"{times(scan.shape, 0)} voxels",
        "Spacing": f"{times(scan.spacing)} mm",
        "Orientation": scan.orientation,
    }
    assumed = str(scan.facts.get("head", ""))
    return (
        f'<div class="cs-card"><p class="cs-file" title="File name">{safe(scan.filename)}</p>{_rows(rows)}'
        f"{_sentence(assumed)}{notes(scan.warnings)}</div>"
    )


def mask_facts(mask: ScanRecord) -> str:
    """Return what is known of a mask: its name, volume and warnings."""
    volume = mask.facts.get("volume_ml")
    rows = {"Volume": f"{number(volume, 1 if isinstance(volume, float) and volume >= 1 else 2)} ml"}
    link = (
        f'<a class="cs-link cs-small" href="/vol/{safe(mask.token)}/mask.nii.gz" download="mask.nii.gz" '
        'id="mask-download">Download mask</a>'
    )
    name = f'<p class="cs-file">{safe(mask.filename or "Drawn here")}</p>'
    return f'<div class="cs-card">{name}{_rows(rows)}{notes(mask.warnings)}{link}</div>'


def tissue_facts(data: ScanRecord) -> str:
    """Return what was read from a file for the failure lab."""
    rows = {str(key): str(value) for key, value in data.facts.items() if key in TISSUE_FACTS}
    name = f'<p class="cs-file">{safe(data.filename)}</p>'
    return f'<div class="cs-card">{name}{_rows(rows)}{notes(data.warnings)}</div>'


def result_table(task: Task, rows: Sequence[Row]) -> str:
    """Return the measures of the chosen method and of those run beside it, as ``task`` declares them."""
    shown = [column for column in task.measures if any(row.measured(column.name) for row in rows)]
    head = "".join(f'<th scope="col" title="{safe(one.help)}">{safe(one.title)}</th>' for one in shown)
    body = "".join(_method_row(row, shown, first=not index) for index, row in enumerate(rows))
    legend = "".join(f"<dt>{safe(one.title)}</dt><dd>{safe(one.help)}</dd>" for one in shown)
    caption = "Measured against the reference." if any("psnr" in row.values for row in rows) else UNKNOWN_TRUTH
    return (
        '<div class="cs-scroll" tabindex="0" role="region" aria-label="Measures of each method">'
        f'<table class="cs-table"><caption>{caption}</caption>'
        f'<thead><tr><th scope="col">Method</th>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        f'<details class="cs-details"><summary>What the columns mean</summary><dl>{legend}</dl></details>'
    )


def result_notes(result: Result) -> str:
    """Return the warnings of a run as a list, then what it found out and assumed, a paragraph each."""
    return notes(result.texts("warning")) + "".join(_sentence(text) for text in result.texts("info"))


def downloads(job: JobRecord) -> str:
    """Return links to the files of a finished job, those of other methods folded away."""
    main = [one for one in job.artifacts if one.kind != BASELINE]
    main.sort(key=lambda one: ORDER.index(one.kind) if one.kind in ORDER else len(ORDER))
    rest = [one for one in job.artifacts if one.kind == BASELINE]
    folded = f'<details class="cs-details"><summary>Other methods</summary>{_links(rest)}</details>' if rest else ""
    return f'<div class="cs-downloads"><h3>Downloads</h3>{_links(main)}{folded}</div>'


def outcome(job: JobRecord) -> str:
    """Return one line on how a job ended and its notes, or its error."""
    if job.error:
        return problem(UserError(job.error.code, job.error.message, job.error.hint))
    if job.state == "cancelled":
        return '<p class="cs-outcome" role="status">Cancelled. Nothing was kept of this run.</p>'
    if job.state == "done":
        lines = result_notes(job.result)
        return f'<p class="cs-outcome cs-good" role="status">Done in {safe(seconds(job.seconds))}.</p>{lines}'
    return ""


def sessions(jobs: Iterable[tuple[JobRecord, str, str]]) -> str:
    """Return the visitor's jobs, newest first; each is (job, scan's file name, method's title)."""
    rows = "".join(_job_row(*entry) for entry in jobs)
    if not rows:
        return (
            '<div class="cs-invite"><p>No runs yet.</p>'
            "<p>Every run of this browser is kept here and opens again after a reload or a restart.</p></div>"
        )
    head = "".join(f'<th scope="col">{title}</th>' for title in ("Scan", "State", "Time", "<span>Open</span>"))
    return f'<table class="cs-table cs-sessions"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def header(device: str, waiting: int) -> str:
    """Return the device badge and the length of the queue."""
    queue = "Queue empty" if not waiting else f"{waiting} job{'s' if waiting > 1 else ''} in the queue"
    return (
        f'<div class="cs-badges"><span class="cs-pill" title="Where networks run">{safe(device)}</span>'
        f'<span class="cs-pill" role="status">{safe(queue)}</span></div>'
    )


def _job_row(job: JobRecord, filename: str, method: str) -> str:
    took = seconds(job.seconds) if job.seconds is not None else ""
    return (
        f'<tr><td><span class="cs-file">{safe(filename)}</span>'
        f"<small>{safe(method)} · {safe(ago(job.created))}</small></td>"
        f'<td><span class="cs-state cs-{safe(job.state)}">{safe(STATES.get(job.state, job.state))}</span></td>'
        f"<td>{safe(took)}</td>"
        f'<td><a class="cs-link" href="?job={safe(job.id)}" aria-label="Open the run on {safe(filename)}">'
        "Open</a></td></tr>"
    )


def _rows(rows: Mapping[str, str]) -> str:
    items = "".join(f"<div><dt>{safe(key)}</dt><dd>{safe(value)}</dd></div>" for key, value in rows.items())
    return f'<dl class="cs-facts">{items}</dl>'


def _sentence(text: str) -> str:
    return f'<p class="cs-assumed">{safe(text)}</p>' if text else ""


def _links(artifacts: Iterable[ArtifactRecord]) -> str:
    items = "".join(
        f'<li><a class="cs-link" href="/files/{safe(one.id)}" download data-artifact="{safe(one.name)}">'
        f"<span>{safe(one.title)}</span><small>{safe(_suffix(one.blob))}</small></a></li>"
        for one in artifacts
    )
    return f"<ul>{items}</ul>"


def _suffix(blob: str) -> str:
    return blob[blob.index(".") :] if "." in blob else ""


def _method_row(row: Row, columns: Iterable[Measure], first: bool) -> str:
    body = "".join(f"<td>{safe(_cell(row.values.get(column.name), column))}</td>" for column in columns)
    mark = '<span class="cs-chosen">chosen</span>' if first else ""
    return f'<tr class="{"cs-first" if first else ""}"><th scope="row">{safe(row.title)}{mark}</th>{body}</tr>'


def _cell(value: Measured, column: Measure) -> str:
    if isinstance(value, tuple):
        return " · ".join(number(one, column.digits) for one in value)
    text = number(value, column.digits)
    return f"{text} {column.unit}" if column.unit and text != "–" else text
