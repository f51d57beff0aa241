"""The synthetic scans that ship, so that every tab can be tried without data."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core import tasks
from core.assets import ASSETS
from core.errors import UserError
from webapp.intake import scans as intake
from webapp.services import Services

FOLDER = ASSETS / "examples"


@dataclass(frozen=True)
class Example:
    """A synthetic subject for one task: input name -> file."""

    task: str
    name: str
    title: str
    inputs: Mapping[str, Path]


def examples(task: str, folder: Path = FOLDER) -> tuple[Example, ...]:
    """Return the shipped examples of ``task``, none when there is no index."""
    index = folder / "index.json"
    if not index.is_file():
        return ()
    entries = [entry for entry in json.loads(index.read_bytes()) if entry["task"] == task]
    return tuple(
        Example(task, one["name"], one["title"], {name: folder / path for name, path in one["inputs"].items()})
        for one in entries
    )


def accept_example(services: Services, session: str, task: str, name: str, folder: Path = FOLDER) -> dict[str, str]:
    """Record copies of a shipped example for ``session`` and return input name -> id of its scan."""
    example = next((known for known in examples(task, folder) if known.name == name), None)
    if example is None:
        raise UserError("not_found", "There is no such example.", "Choose one of the examples on the page.")
    taken: dict[str, str] = {}
    for entry in tasks.find(task).inputs:
        if entry.name not in example.inputs:
            continue
        copy = Path(shutil.copyfile(example.inputs[entry.name], intake.incoming(services)))
        filename = f"{example.title}, {entry.title} (synthetic)"
        if entry.kind == "mask":
            scan = intake.accept(services, copy, filename, session, "mask", next(iter(taken.values())))
        else:
            scan = intake.accept(services, copy, filename, session, synthetic=True)
        taken[entry.name] = scan.id
    return taken
