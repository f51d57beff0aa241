"""Inpainting of T1s resampled from thick slices: gliomas as shared, and healthy T1s measured in slices of 5 mm.

The share of our network's residual that counts in such scans was chosen on the healthy ones.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from core.acquisition import Acquisition, thick, whole
from core.bench import inpaint, two_parts
from core.bench.case import Entrant, Row, entrant, run
from core.bench.inpaint import MARGINS_MM, HoleCase
from core.bench.regions import MARGIN_MM
from core.events import Progress
from core.imaging.inpaint.network import WEIGHTS, Faithful, faithful
from core.imaging.options import Options
from core.imaging.problem import Estimate, Problem
from core.tasks import find
from core.train.heldout import OTHER_SITE, OTHER_SITE_SOURCE
from core.weights import thick_slices

MARK = "thick"
SUBJECTS = tuple(f"{OTHER_SITE_SOURCE}-{number}" for number in OTHER_SITE)
STEP_MM = 5.0
SIZE_ML = 45.0
# share of the residual and factor of its deviation, as ``trust`` takes them
SHARES = {"/whole": (1.0, 1.0), "/half": (0.5, 1.0)}


def measure(data: Path, options: Options, figures: Path | None, report: Callable[[str], None]) -> Iterator[list[Row]]:
    """Measure every one of ``entrants`` on every case, those deep in the brain first; after each block yield all rows.

    data: the folder that holds train; figures: folder for pictures; report: gets one line after each row.
    """
    rows: list[Row] = []
    for margin in MARGINS_MM:
        for cases in (two_parts.cases(data, margins=[margin]), resliced(data, margin=margin)):
            rows += run(cases, entrants(options), figures, report)
            yield rows


def entrants(options: Options) -> list[Entrant]:
    """Return our network as it is, with its whole residual and with half of it, and the biharmonic."""
    once = _Once(options)
    ours, plain = (find("inpaint").method(name) for name in ("volume", "biharmonic"))
    shares = {"": thick_slices(WEIGHTS), **SHARES}
    return [
        *(
            Entrant(ours.name + name, ours.title + name, partial(once.solve, share), shown=not name)
            for name, share in shares.items()
        ),
        entrant(plain, options),
    ]


class _Once:
    """Runs the network once for all shares of its residual."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._made: tuple[Problem, Faithful] | None = None

    def solve(self, thick: tuple[float, float], problem: Problem) -> Generator[Progress, None, Estimate]:
        """Return the estimate of ``problem`` with this trust."""
        if self._made is None or self._made[0] is not problem:
            self._made = problem, (yield from faithful(problem, self._options))
        return self._made[1].counted(thick)


def resliced(
    data: Path,
    subjects: Sequence[str] = SUBJECTS,
    size: float = SIZE_ML,
    step: float = STEP_MM,
    margin: float = MARGIN_MM,
) -> Iterator[HoleCase]:
    """Yield holes of ``size`` ml in ``subjects`` measured in slices of ``step`` mm along Z and interpolated back.

    margin: how far they keep from the brain's surface, mm.
    """
    for case in inpaint.cases(data, subjects, [size], [margin]):
        x, y, z = case.truth.shape
        acquisition = Acquisition((whole(x), whole(y), thick(z, step / case.spacing[2])))
        smooth = np.maximum(acquisition.enlarge(acquisition.measure(case.truth)), 0)
        # stripped after it was resampled, as shared scans are
        truth = np.where(case.problem.head, smooth, 0).astype(np.float32)
        problem = case.problem
        voided = np.where(problem.mask, np.float32(0), truth)
        label = replace(case.label, block=f"{case.label.block}, slices of {step:g} mm")
        yield replace(case, label=label, truth=truth, problem=Problem(voided, problem.mask, problem.head, case.spacing))
