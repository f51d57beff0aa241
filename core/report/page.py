"""One job as one HTML file: read anywhere, without a script, a font or a picture from elsewhere."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from core import weights
from core.declaration import Measure, Param, Task, Value
from core.provenance import Identity, RunRecord
from core.report.citations import PROGRAM, cited
from core.report.drawings import drawings
from core.report.labels import artifact_title, input_title
from core.report.slices import figures
from core.report.writing import option_words, render, write_page
from core.result import VOLUME_SUFFIX, Artifact, Finding, FindingValue, Measured, Result, Row

# what differs between two runs of the same job is in run.json alone
TIMES = ("seconds",)


def write_report(
    out: Path,
    task: Task,
    inputs: Mapping[str, Path],
    params: Mapping[str, Value],
    result: Result,
    record: RunRecord,
) -> Artifact:
    """Write ``report.html`` into ``out`` and return it.

    inputs: input name -> file. Two runs of the same job write the same bytes; no file name of the user is in it.
    """
    return write_page(out, render("report.html", _content(task, inputs, params, result, record)))


def _content(
    task: Task,
    inputs: Mapping[str, Path],
    params: Mapping[str, Value],
    result: Result,
    record: RunRecord,
) -> dict[str, object]:
    table = result.table
    columns = _columns(task, table)
    ran = [row.method for row in table]
    wide, narrow = figures(task, inputs, result.artifacts)
    known = {each.name: each for each in task.methods}
    return {
        "task": task,
        "record": record,
        "ran": _ran(task, table, inputs),
        "warnings": result.texts("warning"),
        "wide": wide,
        "narrow": narrow,
        "drawn": drawings(task, result.artifacts),
        "verdicts": result.verdicts,
        "compared": bool(task.methods),
        "columns": columns,
        "rows": [_row(row, columns) for row in table],
        "measured": any(row.measured("psnr") for row in table),
        "infos": result.texts("info"),
        "findings": [_finding(finding) for finding in result.findings],
        "settings": [_setting(param, params[param.name]) for param in task.params],
        "command": command(task, inputs, params, record.device),
        "methods": [known[name] for name in ran if name in known],
        "weights": [_weights(name, digest) for name, digest in record.weights.items()],
        "program": PROGRAM,
        "works": cited(task.name, ran, (column.name for column in columns)),
        "hashes": _hashes(task, result, record),
    }


def command(task: Task, inputs: Mapping[str, object], params: Mapping[str, Value], device: str) -> str:
    """Return the command line that does the job again; files are named by their role."""
    lines = [f"counterscan run {task.name}"]
    given = [entry for entry in task.inputs if entry.name in inputs]
    lines += [f"--{entry.name} {entry.name}{'' if entry.kind == 'tissue' else VOLUME_SUFFIX}" for entry in given]
    lines += [option for param in task.params for option in option_words(param, params[param.name])]
    lines += [f"--device {shlex.quote(device)}", "--out OUT"]
    return " \\\n  ".join(lines)


def _ran(task: Task, table: Iterable[Row], inputs: Mapping[str, Path]) -> str:
    titles = [row.title for row in table]
    given = ", ".join(input_title(task, name) for name in inputs)
    start = f"Given: {given}. " if given else ""
    if not titles or not task.methods:
        return start.strip()
    beside = f"; beside it, for comparison: {', '.join(titles[1:])}" if titles[1:] else ""
    return f"{start}Method: {titles[0]}{beside}."


def _columns(task: Task, table: Sequence[Row]) -> list[Measure]:
    return [one for one in task.measures if one.name not in TIMES and any(row.measured(one.name) for row in table)]


def _row(row: Row, columns: Iterable[Measure]) -> dict[str, object]:
    return {"title": row.title, "cells": [_cell(row.values.get(one.name), one) for one in columns]}


def _cell(value: Measured, column: Measure) -> str:
    if isinstance(value, tuple):
        return " · ".join(_cell(part, column) for part in value)
    return f"{value:.{column.digits}f}" if isinstance(value, int | float) else "–"


def _finding(finding: Finding) -> tuple[str, str]:
    """Return the title and the value with its unit."""
    return finding.title, f"{_value(finding.value)} {finding.unit}".strip()


def _value(value: Value | FindingValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        between = " × " if all(isinstance(part, int | float) for part in value) else ", "
        return between.join(_value(part) for part in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _setting(param: Param, value: Value) -> dict[str, str]:
    text = _value(value) or "left to the program"
    return {"title": param.title, "value": f"{text} {param.unit}".strip() if value != () else text, "help": param.help}


def _weights(name: str, digest: str) -> dict[str, Any]:
    entry = weights.entries().get(name)
    if entry is None:
        return {"name": name, "sha256": digest, "architecture": "-", "parameters": "-", "known": False}
    return {
        "name": name,
        "sha256": digest,
        "architecture": entry.architecture,
        "parameters": f"{entry.parameters:,}",
        "data": entry.data,
        "licence": entry.licence,
        "known": True,
    }


def _hashes(task: Task, result: Result, record: RunRecord) -> list[dict[str, str]]:
    given = [(f"Input: {input_title(task, name)}", identity) for name, identity in record.inputs.items()]
    made = [(artifact_title(task, artifact), record.outputs[artifact.name]) for artifact in result.artifacts]
    return [_hash(title, identity) for title, identity in (*given, *made)]


def _hash(title: str, identity: Identity) -> dict[str, str]:
    return {"title": title, "bytes": f"{identity.bytes:,}", "sha256": identity.sha256}
