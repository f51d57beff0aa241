"""Scans of a batch by the names of files alone, where no table lists them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core.batch.scan_list import ENDS, Scan, names_apart
from core.declaration import Task
from core.errors import UserError
from core.plurals import count

# of the kinds of files, those that are a scan each
WHOLE = tuple(end for end in ENDS if not end.startswith((".dcm", ".zip", ".npz", ".csv", ".mat", ".hdr", ".tif")))


@dataclass(frozen=True)
class Grouped:
    """Scans, and sentences about files that are left out."""

    scans: tuple[Scan, ...]
    left_out: tuple[str, ...]


def group_files(root: Path, names: Iterable[str], task: Task) -> Grouped:
    """Return the scans that the files ``names`` below ``root`` are.

    ``ANY/t1.nii.gz`` is input t1 of the scan ANY, ``ANY_t1.nii.gz`` too; a file that ends with no name of an input is
    the task's first. UserError manifest_wrong where nothing is left, or one place is taken twice.
    """
    inputs = [entry.name for entry in task.inputs]
    found: dict[str, dict[str, str]] = {}
    others = 0
    for name in sorted(names):
        end = next((end for end in WHOLE if name.lower().endswith(end)), "")
        if not end:
            others += 1
            continue
        place, given = _place(PurePosixPath(name[: len(name) - len(end)]), inputs)
        taken = found.setdefault(place, {})
        if given in taken:
            raise _wrong(f"Two files are {given} of {place}.")
        taken[given] = str(root / name)
    whole = {place: given for place, given in found.items() if all(one.name in given for one in task.required)}
    left_out = [f"{place} lacks {_lacking(task, found[place])}." for place in found.keys() - whole.keys()]
    if others:
        left_out.append(f"{count(others, 'file')} with no name of a scan; DICOM folders need a table.")
    if not whole:
        raise _wrong(min(left_out, default="No scan was found."))
    named = names_apart(list(whole))
    scans = tuple(Scan(title, given) for title, given in zip(named, whole.values(), strict=True))
    return Grouped(scans, tuple(sorted(left_out)))


def _place(path: PurePosixPath, inputs: list[str]) -> tuple[str, str]:
    """Return the scan that a file belongs to, and as which input."""
    parent = path.parent.as_posix()
    if path.name.lower() in inputs and parent != ".":
        return parent, path.name.lower()
    ended = re.fullmatch(r"(.+)[_-]([A-Za-z0-9]+)", path.name)
    if ended and ended[2].lower() in inputs:
        return (path.parent / ended[1]).as_posix(), ended[2].lower()
    return path.as_posix(), inputs[0]


def _lacking(task: Task, given: dict[str, str]) -> str:
    return " and ".join(entry.name for entry in task.required if entry.name not in given)


def _wrong(message: str) -> UserError:
    return UserError(
        "manifest_wrong",
        message,
        "Call files SCAN_INPUT, as anna_t1.nii.gz and anna_mask.nii.gz, or put a table manifest.csv beside them.",
    )
