"""One problem whose truth is known, those who try it, and what came out: the same for every task."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.bench.figures import Scene, draw
from core.declaration import Method
from core.errors import UserError
from core.events import Progress, finish
from core.imaging.options import Options
from core.imaging.problem import Estimate, Solve
from core.measure import quality
from core.tasks import find

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

INTERVAL = 1.645
"""Standard deviations on each side of the middle 90 % of a normal distribution."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Label:
    """What a case is and where it counts. block: heading of its table; pooled: heading of the table it shares with
    other blocks, empty for none; note: what else to know of it."""

    task: str
    block: str
    subject: str
    index: int = 0
    pooled: str = ""
    note: str = ""

    @property
    def name(self) -> str:
        """A file name for the case."""
        words = "".join(letter if letter.isalnum() else " " for letter in f"{self.block} {self.subject} {self.index}")
        return f"{self.task}-" + "-".join(words.split())


class Case(Protocol):
    """A problem with its truth."""

    @property
    def label(self) -> Label:
        """What it is."""

    @property
    def problem(self) -> Any:
        """What the methods of the task are given."""

    @property
    def truth(self) -> Float:
        """The image (X, Y, Z) that is asked for, in the units of estimates."""

    @property
    def where(self) -> Bool:
        """Where it is asked for, (X, Y, Z) bool."""

    @property
    def region(self) -> Bool | None:
        """The part of the image that is made, (X, Y, Z) bool; None where all of it is."""

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Size of a voxel, mm."""

    def assess(self, estimate: Estimate) -> tuple[dict[str, float], Float]:
        """Return every measure of ``estimate`` and the image (X, Y, Z) that was measured."""

    def scene(self) -> Scene:
        """What to draw."""


@dataclass(frozen=True, eq=False)
class Entrant:
    """A method with its settings: name in the tables, title in the pictures, function from a problem to an estimate;
    shown: whether pictures have it."""

    name: str
    title: str
    solve: Callable[[Any], Generator[Progress, None, Estimate]]
    shown: bool = True


@dataclass(frozen=True)
class Row:
    """The scores of one entrant on one case; ``error`` is why there are none."""

    label: Label
    method: str
    title: str
    seconds: float = 0.0
    calls: int = 0
    scores: dict[str, float] = field(default_factory=dict)
    error: str = ""


def entrant(method: Method, options: Options, suffix: str = "", title: str = "", shown: bool = True) -> Entrant:
    """Return ``method`` with ``options`` fixed; suffix and title are added to its own."""

    def solve(problem: Any) -> Generator[Progress, None, Estimate]:
        function: Solve = method.load()
        return (yield from function(problem, options))

    return Entrant(method.name + suffix, method.title + title, solve, shown)


def unpublished(task: str) -> tuple[Method, ...]:
    """Return the methods of ``task`` without those of papers."""
    return tuple(method for method in find(task).methods if not method.paper)


def both_modes(task: str, faithful: Options, realistic: Options | None) -> list[Entrant]:
    """Return every method of ``task``, a network once for each mode that is given."""
    made = []
    for method in unpublished(task):
        made.append(entrant(method, faithful))
        if method.weights and realistic is not None:
            made.append(entrant(method, realistic, "/realistic", " (realistic)"))
    return made


def chosen(entrants: Sequence[Entrant], names: Sequence[str]) -> list[Entrant]:
    """Return the entrants called ``names``, all without names; "cubic" stands for "cubic/ibp10" too."""
    return [each for each in entrants if not names or not called(each).isdisjoint(names)]


def called(each: Entrant) -> set[str]:
    """Return the names that an entrant answers to: its own, and that of its method."""
    return {each.name, each.name.partition("/")[0]}


# an entrant -> its row, and the image that was measured
Measuring = Callable[[Entrant], tuple[Row, Float | None]]


def check_names(entrants: Sequence[Entrant], names: Sequence[str]) -> None:
    """Raise UserError for a name that none of ``entrants`` answers to."""
    for name in names:
        if not any(name in called(each) for each in entrants):
            known = ", ".join(dict.fromkeys(each.name for each in entrants))
            raise UserError("bad_parameter", f"There is no method {name[:40]!r}.", f"Choose from: {known}.")


def run(
    cases: Iterable[Case],
    entrants: Sequence[Entrant],
    figures: Path | None = None,
    report: Callable[[str], None] = lambda line: None,
    measuring: Callable[[Case], Measuring] = lambda case: partial(measure, case),
    keep: Callable[[Case, Row, Float], None] | None = None,
) -> list[Row]:
    """Let every entrant try every case and return a row for each.

    figures: folder for a picture of each case; report: gets one line after each row; measuring: case -> how an entrant
    is measured on it; keep: gets every image that was measured.
    """
    rows: list[Row] = []
    for case in cases:
        images: dict[str, Float] = {}
        on_case = measuring(case)
        for each in entrants:
            row, image = on_case(each)
            rows.append(row)
            if image is not None and keep is not None:
                keep(case, row, image)
            if image is not None and each.shown:
                images[each.title] = image
            work = f", {row.scores['gflop']:.0f} GFLOP" if "gflop" in row.scores else ""
            outcome = row.error or f"{row.scores['psnr']:.2f} dB{work}"
            report(f"{case.label.name} {each.name}: {outcome}, {row.seconds:.1f} s")
        if figures is not None:
            draw(figures / f"{case.label.name}.png", case.scene(), images)
    return rows


def measure(case: Case, each: Entrant) -> tuple[Row, Float | None]:
    """Run one entrant on one case; one that fails gives a row with its error and no image."""
    begun = time.monotonic()
    row = Row(case.label, each.name, each.title)
    try:
        estimate = finish(each.solve(case.problem))
    except (UserError, ImportError, OSError, ValueError, RuntimeError, MemoryError) as error:
        log.debug("%s failed on %s", each.name, case.label.name, exc_info=True)
        return replace(row, error=str(error)[:200] or type(error).__name__), None
    seconds = time.monotonic() - begun + estimate.earlier
    scores, image = case.assess(estimate)
    return replace(row, seconds=seconds, calls=estimate.calls, scores=scores), image


def whole_scores(result: Float, truth: Float, brain: Bool) -> dict[str, float]:
    """Return the measures of a whole image (X, Y, Z) in ``brain``; 1 is the 99.5th percentile of the truth there.

    psnr (dB, range 1), ssim, mae; x, y, z: slice consistency; texture: fine detail beside that of the truth.
    """
    x, y, z = quality.slice_consistency(result, truth, brain)
    return {
        "psnr": quality.psnr(result, truth, brain, 1.0),
        "ssim": quality.ssim(result, truth, brain, 1.0),
        "mae": quality.mae(result, truth, brain),
        "x": x,
        "y": y,
        "z": z,
        "texture": quality.texture_ratio(result, truth, brain),
    }


def within(estimate: Estimate, truth: Float, where: Bool) -> float:
    """Return the share of voxels of ``where`` whose truth the 90 % interval of the estimate holds; nan without one."""
    if estimate.deviation is None:
        return float("nan")
    off = np.abs(truth[where] - estimate.values[where])
    return float((off <= INTERVAL * estimate.deviation[where]).mean())
