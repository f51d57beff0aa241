"""A batch as one page: a thumbnail of each scan, its measures, and what went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from core import __version__
from core.batch.batch_tables import (
    FAILED,
    FAILED_COLUMNS,
    SUMMARY,
    SUMMARY_COLUMNS,
    Line,
    columns_of,
    write_whole,
)
from core.batch.run import Batch
from core.declaration import Task
from core.errors import UserError
from core.report.writing import render

PAGE = "overview.html"
# what the page is known by: the end of the title, within the first bytes
TITLE_END, HEAD_BYTES = "Counterscan batch</title>", 1000


def write_overview(batch: Batch, lines: Sequence[Line]) -> None:
    """Write ``overview.html`` into the folder of the batch; it refers to the pictures and reports in those of the
    scans, which stay beside it."""
    write_whole(batch.out / PAGE, overview_text(batch.task, lines))


def overview_text(task: Task, lines: Sequence[Line]) -> str:
    """Return the page of these scans as HTML; it refers to pictures and reports in a folder for each scan beside it."""
    columns = columns_of(lines, task)
    counts = Counter(line.state for line in lines)
    return render(
        "batch.html",
        {
            "task": task,
            "version": __version__,
            "summary": SUMMARY,
            "failures": FAILED if counts["failed"] else "",
            "counts": counts,
            "titles": [title_of(task, name) for name in columns],
            "rows": [
                {
                    "line": line,
                    "address": quote(line.folder),
                    "cells": [cell_of(task, name, line.values.get(name)) for name in columns],
                }
                for line in lines
            ],
        },
    )


def require_free(out: Path, table: Path) -> None:
    """Refuse a batch that would replace or remove a file in ``out`` that no batch wrote, or its own ``table`` of scans.

    UserError write_failed, input_in_out.
    """
    marks = {SUMMARY: ",".join(SUMMARY_COLUMNS), FAILED: ",".join(FAILED_COLUMNS), PAGE: TITLE_END}
    for name, mark in marks.items():
        path = out / name
        if not path.exists():
            continue
        if path.samefile(table):
            raise UserError(
                "input_in_out",
                f"The batch would replace its own table of scans, {name}.",
                "Give another output folder.",
            )
        if not _has(path, mark):
            raise UserError(
                "write_failed",
                f"{name} is in the way, and no batch wrote it.",
                "Give another output folder, or move it.",
            )


def _has(path: Path, mark: str) -> bool:
    try:
        with path.open("rb") as file:
            return mark.encode() in file.read(HEAD_BYTES)
    except OSError:
        # a folder, or what cannot be read
        return False


def title_of(task: Task, name: str) -> tuple[str, str]:
    """Return the title of a column and what it means."""
    for measure in task.measures:
        unit = f", {measure.unit}" if measure.unit else ""
        if name == measure.name:
            return measure.title + unit, measure.help
        if name.rpartition("_")[0] == measure.name:
            return f"{measure.title.split(' X')[0]} {name[-1].upper()}{unit}", measure.help
    # findings end with their unit
    return name.replace("_ml", ", ml").replace("_", " ").capitalize(), ""


def cell_of(task: Task, name: str, value: object) -> str:
    """Return a value of a line as the page shows it."""
    if value is None:
        return "–"
    digits = next((each.digits for each in task.measures if name in (each.name, *_axes(each.name))), None)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:.4g}" if digits is None else f"{value:.{digits}f}"


def _axes(name: str) -> tuple[str, ...]:
    return tuple(f"{name}_{axis}" for axis in "xyz")
