"""One translation job: read and lay on one grid, translate, compare with the plain method, write."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.contrasts import TITLES
from core.declaration import Context
from core.events import Event, Finished, Progress, changed
from core.files.nifti import Stored
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
from core.imaging.reference import consistency, read_reference, scores
from core.imaging.translate.sources import Gathered, check_different, gather
from core.imaging.translate.task import TASK
from core.result import BASELINE, ERROR, RESULT, UNCERTAINTY, Finding, Note, Result, Row, number
from core.volume import Volume

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

# fractions of the job at which reading, the chosen method and the comparison end
READ, MADE, COMPARED = 0.3, 0.8, 0.92
# what the 99.5th percentile of the target in the brain is stored as
UNIT = 1000.0


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
    truth = _truth(inputs, gathered)
    yield Progress(READ, 1, 1, "Read")
    options = options_of(params, context.device)
    method = TASK.method(params["method"])
    first = yield from drive(method, gathered.sources, options, READ, MADE)
    others = compared(TASK, method, params)
    rest = yield from drive_all(others, gathered.sources, options, MADE, COMPARED)
    yield Progress(COMPARED, 0, 1, "Writing")
    chosen, *plain = (Made(done, _stored_units(gathered, done.estimate.values)) for done in (first, *rest))
    artifacts = [write_scan(context.out, scan, kind) for kind, scan in _maps(gathered, chosen, truth).items()]
    like = gathered.grid.stored
    artifacts += [write_scan(context.out, like.like(each.values), BASELINE, each.done.method.name) for each in plain]
    table = tuple(_row(gathered, made, truth) for made in (chosen, *plain))
    yield Progress(1.0, 1, 1, "Done")
    yield Finished(
        Result(
            artifacts=tuple(artifacts),
            table=table,
            notes=(*gathered.notes, _units(target), *notes_of(first)),
            findings=(
                Finding("sources", "Sources", tuple(gathered.sources.images)),
                Finding("target", "Target", target),
            ),
            weights=networks([method, *others], params),
            seconds=round(time.monotonic() - begun, 2),
        )
    )


def _gather(inputs: Mapping[str, Path], target: str, moving: bool) -> Generator[Progress, None, Gathered]:
    steps = gather(inputs, target, moving)
    return changed(steps, lambda event: replace(event, fraction=READ * event.fraction))


def _truth(inputs: Mapping[str, Path], gathered: Gathered) -> Float | None:
    """Return the reference on the grid of the result; it must be none of the sources."""
    if "reference" not in inputs:
        return None
    like = gathered.grid.volume
    truth = read_reference(inputs["reference"], like, gathered.brain)
    given = {TITLES[name]: Volume(image, gathered.affine) for name, image in gathered.sources.images.items()}
    check_different({**given, "the reference": Volume(truth, like.affine)})
    return truth


def in_units_of(values: Float, truth: Float, brain: Bool) -> Float:
    """Return ``truth`` with the median of ``values`` in the brain, for units are arbitrary; all (X, Y, Z).

    On 11 translations of three subjects this comes to within 0.9 dB of the scale of least squares; to match the 99.5th
    percentiles, as one could, loses up to 10 dB and most for smooth images.
    """
    middle = float(np.median(truth[brain]))
    return truth * np.float32(float(np.median(values[brain])) / middle if middle > 0 else 1.0)


def _stored_units(gathered: Gathered, values: Float) -> Float:
    return gathered.back(values * np.float32(UNIT))


def _maps(gathered: Gathered, chosen: Made, truth: Float | None) -> dict[str, Stored]:
    """Return the result and its maps, kind -> scan on the grid of the result."""
    stored, brain = gathered.grid.stored, gathered.brain
    deviation = chosen.done.estimate.deviation
    doubt = np.zeros(brain.shape, np.float32) if deviation is None else _stored_units(gathered, deviation)
    scans = {
        RESULT: stored.like(chosen.values),
        UNCERTAINTY: stored.like(doubt),
    }
    if truth is not None:
        error = np.where(brain, chosen.values - in_units_of(chosen.values, truth, brain), 0)
        scans[ERROR] = stored.like(error.astype(np.float32))
    return scans


def _row(gathered: Gathered, made: Made, truth: Float | None) -> Row:
    """Return one line of the result table."""
    brain = gathered.brain
    like = None if truth is None else in_units_of(made.values, truth, brain)
    measured = {} if like is None else scores(made.values, like, brain)
    deviation = made.done.estimate.deviation
    doubt = None if deviation is None else number(UNIT * float(deviation[gathered.sources.brain].mean()))
    return row_of(
        made.done,
        {
            **measured,
            "consistency": consistency(made.values, like, brain, gathered.grid.volume.spacing),
            "doubt": doubt,
        },
    )


def _units(target: str) -> Note:
    """Return what the numbers of the result stand for."""
    stands = f"{UNIT:.0f} stands for the 99.5th percentile of a {TITLES[target]} in the brain"
    return Note("info", f"Values are in arbitrary units: {stands}.")
