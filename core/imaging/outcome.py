"""What the methods of an imaging job gave, as files, table rows and notes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import __version__
from core import device as devices
from core.files.nifti import Stored, write_stored
from core.imaging.drive import Done
from core.result import VOLUME_SUFFIX, Artifact, Measured, Note, Row, artifact_in

DESCRIPTION = f"synthetic, Counterscan {__version__}"


def write_scan(out: Path, scan: Stored, kind: str, method: str = "") -> Artifact:
    """Write ``scan`` into ``out``, marked synthetic, and return it as the artifact of ``kind`` and ``method``."""
    artifact = artifact_in(out, kind, VOLUME_SUFFIX, method)
    write_stored(Path(artifact.path), replace(scan, values=_narrowed(scan.values)), DESCRIPTION)
    return artifact


def write_scans(out: Path, scans: Iterable[tuple[Stored, str, str]]) -> list[Artifact]:
    """Write scans, each with its kind and method ("" for none), as ``write_scan`` does, several at a time."""
    return devices.side_by_side(lambda each: write_scan(out, *each), scans)


def _narrowed(values: NDArray[Any]) -> NDArray[Any]:
    """Return 64-bit integers, which FreeSurfer and others do not read, in the smallest signed type that holds them."""
    if values.dtype.kind not in "iu" or values.dtype.itemsize < 8:
        return values
    low, high = int(values.min()), int(values.max())
    fitting = (kind for kind in (np.int16, np.int32) if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)
    return values.astype(next(fitting, values.dtype), copy=False)


def row_of(done: Done, measures: Mapping[str, Measured]) -> Row:
    """Return the line of the result table for ``done``: what it cost, and ``measures``."""
    cost = {"seconds": round(done.seconds, 2), "calls": done.estimate.calls}
    return Row(done.method.name, done.method.title, {**cost, **measures})


def notes_of(done: Done) -> tuple[Note, ...]:
    """Return what a reader must know of ``done``: that it has no uncertainty, and what the method itself noted."""
    found = []
    if done.estimate.notice:
        found.append(Note("warning", done.estimate.notice))
    if done.estimate.remark:
        found.append(Note("info", done.estimate.remark))
    if done.estimate.deviation is None:
        found.append(Note("info", f"{done.method.title} does not estimate its own error: the uncertainty map is 0."))
    return tuple(found)
