"""A batch as tables: one line for each scan with its measures, and the scans that failed with the reason."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from core.batch.run import Batch, Outcome
from core.batch.thumbnail import NAME as THUMBNAIL
from core.declaration import Task
from core.engine.run_record import summary_of
from core.errors import UserError
from core.files.nifti_writer import replacing
from core.result import REPORT, RUN, Result

SUMMARY, FAILED = "summary.csv", "failed.csv"
SECONDS = "seconds"
AXES = ("x", "y", "z")
SUMMARY_COLUMNS = ("name", "state", "method")
FAILED_COLUMNS = ("name", "code", "message", "hint")


@dataclass(frozen=True)
class Line:
    """One scan of the summary. values: measure or finding -> number or text; folder: relative to that of the batch, as
    an address; files: which of report and thumbnail there are."""

    name: str
    state: str
    method: str
    values: Mapping[str, object]
    warnings: tuple[str, ...]
    message: str
    folder: str
    files: tuple[str, ...]


def lines_of(batch: Batch, outcomes: Iterable[Outcome]) -> list[Line]:
    """Return what the run records of the scans state, a line for each scan."""
    return [_line(batch, outcome) for outcome in outcomes]


def columns_of(lines: Sequence[Line], task: Task) -> list[str]:
    """Return the names of the values that any line has: those of the task's measures first, in its order."""
    found = dict.fromkeys(name for line in lines for name in line.values)
    order = [column for one in task.measures for column in (one.name, *(f"{one.name}_{axis}" for axis in AXES))]
    return [name for name in order if name in found] + [name for name in found if name not in order]


def write_tables(batch: Batch, outcomes: Sequence[Outcome], lines: Sequence[Line]) -> None:
    """Write ``summary.csv``, and ``failed.csv`` where scans failed, into the folder of the batch."""
    write_whole(batch.out / SUMMARY, summary_text(batch.task, lines))
    failed = [(each.scan.name, *each.error.args) for each in outcomes if each.error is not None]
    if failed:
        write_whole(batch.out / FAILED, failed_text(failed))
    else:
        # of the batch before this one
        (batch.out / FAILED).unlink(missing_ok=True)


def summary_text(task: Task, lines: Sequence[Line]) -> str:
    """Return the table of all scans as CSV."""
    columns = columns_of(lines, task)
    head = (*SUMMARY_COLUMNS, *columns, "warnings", "message")
    rows = [
        (
            *(line.name, line.state, line.method),
            *(line.values.get(name, "") for name in columns),
            *(" | ".join(line.warnings), line.message),
        )
        for line in lines
    ]
    return _csv([head, *rows])


def failed_text(failed: Iterable[Sequence[object]]) -> str:
    """Return the table of the scans that failed as CSV; failed: name, code, message, hint of each."""
    return _csv([FAILED_COLUMNS, *failed])


def _line(batch: Batch, outcome: Outcome) -> Line:
    name, folder = outcome.scan.name, batch.folder(outcome.scan)
    if outcome.error is not None:
        return failed_line(name, outcome.error)
    record: Any = json.loads((folder / f"{RUN}.json").read_text(encoding="utf-8"))
    files = tuple(file for file in (f"{REPORT}.html", THUMBNAIL) if (folder / file).is_file())
    return _line_of(name, record["summary"], str(record["method"] or ""), record["timing"]["seconds"], files)


def failed_line(name: str, error: UserError) -> Line:
    """Return the line of a scan that failed."""
    return Line(name, "failed", "", {}, (), f"{error}", name, ())


def done_line(name: str, result: Result, method: str, seconds: float | None, files: tuple[str, ...]) -> Line:
    """Return the line of a scan that is done; files: which of report and thumbnail there are."""
    return _line_of(name, summary_of(result), method, seconds, files)


def _line_of(name: str, summary: Any, method: str, seconds: float | None, files: tuple[str, ...]) -> Line:
    first: Mapping[str, Any] = summary["table"][0] if summary["table"] else {}
    values = dict(_flat((key, value) for key, value in first.items() if key not in ("method", "title")))
    values |= {SECONDS: seconds}
    values |= dict(_flat(summary["findings"].items()))
    warnings = tuple(note["text"] for note in summary["notes"] if note["level"] == "warning")
    return Line(name, "done", method, values, warnings, "", name, files)


def _flat(values: Iterable[tuple[str, Any]]) -> Iterable[tuple[str, object]]:
    """Yield numbers and texts; of three numbers each by its axis, None as nothing."""
    for name, value in values:
        if (
            isinstance(value, list | tuple)
            and len(value) == len(AXES)
            and all(not isinstance(part, str) for part in value)
        ):
            yield from _flat((f"{name}_{axis}", part) for axis, part in zip(AXES, value, strict=True))
        elif isinstance(value, list | tuple):
            yield name, " ".join(map(str, value))
        elif value is not None and not (isinstance(value, float) and not math.isfinite(value)):
            yield name, value


def _csv(rows: Iterable[Sequence[object]]) -> str:
    text = StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def write_whole(path: Path, text: str) -> None:
    """Write ``text`` into ``path``, durable before the name appears; UserError write_failed, and nothing is left."""
    # the neighbour has a name that no scan and no other command has
    with replacing(path, path.name) as file:
        file.write(text.encode())
