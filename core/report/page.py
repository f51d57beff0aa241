"""One job as one HTML file: read anywhere, without a script, a font or a picture from elsewhere."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from core import weights
from core.assets import ASSETS
from core.declaration import Measure, Param, Task, Value
from core.events import Finished
from core.report.citations import PROGRAM, cited
from core.report.labels import title_of
from core.report.slices import figures

TEMPLATES = ASSETS / "report"
UNITS = ("ml", "mm", "dB", "s")
# what differs between two runs of the same job is in run.json alone
TIMES = ("seconds",)


def write_report(
    out: Path,
    task: Task,
    inputs: Mapping[str, Path],
    params: Mapping[str, Value],
    finished: Finished,
    record: Mapping[str, Any],
) -> Path:
    """Write ``report.html`` into ``out`` and return its path.

    inputs: input name -> file; record: the run record. Two runs of the same job write the
    same bytes; no file name of the user is in it.
    """
    page = _template().render(_content(task, inputs, params, finished, record))
    path = out / "report.html"
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(page)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return path


def _content(
    task: Task,
    inputs: Mapping[str, Path],
    params: Mapping[str, Value],
    finished: Finished,
    record: Mapping[str, Any],
) -> dict[str, Any]:
    table = finished.summary.get("table", ())
    columns = _columns(task, table)
    ran = [row["method"] for row in table]
    wide, narrow = figures(task, inputs, finished.files)
    known = {each.name: each for each in task.methods}
    return {
        "task": task,
        "record": record,
        "ran": _ran(task, table, inputs),
        "notices": finished.summary.get("facts", {}).get("notices", ()),
        "wide": wide,
        "narrow": narrow,
        "columns": columns,
        "rows": [_row(row, columns) for row in table],
        "measured": any(row.get("psnr") is not None for row in table),
        "facts": _facts(finished.summary.get("facts", {})),
        "settings": [_setting(param, params[param.name]) for param in task.params],
        "command": command(task, inputs, params, record["device"]),
        "methods": [known[name] for name in ran if name in known],
        "weights": [_weights(name, digest) for name, digest in record["weights"].items()],
        "program": PROGRAM,
        "works": cited(task.name, ran, (column.name for column in columns)),
        "hashes": _hashes(task, record),
    }


def command(task: Task, inputs: Mapping[str, object], params: Mapping[str, Value], device: str) -> str:
    """Return the command line that does the job again; files are named by their role."""
    lines = [f"python -m core run {task.name}"]
    lines += [f"--{entry.name} {entry.name}.nii.gz" for entry in task.inputs if entry.name in inputs]
    lines += [option for param in task.params for option in _options(param, params[param.name])]
    lines += [f"--device {shlex.quote(device)}", "--out OUT"]
    return " \\\n  ".join(lines)


def _options(param: Param, value: Value) -> list[str]:
    if isinstance(value, bool):
        return [f"--{'' if value else 'no-'}{param.name}"]
    if value == ():
        return []
    if isinstance(value, tuple) and param.kind == "several":
        return [f"--{param.name} {shlex.quote(','.join(map(str, value)))}"]
    if isinstance(value, tuple):
        return [f"--{param.name} {' '.join(f'{number:g}' for number in value)}"]
    return [f"--{param.name} {shlex.quote(str(value))}"]


def _ran(task: Task, table: Iterable[Mapping[str, Any]], inputs: Mapping[str, Path]) -> str:
    titles = [str(row.get("title", row["method"])) for row in table]
    given = ", ".join(title_of(task, name) for name in inputs)
    said = f"Given: {given}. " if given else ""
    if not titles:
        return said.strip()
    beside = f"; beside it, for comparison: {', '.join(titles[1:])}" if titles[1:] else ""
    return f"{said}Method: {titles[0]}{beside}."


def _columns(task: Task, table: Iterable[Mapping[str, Any]]) -> list[Measure]:
    rows = list(table)
    return [one for one in task.measures if one.name not in TIMES and any(_known(row.get(one.name)) for row in rows)]


def _known(value: object) -> bool:
    return any(part is not None for part in value) if isinstance(value, list | tuple) else value is not None


def _row(row: Mapping[str, Any], columns: Iterable[Measure]) -> dict[str, Any]:
    return {"title": row.get("title", row["method"]), "cells": [_cell(row.get(one.name), one) for one in columns]}


def _cell(value: object, column: Measure) -> str:
    if isinstance(value, list | tuple):
        return " · ".join(_cell(part, column) for part in value)
    return f"{value:.{column.digits}f}" if isinstance(value, int | float) else "–"


def _facts(facts: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return sentences, and named values with the unit that their name ends with."""
    said = {name: value for name, value in facts.items() if name != "notices" and not isinstance(value, Mapping)}
    sentences = [value for value in said.values() if _is_sentence(value)]
    pairs = [(_spoken(name), _value(value), _unit(name)) for name, value in said.items() if not _is_sentence(value)]
    return {"sentences": sentences, "values": [(name, value + unit) for name, value, unit in pairs if value]}


def _is_sentence(value: object) -> bool:
    return isinstance(value, str) and value.endswith((".", "!", "?"))


def _spoken(name: str) -> str:
    words = [word for word in name.split("_") if word]
    if words[-1] in UNITS and len(words) > 1:
        words.pop()
    return " ".join(words).capitalize()


def _unit(name: str) -> str:
    last = name.split("_")[-1]
    return f" {last}" if last in UNITS else ""


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        between = " × " if all(isinstance(part, int | float) for part in value) else ", "
        return between.join(_value(part) for part in value)
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _setting(param: Param, value: Value) -> dict[str, str]:
    said = _value(value) or "left to the program"
    return {"title": param.title, "value": f"{said} {param.unit}".strip() if value != () else said, "help": param.help}


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


def _hashes(task: Task, record: Mapping[str, Any]) -> list[dict[str, Any]]:
    given = [(f"Input: {title_of(task, name)}", identity) for name, identity in record["inputs"].items()]
    made = [(title_of(task, name), identity) for name, identity in record["outputs"].items()]
    return [
        {"title": title, "bytes": f"{identity['bytes']:,}", "sha256": identity["sha256"]}
        for title, identity in (*given, *made)
    ]


@cache
def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("report.html")
