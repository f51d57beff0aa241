"""What proves that a scan of a batch is done: of what, and which bytes came out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core import __version__, weights
from core.anatomy import brain_network
from core.batch.scan_list import Scan
from core.declaration import Task, Value
from core.engine.run_record import PROGRAM, identity, write_json
from core.errors import UserError
from core.files.convert import numbered
from core.weights import Entry

STATE = "state.json"


def key_of(task: Task, scan: Scan, params: Mapping[str, Value], deface: bool) -> str:
    """Return the sha256 of what a result follows from: the bytes of its inputs, the task's parameters and networks,
    those that find the brain, and the version of the program. UserError file_missing.

    params: every one of the task, in its type.
    """
    entries, networks = weights.entries(), (*task.weights, *brain_network.WEIGHTS)
    titles = {entry.name: entry.title for entry in task.inputs}
    content = {
        "version": __version__,
        "task": task.name,
        "params": params,
        "deface": deface,
        "inputs": {name: _input(titles[name], path) for name, path in sorted(scan.inputs.items())},
        "weights": {name: _network(entries[name]) for name in networks if name in entries},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _network(entry: Entry) -> list[object]:
    return [entry.sha256, entry.calibration, entry.thick_slices]


def mark_done(folder: Path, key: str, files: Iterable[Path]) -> None:
    """Write into ``folder`` that its ``files`` are the whole result of what ``key`` stands for.

    UserError write_failed.
    """
    try:
        listed = {path.name: asdict(identity(path)) for path in files}
        write_json(folder / STATE, {"program": PROGRAM, "key": key, "files": listed})
    except OSError as error:
        why = error.strerror or "not writable"
        raise UserError("write_failed", f"{STATE} could not be written ({why}).", "Free some space.") from error


def is_done(folder: Path, key: str) -> bool:
    """Return whether ``folder`` holds the whole result of what ``key`` stands for, unchanged since it was written."""
    try:
        state: Any = json.loads((folder / STATE).read_text(encoding="utf-8"))
        listed = state["files"]
        return (
            state["key"] == key and bool(listed) and all(map(_unchanged, map(folder.joinpath, listed), listed.values()))
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        # nothing was written there, or not by this program
        return False


def _unchanged(path: Path, listed: Mapping[str, object]) -> bool:
    return path.stat().st_size == listed["bytes"] and asdict(identity(path)) == listed


def _input(title: str, path: str) -> list[str | int | None]:
    given, number = numbered(Path(path))
    try:
        return [identity(given).sha256, number]
    except OSError as error:
        why = error.strerror or "not readable"
        raise UserError(
            "file_missing",
            f"The file of {title!r} cannot be read: {path} ({why}).",
            "Check its path; in a table it is relative to the folder of the table.",
        ) from error
