"""A batch as one page: a thumbnail of each scan, its measures, and what went wrong."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from urllib.parse import quote

from core import __version__
from core.batch.batch_tables import FAILED, SUMMARY, Line, columns_of
from core.batch.run import Batch
from core.declaration import Task
from core.report.writing import render

PAGE = "overview.html"


def write_overview(batch: Batch, lines: Sequence[Line]) -> None:
    """Write ``overview.html`` into the folder of the batch; it refers to the pictures and reports in those of the
    scans, which stay beside it."""
    columns = columns_of(lines, batch.task)
    counts = Counter(line.state for line in lines)
    page = render(
        "batch.html",
        {
            "task": batch.task,
            "version": __version__,
            "summary": SUMMARY,
            "failures": FAILED if counts["failed"] else "",
            "counts": counts,
            "titles": [_title(batch.task, name) for name in columns],
            "rows": [
                {
                    "line": line,
                    "address": quote(line.folder),
                    "cells": [_cell(batch.task, name, line.values.get(name)) for name in columns],
                }
                for line in lines
            ],
        },
    )
    path = batch.out / PAGE
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(page)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _title(task: Task, name: str) -> tuple[str, str]:
    """Return the title of a column and what it means."""
    for measure in task.measures:
        unit = f", {measure.unit}" if measure.unit else ""
        if name == measure.name:
            return measure.title + unit, measure.help
        if name.rpartition("_")[0] == measure.name:
            return f"{measure.title.split(' X')[0]} {name[-1].upper()}{unit}", measure.help
    # findings end with their unit
    return name.replace("_ml", ", ml").replace("_", " ").capitalize(), ""


def _cell(task: Task, name: str, value: object) -> str:
    if value is None:
        return "–"
    digits = next((each.digits for each in task.measures if name in (each.name, *_axes(each.name))), None)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:.4g}" if digits is None else f"{value:.{digits}f}"


def _axes(name: str) -> tuple[str, ...]:
    return tuple(f"{name}_{axis}" for axis in "xyz")
