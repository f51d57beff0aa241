"""One inpainting job: read and check, fill, compare with the plain methods, write."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core import __version__, quality
from core.events import Event, Finished, Progress
from core.files.mask import check_mask, read_mask
from core.files.nifti import Stored, read_stored, write_stored
from core.head import Head, find_head, with_void
from core.methods import Method, find, of_task
from core.methods.base import Estimate, Options, Problem
from core.tasks.base import Context
from core.volume import Volume, bounding_box

Bool = NDArray[np.bool_]

DESCRIPTION = f"synthetic, Counterscan {__version__}"
# fractions of the job at which reading, the chosen method and the comparison end
READ, FILLED, COMPARED = 0.06, 0.75, 0.92


@dataclass(frozen=True, eq=False)
class Case:
    """A checked job: the scan as stored and in RAS+, its head, the mask (X, Y, Z) and what was noticed."""

    stored: Stored
    volume: Volume
    head: Head
    mask: Bool
    problem: Problem
    facts: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Filled:
    """A method's fill, the scan with it in RAS+ and as stored, and the seconds it took."""

    method: Method
    fill: Estimate
    stored: Stored
    volume: Volume
    seconds: float


def run(context: Context, inputs: Mapping[str, Path], params: Mapping[str, Any]) -> Iterator[Event]:
    """Fill the mask and write result, uncertainty, difference and one scan per plain method compared."""
    begun = time.monotonic()
    yield Progress(0.0, 0, 1, "Reading")
    case = read_case(inputs["t1"], inputs["mask"], params["grow"])
    yield Progress(READ, 1, 1, "Read")
    options = Options(params["mode"], params["steps"], params["samples"], params["seed"], context.device)
    chosen = yield from _fill(case, find(params["method"], "inpaint"), options, READ, FILLED)
    plain = [method for method in of_task("inpaint") if method.cheap and method is not chosen.method]
    others = plain if params["compare"] else []
    compared = []
    for index, method in enumerate(others):
        low, high = (FILLED + (COMPARED - FILLED) * part / len(others) for part in (index, index + 1))
        compared.append((yield from _fill(case, method, options, low, high)))
    yield Progress(COMPARED, 0, 1, "Writing")
    files = _write(context.out, case, chosen, compared)
    table = [_row(case, filled) for filled in (chosen, *compared)]
    yield Progress(1.0, 1, 1, "Done")
    yield Finished(files, _summary(case, chosen, table, time.monotonic() - begun))


def read_case(t1: Path, mask: Path, grow_mm: float = 0.0) -> Case:
    """Read and check a scan and its mask, the mask widened by ``grow_mm`` within the head; raises UserError."""
    stored = read_stored(t1)
    read = read_mask(mask, stored)
    volume = stored.to_volume()
    head = with_void(find_head(volume), volume, read.data)
    data = grow(read.data, volume.spacing, grow_mm, head.mask)
    checked = check_mask(data, stored, head.mask, read.notices)
    problem = Problem(np.where(data, np.float32(0), volume.data), data, head.mask, volume.spacing)
    facts = {"head": head.sentence, "mask_ml": round(checked.volume_ml, 3), "notices": list(checked.notices)}
    return Case(stored, volume, head, data, problem, facts)


def grow(mask: Bool, spacing: tuple[float, float, float], mm: float, within: Bool) -> Bool:
    """Return ``mask`` (X, Y, Z) and the voxels of ``within`` at most ``mm`` from it."""
    if mm <= 0:
        return mask
    margin = [int(mm / size) + 1 for size in spacing]
    box = bounding_box(mask, (margin[0], margin[1], margin[2]))
    grown = mask.copy()
    grown[box] |= (ndimage.distance_transform_edt(~mask[box], sampling=spacing) <= mm) & within[box]
    return grown


def _fill(case: Case, method: Method, options: Options, low: float, high: float) -> Generator[Progress, None, Filled]:
    """Run one method; its progress becomes the part of the job from ``low`` to ``high``."""
    begun = time.monotonic()
    steps = method.load()(case.problem, options)
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            fill: Estimate = end.value
            break
        yield replace(event, fraction=low + (high - low) * event.fraction)
    stored = case.stored.replace(case.mask, fill.values)
    return Filled(method, fill, stored, stored.to_volume(), time.monotonic() - begun)


def _write(out: Path, case: Case, chosen: Filled, compared: list[Filled]) -> dict[str, str]:
    """Write the job's scans and return output name -> path."""
    deviation = chosen.fill.deviation
    doubt = np.zeros(case.mask.shape, np.float32) if deviation is None else np.where(case.mask, deviation, 0)
    change = np.where(case.mask, chosen.volume.data - case.volume.data, 0)
    scans = {
        "result": chosen.stored,
        "uncertainty": case.stored.like(doubt.astype(np.float32)),
        "difference": case.stored.like(change.astype(np.float32)),
        **{f"baseline-{filled.method.name}": filled.stored for filled in compared},
    }
    files = {}
    for name, scan in scans.items():
        path = out / f"{name}.nii.gz"
        write_stored(path, scan, DESCRIPTION)
        files[name] = str(path)
    return files


def _row(case: Case, filled: Filled) -> dict[str, Any]:
    """Return one line of the result table, measured without a truth: beside the known tissue around the mask."""
    result, mask, head, spacing = filled.volume.data, case.mask, case.head.mask, case.volume.spacing
    values = result[mask]
    return {
        "method": filled.method.name,
        "title": filled.method.title,
        "seconds": round(filled.seconds, 2),
        "calls": filled.fill.calls,
        "texture": _number(quality.texture_ratio(result, None, mask, head, spacing)),
        "consistency": [_number(ratio) for ratio in quality.slice_consistency(result, None, mask, head, spacing)],
        "seam": _number(quality.seam(result, mask, head)),
        "mean": _number(float(values.mean())),
        "sd": _number(float(values.std())),
    }


def _number(value: float) -> float | None:
    """Return ``value`` to four digits, None where nothing could be measured."""
    return float(f"{value:.4g}") if math.isfinite(value) else None


def _summary(case: Case, chosen: Filled, table: list[dict[str, Any]], seconds: float) -> dict[str, Any]:
    facts = dict(case.facts)
    if chosen.fill.deviation is None:
        facts["uncertainty"] = f"{chosen.method.title} has no measure of doubt: the uncertainty map is 0."
    return {
        "facts": facts,
        "table": table,
        "weights": [chosen.method.weights] if chosen.method.weights else [],
        "seconds": round(seconds, 2),
    }
