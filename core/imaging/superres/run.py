"""One super-resolution job: its cost before it runs; read and check, super-resolve, compare, write."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import device as devices
from core.anatomy.head import Head, find_head
from core.anatomy.intensity import tissue_level
from core.declaration import Context, Estimate, Method
from core.errors import UserError
from core.events import Event, Finished, Progress
from core.files.nifti import Stored, place_notes, read_stored
from core.files.voxel_stream import MAX_BYTES, open_source
from core.imaging import unit_costs as units
from core.imaging.cost import network_cost
from core.imaging.cost import work as voxel_work
from core.imaging.drive import Done, compared, drive, networks, options_of
from core.imaging.one_head import REFERENCE_SECONDS, reference_note
from core.imaging.options import Options
from core.imaging.outcome import notes_of, row_of, write_scan, write_scans
from core.imaging.problem import ThickScan
from core.imaging.reference import consistency, read_reference, scores
from core.imaging.superres.adaptation_cost import adaptation_voxels
from core.imaging.superres.binning import TILING
from core.imaging.superres.consistency import disagreement, sharpness
from core.imaging.superres.geometry import ASSUMED, Geometry, describe_geometry, geometry, in_file_order
from core.imaging.superres.guide import read_guide
from core.imaging.superres.slice_correction import Slices, corrected
from core.imaging.superres.slice_width import slice_width
from core.imaging.superres.task import OURS, TASK
from core.result import (
    BASELINE,
    DIFFERENCE,
    ERROR,
    GAIN,
    RESULT,
    UNCERTAINTY,
    Artifact,
    Finding,
    Note,
    Result,
    Row,
    notes,
    number,
)
from core.volume import Orientation, Volume, orientation_of, ras_affine, slanted_axis, straightened

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

# fractions of the job at which reading, the chosen method and the comparison end
READ, MADE, COMPARED = 0.06, 0.8, 0.97
# a disagreement below this share of bright tissue is that of float32
ROUNDING = 1e-5

# a brain in 4 mm slices, when there is no file to look at
TYPICAL = 160 * 192 * 160
# peak bytes, measured with the job
PROGRAM_BYTES = 250 << 20
TORCH_BYTES = 400 << 20
BYTES_PER_VOXEL = {"plain": 40, "volume": 60, "guide": 12}
# four copies of the network, the optimiser, and what one patch keeps on its way back
ADAPTING_BYTES = 600 << 20
BYTES_PER_TILE_VOXEL = {True: 300, False: 450}


@dataclass(frozen=True, eq=False)
class Case:
    """A checked job. measured: RAS+, as in the file; slices: the same as corrected; scan: what the methods get;
    bright: its bright tissue; head: (X, Y, Z) bool on the fine grid; notes: what was found."""

    measured: Volume
    slices: Slices
    orientation: Orientation
    found: Geometry
    scan: ThickScan
    bright: float
    head: Bool
    truth: Float | None
    notes: tuple[Note, ...]

    def stored(self, data: Float) -> Stored:
        """Return ``data`` (X, Y, Z) of the fine grid in the file's own order of axes, float32."""
        affine = in_file_order(self.found.affine, self.found.shape, self.orientation)
        return Stored(np.asfortranarray(self.orientation.from_ras(data), np.float32), affine)

    def stored_gain(self, gain: Float) -> Stored:
        """Return the ``gain`` (x, y, z) of the measured voxels less 1 in the file's own order of axes, float32."""
        affine = in_file_order(self.measured.affine, self.found.acquisition.coarse, self.orientation)
        return Stored(np.asfortranarray(self.orientation.from_ras(gain - 1), np.float32), affine)


def run(context: Context, inputs: Mapping[str, Path], params: Mapping[str, Any]) -> Iterator[Event]:
    """Super-resolve the scan and write result, uncertainty, difference and one scan per plain method compared.

    Results are float32: rounding to the scan's own type would leave what was measured by half a unit.
    """
    begun = time.monotonic()
    yield Progress(0.0, 0, 1, "Reading")
    case = read_case(inputs, params)
    yield Progress(READ, 1, 1, "Read")
    options = options_of(params, context.device)
    method = TASK.method(params["method"])
    first = yield from drive(method, case.scan, options, READ, MADE)
    artifacts = write_scans(context.out, ((scan, kind, "") for kind, scan in _maps(case, first).items()))
    table = [_row(case, first)]
    found = (*case.notes, Note("info", _agreement(table[0])), *notes_of(first))
    del first
    others = shown_beside(method, params)
    for artifact, row in (yield from _compare(case, others, options, context.out)):
        artifacts.append(artifact)
        table.append(row)
    yield Progress(1.0, 1, 1, "Done")
    yield Finished(
        Result(
            artifacts=tuple(artifacts),
            table=tuple(table),
            notes=found,
            findings=_made(case.found),
            weights=networks([method, *others], params),
            seconds=round(time.monotonic() - begun, 2),
        )
    )


def read_case(inputs: Mapping[str, Path], params: Mapping[str, Any]) -> Case:
    """Read and check the files of a job; raises UserError."""
    stored = read_stored(inputs["image"])
    volume = straightened(stored.to_volume())
    found = geometry(volume.data.shape, volume.affine, params, stored.slices)
    head = find_head(volume)
    fine = Volume(np.zeros(found.shape, np.float32), found.affine)
    near = found.acquisition.enlarge(head.mask.astype(np.float32), 0) > 0.5
    where = near if near.any() else np.ones(found.shape, np.bool_)
    guide, lies = read_guide(inputs["guide"], volume, head, found) if "guide" in inputs else (None, ())
    truth = read_reference(inputs["reference"], fine, where) if "reference" in inputs else None
    of_head = () if truth is None else (reference_note(Volume(truth, fine.affine), volume, head),)
    bright = tissue_level(volume.data)
    slices = corrected(volume, head.mask, bright, found.thickest, params)
    found = _with_width(found, stored, volume, slices, head, params)
    scan = ThickScan(slices.image, found.acquisition, guide, found.target)
    taken = " ".join(line for line in describe_geometry(found) if line not in found.notices)
    others = [place_notes(inputs[name], name.capitalize()) for name in ("guide", "reference") if name in inputs]
    noted = (
        *stored.notes,
        *chain.from_iterable(others),
        *notes("info", (taken,)),
        *slices.notes,
        *lies,
        *of_head,
        *notes("warning", (*found.notices, *_straightened(stored, volume))),
        *notes("warning", _guide_unused(guide, TASK.method(params["method"]))),
    )
    return Case(volume, slices, stored.orientation, found, scan, bright, where, truth, noted)


def _with_width(
    found: Geometry, stored: Stored, volume: Volume, slices: Slices, head: Head, params: Mapping[str, Any]
) -> Geometry:
    """Return ``found`` with the thickness that the slices themselves show, where nothing else states one."""
    if found.source != ASSUMED:
        return found
    # evened out, but with their noise: without it they would seem blurred in their plane
    even = volume.data if slices.gain is None else np.asarray(volume.data / slices.gain.gain, np.float32)
    width = slice_width(Volume(even, volume.affine), head, found.thickest, params["profile"])
    return geometry(volume.data.shape, volume.affine, params, stored.slices, width)


def _straightened(stored: Stored, volume: Volume) -> tuple[str, ...]:
    if slanted_axis(stored.affine) is None:
        return ()
    size = " x ".join(map(str, volume.data.shape))
    return (f"Its slices were shifted back in their planes, linearly, onto an upright grid of {size} voxels.",)


def _guide_unused(guide: Float | None, method: Method) -> tuple[str, ...]:
    if guide is None or not method.cheap:
        return ()
    return (f"{method.title} does not use the guide: choose a method with a network for that.",)


def shown_beside(method: Method, params: Mapping[str, Any]) -> tuple[Method, ...]:
    """Return the methods that are run beside ``method``: the nearest slice, which only shows the input again, only if
    it is chosen by name."""
    others = compared(TASK, method, params)
    return tuple(other for other in others if other.name != "nearest" or other.name in params["beside"])


def _compare(
    case: Case,
    others: Sequence[Method],
    options: Options,
    out: Path,
) -> Generator[Progress, None, list[tuple[Artifact, Row]]]:
    """Run ``others``; each is written before the next is made, so that one volume is held at a time."""
    made = []
    for index, method in enumerate(others):
        low, high = (MADE + (COMPARED - MADE) * part / len(others) for part in (index, index + 1))
        done = yield from drive(method, case.scan, options, low, high)
        made.append((write_scan(out, case.stored(done.estimate.values), BASELINE, method.name), _row(case, done)))
    return made


def _maps(case: Case, chosen: Done) -> dict[str, Stored]:
    """Return the result and its maps, kind -> scan on the fine grid."""
    values, deviation = chosen.estimate.values, chosen.estimate.deviation
    spread = np.zeros(values.shape, np.float32) if deviation is None else np.where(case.head, deviation, np.float32(0))
    scans = {
        RESULT: case.stored(values),
        UNCERTAINTY: case.stored(spread),
        DIFFERENCE: case.stored(values - case.scan.acquisition.enlarge(case.scan.image, 1)),
    }
    if case.slices.gain is not None:
        scans[GAIN] = case.stored_gain(case.slices.gain.gain)
    if case.truth is not None:
        scans[ERROR] = case.stored(np.where(case.head, values - case.truth, np.float32(0)))
    return scans


def _row(case: Case, done: Done) -> Row:
    """Return one line of the result table: agreement with the slices, sharpness, distance from the truth."""
    values, sampled = done.estimate.values, case.scan.acquisition
    typical, largest = disagreement(values, sampled, case.scan.image, case.bright)
    departure = {}
    if case.slices.changed:
        departure["departure"] = number(disagreement(values, sampled, case.measured.data, case.bright)[0])
    return row_of(
        done,
        {
            **({} if case.truth is None else scores(values, case.truth, case.head)),
            "residual": number(typical),
            "residual_max": number(largest),
            **departure,
            "sharpness": number(sharpness(values, case.found.refined, case.head, case.found.target)),
            "consistency": consistency(values, case.truth, case.head, case.found.target),
        },
    )


def _agreement(row: Row) -> str:
    """Return in a sentence how nearly the result, sampled as the scan was, is the scan as corrected."""
    typical, largest, departure = (row.number(name) or 0.0 for name in ("residual", "residual_max", "departure"))
    exact = largest < ROUNDING
    apart = "to rounding" if exact else f"within {100 * largest:.2g}% of bright tissue, {100 * typical:.2g}% RMS"
    if not row.measured("departure"):
        return f"Sampled as the scan was, the result gives the measured voxels back {apart}."
    return (
        f"Sampled as the scan was, the result gives the slices as corrected back {apart}; it departs from those "
        f"measured by {100 * departure:.2g}% of bright tissue, RMS."
    )


def _made(found: Geometry) -> tuple[Finding, ...]:
    """Return the grid of the scan and that of the result, along X, Y and Z (RAS+)."""
    return (
        Finding("measured_voxels", "Voxels measured", found.acquisition.coarse),
        Finding("measured_spacing", "Spacing measured", _rounded(found.measured), "mm"),
        Finding("thickness", "Thickness taken", _rounded(found.thickness), "mm"),
        Finding("voxels", "Voxels made", found.shape),
        Finding("spacing", "Spacing made", _rounded(found.target), "mm"),
    )


def _rounded(sizes: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(size, 4) for size in sizes)


@dataclass(frozen=True)
class Size:
    """Voxels of the scan and of the result."""

    measured: int
    made: int


def estimate(inputs: Mapping[str, Path], params: Mapping[str, Any], device: str) -> Estimate:
    """Return seconds, peak bytes and network calls of a job; for a typical one without readable inputs."""
    try:
        size = _measure(inputs["image"], params)
    except (KeyError, UserError):
        # the run itself refuses a file that cannot be read
        size = Size(TYPICAL // 4, TYPICAL)
    method = TASK.method(params["method"])
    made = (method, *shown_beside(method, params))
    each = sum(units.SUPERRES_SPLINE if one.cheap else units.SUPERRES_NETWORK for one in made)
    seconds = units.SUPERRES_START + size.made * (units.SUPERRES_MADE + each)
    seconds += REFERENCE_SECONDS * ("reference" in inputs)
    memory = PROGRAM_BYTES + size.made * BYTES_PER_VOXEL["plain"]
    costs = [network_cost(one, params, round(size.made ** (1 / 3))) for one in made if not one.cheap]
    if costs:
        memory += TORCH_BYTES
        guided = "guide" in inputs
        half = device == "cpu" and devices.fast_bfloat16()
        work = size.made * sum(one.work for one in costs)
        if params["adapt"] and OURS in made:
            work += (size.made + adaptation_voxels(params["adapt"])) * voxel_work(OURS.weights)
            memory += ADAPTING_BYTES
        seconds += units.network_seconds(work, device, half=True)
        memory += size.made * (BYTES_PER_VOXEL["volume"] - BYTES_PER_VOXEL["plain"])
        memory += min(size.made, TILING.side**3) * BYTES_PER_TILE_VOXEL[half]
        if guided:
            seconds += units.GUIDE + size.made * units.GUIDE_MADE
            memory += size.made * BYTES_PER_VOXEL["guide"]
    return Estimate(round(seconds, 1), int(memory), costs[0].calls if method.weights else 0)


def _measure(image: Path, params: Mapping[str, Any]) -> Size:
    """Read the scan's header."""
    header = open_source(image, max_bytes=MAX_BYTES, free_bytes=MAX_BYTES).header
    shape = [header.shape[axis] for axis in orientation_of(header.affine).axes]
    found = geometry(shape, ras_affine(header.affine, header.shape), params)
    return Size(int(np.prod(header.shape)), int(np.prod(found.shape)))
