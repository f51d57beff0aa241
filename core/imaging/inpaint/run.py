"""One inpainting job: its cost before it runs; read and check, fill, compare with the plain methods, write."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core import device as devices
from core.anatomy.head import Head, find_head, with_void
from core.declaration import Context, Estimate, Method
from core.errors import UserError
from core.events import Event, Finished, Progress
from core.files.masks import check_mask, read_mask
from core.files.nifti import Stored, place_notes, read_stored
from core.files.voxel_stream import MAX_BYTES, open_source
from core.imaging import unit_costs as units
from core.imaging.contrast_look import mistaken
from core.imaging.cost import network_cost
from core.imaging.drive import Done, compared, drive, drive_all, networks, options_of
from core.imaging.inpaint.task import TASK
from core.imaging.one_head import REFERENCE_SECONDS, reference_note
from core.imaging.options import MEAN_CALLS
from core.imaging.outcome import notes_of, row_of, write_scans
from core.imaging.problem import Problem
from core.imaging.reference import read_reference, scores
from core.measure import quality
from core.result import BASELINE, DIFFERENCE, ERROR, RESULT, UNCERTAINTY, Finding, Note, Result, Row, notes, number
from core.volume import Volume, bounding_box, spacing

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

# fractions of the job at which reading, the chosen method and the comparison end
READ, FILLED, COMPARED = 0.06, 0.75, 0.92

# one scan of 1 mm with a ball of 40 mm, when there are no files to look at
TYPICAL_SCAN = 256 * 256 * 180
TYPICAL_BALL_MM = 40.0
# the crop of core.imaging.volume_sampler, which works at 1 mm
MARGIN_MM = 16.0
MULTIPLE = 8

# peak bytes, measured with the job
PROGRAM_BYTES = 250 << 20
TORCH_BYTES = 350 << 20
BYTES_PER_SCAN_VOXEL = 40
BYTES_PER_FILLED_VOXEL = 2000
BYTES_PER_CROP_VOXEL = 400


@dataclass(frozen=True, eq=False)
class Case:
    """A checked job: the scan as stored and in RAS+, its head, the mask (X, Y, Z) bool, its volume in ml, and notes on
    what was found."""

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
    placed = place_notes(inputs["reference"], "Reference") if "reference" in inputs else ()
    if truth is not None:
        placed += (reference_note(Volume(truth, case.volume.affine), case.volume, case.head, case.mask),)
    yield Progress(READ, 1, 1, "Read")
    options = options_of(params, context.device)
    method = TASK.method(params["method"])
    first = yield from drive(method, case.problem, options, READ, FILLED)
    others = compared(TASK, method, params)
    rest = yield from drive_all(others, case.problem, options, FILLED, COMPARED)
    yield Progress(COMPARED, 0, 1, "Writing")
    chosen, *plain = devices.side_by_side(lambda done: _filled(case, done), (first, *rest))
    scans = [(scan, kind, "") for kind, scan in _maps(case, chosen, truth).items()]
    scans += [(each.stored, BASELINE, each.done.method.name) for each in plain]
    artifacts = write_scans(context.out, scans)
    around = quality.shell(case.mask, case.head.mask, case.volume.spacing)
    table = devices.side_by_side(lambda filled: _row(case, filled, around, truth), (chosen, *plain))
    yield Progress(1.0, 1, 1, "Done")
    yield Finished(
        Result(
            artifacts=tuple(artifacts),
            table=tuple(table),
            notes=(*case.notes, *placed, *notes_of(first)),
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
    warned = (*notes("warning", checked.notices), *mistaken("t1", volume, head))
    found = (Note("info", head.sentence), *stored.notes, *warned)
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
    spread = np.zeros(case.mask.shape, np.float32) if deviation is None else np.where(case.mask, deviation, 0)
    change = np.where(case.mask, chosen.volume.data - case.volume.data, 0)
    scans = {
        RESULT: chosen.stored,
        UNCERTAINTY: case.stored.like(spread.astype(np.float32)),
        DIFFERENCE: case.stored.like(change.astype(np.float32)),
    }
    if truth is not None:
        error = np.where(case.mask, chosen.volume.data - truth, 0)
        scans[ERROR] = case.stored.like(error.astype(np.float32))
    return scans


def _row(case: Case, filled: Filled, around: Bool, truth: Float | None) -> Row:
    """Return one line of the result table: beside the known tissue ``around`` the mask, and beside the truth, if
    given."""
    result, mask = filled.volume.data, case.mask
    values = result[mask]
    return row_of(
        filled.done,
        {
            **({} if truth is None else scores(result, truth, mask)),
            "texture": number(quality.texture_ratio(result, None, mask, around)),
            "seam": number(quality.seam(result, mask, case.head.mask)),
            "consistency": tuple(number(ratio) for ratio in quality.slice_consistency(result, None, mask, around)),
            "mean": number(float(values.mean())),
            "sd": number(float(values.std())),
        },
    )


@dataclass(frozen=True)
class Size:
    """Voxels of the scan, of the mask, and of the crop a network works on."""

    scan: int
    filled: int
    crop: int


def estimate(inputs: Mapping[str, Path], params: Mapping[str, Any], device: str) -> Estimate:
    """Return seconds, peak bytes and network calls of a job; for a typical one without readable inputs."""
    try:
        size = _measure(inputs["t1"], inputs["mask"], params)
    except (KeyError, UserError):
        # the run itself refuses a file that cannot be read
        size = _typical()
    method = TASK.method(params["method"])
    made = (method, *compared(TASK, method, params))
    seconds = units.INPAINT_START + size.scan * units.INPAINT_SCAN
    seconds += REFERENCE_SECONDS * ("reference" in inputs)
    seconds += sum(units.INPAINT_METHOD.get(one.name, 0.0) for one in made)
    seconds += size.filled * sum(units.INPAINT_FILLED.get(one.name, units.INPAINT_SMOOTH) for one in made)
    memory = PROGRAM_BYTES + size.scan * BYTES_PER_SCAN_VOXEL + size.filled * BYTES_PER_FILLED_VOXEL
    costs = [
        network_cost(one, params, round(size.crop ** (1 / 3)), draws=MEAN_CALLS if _borrows(one, params) else None)
        for one in made
        if not one.cheap
    ]
    seconds += units.INPAINT_BORROWED * sum(_borrows(one, params) for one in made)
    if costs:
        seconds += units.network_seconds(size.crop * sum(one.work for one in costs), device, half=False)
        memory += TORCH_BYTES + size.crop * BYTES_PER_CROP_VOXEL
    return Estimate(round(seconds, 1), memory, costs[0].calls if method.weights else 0)


def _borrows(method: Method, params: Mapping[str, Any]) -> bool:
    """Return whether a fill is our network's mean with tissue from elsewhere in the head."""
    return method.ours and bool(params["mode"] == "realistic")


def _typical() -> Size:
    return Size(TYPICAL_SCAN, int(TYPICAL_BALL_MM**3 * np.pi / 6), _crop((TYPICAL_BALL_MM,) * 3))


def _measure(t1: Path, mask: Path, params: Mapping[str, Any]) -> Size:
    """Read the scan's header and the mask."""
    scan = open_source(t1, max_bytes=MAX_BYTES, free_bytes=MAX_BYTES).header
    voxel_mm = float(np.prod(spacing(scan.affine))) ** (1 / 3)
    marked = read_stored(mask)
    inside = marked.values != 0
    voxels = float(np.prod(scan.shape))
    sizes = zip(bounding_box(inside), spacing(marked.affine), strict=True)
    extent_mm = [(part.stop - part.start) * size for part, size in sizes]
    grown_mm = [side + 2 * float(params["grow"]) for side in extent_mm]
    filled_mm = float(inside.sum() * np.prod(spacing(marked.affine)) * np.prod(grown_mm) / np.prod(extent_mm))
    return Size(int(voxels), int(min(voxels, filled_mm / voxel_mm**3)) + 1, _crop(grown_mm))


def _crop(extent_mm: Sequence[float]) -> int:
    """Return the voxels of the box that holds ``extent_mm`` and the margin, each side a multiple of ``MULTIPLE``."""
    return int(np.prod([np.ceil((side + 2 * MARGIN_MM) / MULTIPLE) * MULTIPLE for side in extent_mm]))
