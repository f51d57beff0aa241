"""One translation job: its cost before it runs; read and align, translate, compare with the plain methods, write."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.contrasts import CONTRASTS, TITLES
from core.declaration import Context, Estimate
from core.errors import UserError
from core.events import Event, Finished, Progress, changed
from core.files.nifti import Stored, place_notes
from core.files.voxel_stream import MAX_BYTES, open_source
from core.imaging import unit_costs as units
from core.imaging.cost import network_cost
from core.imaging.drive import Done, compared, drive, drive_all, networks, options_of
from core.imaging.one_head import REFERENCE_SECONDS, reference_note
from core.imaging.outcome import notes_of, row_of, write_scans
from core.imaging.reference import consistency, read_reference, scores
from core.imaging.translate.intensity_scale import ScannerScan, read_scanner
from core.imaging.translate.sources import Gathered, gather
from core.imaging.translate.task import SCANNER, TASK
from core.result import BASELINE, ERROR, RESULT, UNCERTAINTY, Finding, Note, Result, Row, number
from core.volume import Volume, spacing

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

# fractions of the job at which reading, the chosen method and the comparison end
READ, MADE, COMPARED = 0.3, 0.8, 0.92
# what the 99.5th percentile of the target in the brain is stored as
UNIT = 1000.0

# what must be none of the sources, in the words of an error
OTHERS = {SCANNER: "the scan of the same scanner", "reference": "the reference"}

# two scans of 1 mm, when there are no files to look at
TYPICAL = (182 * 218 * 182, 182 * 218 * 182)
# the network works on the box around the brain
LARGEST_BRAIN_ML = 160 * 192 * 160 / 1000

TREES = "translate-trees"
# peak bytes, measured with the job: of the network while the scans are held, or of reading and writing large scans
PROGRAM_BYTES = 600 << 20
BYTES_HELD_PER_SCAN_VOXEL = 30
BYTES_PER_WORK_VOXEL = 450
BYTES_PER_SCAN_VOXEL = 80


@dataclass(frozen=True, eq=False)
class Made:
    """A method's image (X, Y, Z) float32 on the grid of the result, in stored units."""

    done: Done
    values: Float


def run(context: Context, inputs: Mapping[str, Path], params: Mapping[str, Any]) -> Iterator[Event]:
    """Translate and write result, uncertainty, one scan per plain method compared, and the error where it is known."""
    begun = time.monotonic()
    target = params["target"]
    gathered = yield from _gather(inputs, target, params["register"])
    scanner = read_scanner(inputs[SCANNER], target) if SCANNER in inputs else None
    truth = _truth(inputs, gathered)
    placed = place_notes(inputs["reference"], "Reference") if "reference" in inputs else ()
    if truth is not None:
        scan = gathered.grid.volume
        placed += (reference_note(Volume(truth, scan.affine), scan, gathered.grid.head),)
    yield Progress(READ, 1, 1, "Read")
    options = options_of(params, context.device)
    method = TASK.method(params["method"])
    first = yield from drive(method, gathered.sources, options, READ, MADE)
    others = compared(TASK, method, params)
    rest = yield from drive_all(others, gathered.sources, options, MADE, COMPARED)
    yield Progress(COMPARED, 0, 1, "Writing")
    drawing = Drawing(gathered, scanner)
    chosen, *plain = (Made(done, drawing.image(done.estimate.values)) for done in (first, *rest))
    scans = [(scan, kind, "") for kind, scan in _maps(drawing, chosen, truth).items()]
    like = gathered.grid.stored
    scans += [(like.like(each.values), BASELINE, each.done.method.name) for each in plain]
    artifacts = write_scans(context.out, scans)
    table = tuple(_row(drawing, made, truth) for made in (chosen, *plain))
    yield Progress(1.0, 1, 1, "Done")
    yield Finished(
        Result(
            artifacts=tuple(artifacts),
            table=table,
            notes=(*gathered.notes, *placed, *drawing.notes, *notes_of(first)),
            findings=(
                Finding("sources", "Sources", tuple(gathered.sources.images)),
                Finding("target", "Target", target),
            ),
            weights=(*networks([method, *others], params), *drawing.weights),
            seconds=round(time.monotonic() - begun, 2),
        )
    )


def _gather(inputs: Mapping[str, Path], target: str, moving: bool) -> Generator[Progress, None, Gathered]:
    others = {title: inputs[name] for name, title in OTHERS.items() if name in inputs}
    steps = gather(inputs, target, moving, others)
    return changed(steps, lambda event: replace(event, fraction=READ * event.fraction))


def _truth(inputs: Mapping[str, Path], gathered: Gathered) -> Float | None:
    """Return the reference on the grid of the result, where one is given."""
    if "reference" not in inputs:
        return None
    return read_reference(inputs["reference"], gathered.grid.volume, gathered.brain)


def in_units_of(values: Float, truth: Float, brain: Bool) -> Float:
    """Return ``truth`` with the median of ``values`` in the brain, for units are arbitrary; all (X, Y, Z).

    On 11 translations of three subjects this comes to within 0.9 dB of the scale of least squares; to match the 99.5th
    percentiles, as one could, loses up to 10 dB and most for smooth images.
    """
    middle = float(np.median(truth[brain]))
    return truth * np.float32(float(np.median(values[brain])) / middle if middle > 0 else 1.0)


@dataclass(frozen=True, eq=False)
class Drawing:
    """The units of what is written: those of ``scanner`` where a scan of it was given, otherwise arbitrary ones."""

    gathered: Gathered
    scanner: ScannerScan | None

    @property
    def unit(self) -> float:
        """The units of one unit of a method's estimate."""
        return UNIT if self.scanner is None else self.scanner.scale.gain

    @property
    def weights(self) -> tuple[str, ...]:
        """The networks that found the brains of whole heads, each once."""
        scanner = self.scanner.weights if self.scanner is not None else ()
        return tuple(dict.fromkeys((*self.gathered.weights, *scanner)))

    @property
    def notes(self) -> tuple[Note, ...]:
        """What the values mean."""
        if self.scanner is not None:
            return self.scanner.notes
        stands = f"{UNIT:.0f} stands for the 99.5th percentile of a {TITLES[self.gathered.sources.target]} in the brain"
        return (Note("info", f"Values are in arbitrary units: {stands}."),)

    def image(self, values: Float) -> Float:
        """Return an estimate (x, y, z) of the working grid on the grid of the result, (X, Y, Z) float32."""
        if self.scanner is not None:
            return self.gathered.back(self.scanner.scale.drawn(values, self.gathered.sources.brain))
        return self.deviation(values)

    def deviation(self, values: Float) -> Float:
        """Return a standard deviation (x, y, z) of the working grid on the grid of the result, (X, Y, Z) float32."""
        return self.gathered.back(values * np.float32(self.unit))

    def compared(self, values: Float, truth: Float) -> Float:
        """Return ``truth`` in the units of ``values``, all (X, Y, Z): a scanner's own are left alone."""
        return truth if self.scanner is not None else in_units_of(values, truth, self.gathered.brain)


def _maps(drawing: Drawing, chosen: Made, truth: Float | None) -> dict[str, Stored]:
    """Return the result and its maps, kind -> scan on the grid of the result."""
    stored, brain = drawing.gathered.grid.stored, drawing.gathered.brain
    deviation = chosen.done.estimate.deviation
    spread = np.zeros(brain.shape, np.float32) if deviation is None else drawing.deviation(deviation)
    scans = {
        RESULT: stored.like(chosen.values),
        UNCERTAINTY: stored.like(spread),
    }
    if truth is not None:
        error = np.where(brain, chosen.values - drawing.compared(chosen.values, truth), 0)
        scans[ERROR] = stored.like(error.astype(np.float32))
    return scans


def _row(drawing: Drawing, made: Made, truth: Float | None) -> Row:
    """Return one line of the result table."""
    gathered, brain = drawing.gathered, drawing.gathered.brain
    like = None if truth is None else drawing.compared(made.values, truth)
    measured = {} if like is None else scores(made.values, like, brain)
    deviation = made.done.estimate.deviation
    uncertainty = None if deviation is None else number(drawing.unit * float(deviation[gathered.sources.brain].mean()))
    return row_of(
        made.done,
        {
            **measured,
            "consistency": consistency(made.values, like, brain, gathered.grid.volume.spacing),
            "uncertainty": uncertainty,
        },
    )


@dataclass(frozen=True)
class Size:
    """Voxels of each source, and of the box the methods work on."""

    scans: tuple[int, ...]
    work: int


def estimate(inputs: Mapping[str, Path], params: Mapping[str, Any], device: str) -> Estimate:
    """Return seconds, peak bytes and network calls of a job; for a typical one without readable inputs."""
    try:
        size = _measure([inputs[name] for name in CONTRASTS if name in inputs])
    except UserError:
        # the run itself refuses a file that cannot be read
        size = _measure([])
    method = TASK.method(params["method"])
    made = (method, *compared(TASK, method, params))
    seconds = units.TRANSLATE_START + sum(size.scans) * units.TRANSLATE_SCAN
    seconds += (len(size.scans) - 1) * units.TRANSLATE_PAIR
    seconds += REFERENCE_SECONDS * ("reference" in inputs) + units.SCANNER * (SCANNER in inputs)
    seconds += len(made) * size.work * units.TRANSLATE_WORK
    if any(TREES in each.networks(params["volume"]) for each in made):
        seconds += size.work * (units.TRANSLATE_TREES + len(size.scans) * units.TRANSLATE_FILTERED)
    scans = sum(size.scans)
    memory = PROGRAM_BYTES + max(
        scans * BYTES_HELD_PER_SCAN_VOXEL + size.work * BYTES_PER_WORK_VOXEL, scans * BYTES_PER_SCAN_VOXEL
    )
    costs = [network_cost(one, params, round(size.work ** (1 / 3)), len(size.scans)) for one in made if not one.cheap]
    seconds += units.network_seconds(size.work * sum(one.work for one in costs), device, half=True)
    return Estimate(round(seconds, 1), memory, 0 if method.cheap else costs[0].calls)


def _measure(paths: list[Path]) -> Size:
    """Read the headers of the sources."""
    scans, boxes = [], []
    for path in paths:
        header = open_source(path, max_bytes=MAX_BYTES, free_bytes=MAX_BYTES).header
        scans.append(int(np.prod(header.shape)))
        boxes.append(scans[-1] * float(np.prod(spacing(header.affine))))
    if not scans:
        return Size(TYPICAL, int(LARGEST_BRAIN_ML * 1000))
    return Size(tuple(scans), int(min([*boxes, LARGEST_BRAIN_ML * 1000])))
