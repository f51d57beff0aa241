"""One inpainting job: read and check, fill, compare with the plain methods, write."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.anatomy.head import Head, find_head, with_void
from core.declaration import Context
from core.events import Event, Finished, Progress
from core.files.masks import check_mask, read_mask
from core.files.nifti import Stored, read_stored
from core.imaging.drive import (
    Done,
    compared,
    drive,
    drive_all,
    networks,
    notes_of,
    options_of,
    row_of,
    write_scan,
)
from core.imaging.inpaint.task import TASK
from core.imaging.problem import Problem
from core.imaging.reference import read_reference, scores
from core.measure import quality
from core.result import BASELINE, DIFFERENCE, ERROR, RESULT, UNCERTAINTY, Finding, Note, Result, Row, notes, number
from core.volume import Volume, bounding_box

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

# fractions of the job at which reading, the chosen method and the comparison end
READ, FILLED, COMPARED = 0.06, 0.75, 0.92


@dataclass(frozen=True, eq=False)
class Case:
    """A checked job: the scan as stored and in RAS+, its head, the mask (X, Y, Z), its volume in ml and what was
    noticed."""

    stored: Stored
    volume: Volume
    head: Head
    mask: Bool
    problem: Problem
    mask_ml: float
    notes: tuple[Note, ...]


@dataclass(frozen=True, eq=False)
class Filled:
    """A method's fill, and the scan with it in RAS+ and as stored."""

    done: Done
    stored: Stored
    volume: Volume


def run(context: Context, inputs: Mapping[str, Path], params: Mapping[str, Any]) -> Iterator[Event]:
    """Fill the mask and write result, uncertainty, difference and one scan per plain method compared."""
    begun = time.monotonic()
    yield Progress(0.0, 0, 1, "Reading")
    case = read_case(inputs["t1"], inputs["mask"], params["grow"])
    truth = read_reference(inputs["reference"], case.volume, case.mask) if "reference" in inputs else None
    yield Progress(READ, 1, 1, "Read")
    options = options_of(params, context.device)
    method = TASK.method(params["method"])
    first = yield from drive(method, case.problem, options, READ, FILLED)
    others = compared(TASK, method, params)
    rest = yield from drive_all(others, case.problem, options, FILLED, COMPARED)
    yield Progress(COMPARED, 0, 1, "Writing")
    chosen, *plain = (_filled(case, done) for done in (first, *rest))
    artifacts = [write_scan(context.out, scan, kind) for kind, scan in _maps(case, chosen, truth).items()]
    artifacts += [write_scan(context.out, each.stored, BASELINE, each.done.method.name) for each in plain]
    table = tuple(_row(case, filled, truth) for filled in (chosen, *plain))
    yield Progress(1.0, 1, 1, "Done")
    yield Finished(
        Result(
            artifacts=tuple(artifacts),
            table=table,
            notes=(*case.notes, *notes_of(first)),
            findings=(Finding("mask_ml", "Mask", case.mask_ml, "ml"),),
            weights=networks([method, *others], params),
            seconds=round(time.monotonic() - begun, 2),
        )
    )


def read_case(t1: Path, mask: Path, grow_mm: float = 0.0) -> Case:
    """Read and check a scan and its mask, the mask widened by ``grow_mm`` within the head; raises UserError."""
    stored = read_stored(t1)
    read = read_mask(mask, stored)
    volume = stored.to_volume()
    head = with_void(find_head(volume), volume, read.data)
    data = grow(read.data, volume.spacing, grow_mm, head.mask)
    checked = check_mask(data, stored, head.mask, read.notices)
    problem = Problem(np.where(data, np.float32(0), volume.data), data, head.mask, volume.spacing)
    found = (Note("info", head.sentence), *notes("warning", checked.notices))
    return Case(stored, volume, head, data, problem, round(checked.volume_ml, 3), found)


def grow(mask: Bool, spacing: tuple[float, float, float], mm: float, within: Bool) -> Bool:
    """Return ``mask`` (X, Y, Z) and the voxels of ``within`` at most ``mm`` from it."""
    if mm <= 0:
        return mask
    margin = [int(mm / size) + 1 for size in spacing]
    box = bounding_box(mask, (margin[0], margin[1], margin[2]))
    grown = mask.copy()
    grown[box] |= (ndimage.distance_transform_edt(~mask[box], sampling=spacing) <= mm) & within[box]
    return grown


def _filled(case: Case, done: Done) -> Filled:
    stored = case.stored.replace(case.mask, done.estimate.values)
    return Filled(done, stored, stored.to_volume())


def _maps(case: Case, chosen: Filled, truth: Float | None) -> dict[str, Stored]:
    """Return the result and its maps, kind -> scan on the grid of the input."""
    deviation = chosen.done.estimate.deviation
    doubt = np.zeros(case.mask.shape, np.float32) if deviation is None else np.where(case.mask, deviation, 0)
    change = np.where(case.mask, chosen.volume.data - case.volume.data, 0)
    scans = {
        RESULT: chosen.stored,
        UNCERTAINTY: case.stored.like(doubt.astype(np.float32)),
        DIFFERENCE: case.stored.like(change.astype(np.float32)),
    }
    if truth is not None:
        error = np.where(case.mask, chosen.volume.data - truth, 0)
        scans[ERROR] = case.stored.like(error.astype(np.float32))
    return scans


def _row(case: Case, filled: Filled, truth: Float | None) -> Row:
    """Return one line of the result table: beside the known tissue around the mask, and beside the truth, if given."""
    result, mask, head, spacing = filled.volume.data, case.mask, case.head.mask, case.volume.spacing
    values = result[mask]
    return row_of(
        filled.done,
        {
            **({} if truth is None else scores(result, truth, mask)),
            "texture": number(quality.texture_ratio(result, None, mask, head, spacing)),
            "seam": number(quality.seam(result, mask, head)),
            "consistency": tuple(
                number(ratio) for ratio in quality.slice_consistency(result, None, mask, head, spacing)
            ),
            "mean": number(float(values.mean())),
            "sd": number(float(values.std())),
        },
    )
