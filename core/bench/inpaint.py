"""Measure inpainting methods on scans whose truth is known: holes in healthy tissue of held-out subjects."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import quality
from core.bench.masks import MARGIN_MM, Hole, hole
from core.errors import UserError
from core.events import finish
from core.files.nifti import read_volume
from core.head import find_head
from core.methods import METHODS, Method, find
from core.methods.base import Options, Problem

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

VALIDATION = ("1015", "1017", "1018", "1019", "1036")
SIZES_ML = (12.0, 45.0)
CSF, GREY, WHITE = 1, 2, 3

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Case:
    """One hole in one subject. truth: (X, Y, Z) float32, RAS+; tissues: (X, Y, Z), 0 none, 1 CSF, 2 grey, 3 white."""

    subject: str
    size_ml: float
    index: int
    truth: Float
    tissues: Float
    hole: Hole
    problem: Problem

    @property
    def name(self) -> str:
        """A file name for the case."""
        return f"{self.subject}-{self.size_ml:g}ml-{self.index}"


@dataclass(frozen=True)
class Row:
    """What one method reached on one case; ``error`` says why there are no scores."""

    subject: str
    size_ml: float
    index: int
    place: str
    method: str
    title: str
    seconds: float = 0.0
    calls: int = 0
    scores: dict[str, float] = field(default_factory=dict)
    error: str = ""


def bench_inpaint(
    data: Path,
    methods: Sequence[str] = (),
    sizes: Sequence[float] = SIZES_ML,
    per_subject: int = 1,
    options: Options | None = None,
    subjects: Sequence[str] = VALIDATION,
    margin_mm: float = MARGIN_MM,
    figures: Path | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> list[Row]:
    """Run ``methods`` (default: all) on holes of ``sizes`` ml in each of ``subjects`` and return a row for each.

    data: the folder that holds train/malf_nc; per_subject: holes of each size in each subject; margin_mm: how
    far holes keep from the brain's surface; figures: folder for a picture of each case;
    report: gets one line after each method.
    Raises UserError for an unknown method or a folder without the subjects.
    """
    chosen = [_method(name) for name in methods] or list(METHODS)
    rows: list[Row] = []
    for case in cases(data, sizes, per_subject, subjects, margin_mm):
        fills: dict[str, Float] = {}
        for method in chosen:
            row, result = measure(case, method, options or Options())
            rows.append(row)
            if result is not None:
                fills[method.title] = result
            outcome = row.error or "{psnr:.2f} dB".format(**row.scores)
            report(f"{case.name} {method.name}: {outcome}, {row.seconds:.1f} s")
        if figures is not None:
            from core.bench.figures import draw

            draw(figures / f"{case.name}.png", case.truth, case.problem, fills)
    return rows


def cases(
    data: Path, sizes: Sequence[float], per_subject: int, subjects: Sequence[str], margin_mm: float = MARGIN_MM
) -> Iterator[Case]:
    """Yield the holes of every subject, the same ones each time."""
    folder = data / "train" / "malf_nc"
    missing = [subject for subject in subjects if not (folder / f"{subject}_t1.nii.gz").is_file()]
    if missing:
        raise UserError(
            "file_unreadable",
            f"There is no scan of subject {', '.join(missing)} in {folder}.",
            "Give the folder that holds train/malf_nc.",
        )
    for subject in subjects:
        volume = read_volume(folder / f"{subject}_t1.nii.gz")
        tissues = read_volume(folder / f"{subject}_tissues.nii.gz").data
        head = find_head(volume).mask
        places = {"cortex": tissues == GREY, "white matter": tissues == WHITE}
        for index, size in enumerate(size for _ in range(per_subject) for size in sizes):
            made = hole(head, places, volume.spacing, size, subject, index, margin_mm)
            problem = Problem(np.where(made.mask, np.float32(0), volume.data), made.mask, head, volume.spacing)
            yield Case(subject, size, index, volume.data, tissues, made, problem)


def measure(case: Case, method: Method, options: Options) -> tuple[Row, Float | None]:
    """Run one method on one case; a method that fails gives a row that says so and no result."""
    begun = time.monotonic()
    row = Row(case.subject, case.size_ml, case.index, case.hole.place, method.name, method.title)
    try:
        fill = finish(method.load()(case.problem, options))
    except (UserError, ImportError, OSError, ValueError, RuntimeError, MemoryError) as error:
        log.debug("%s failed on %s", method.name, case.name, exc_info=True)
        return replace(row, error=str(error)[:200] or type(error).__name__), None
    seconds = time.monotonic() - begun
    result = np.where(case.problem.mask, fill.values, case.truth).astype(np.float32)
    return replace(row, seconds=seconds, calls=fill.calls, scores=scores(case, result)), result


def scores(case: Case, result: Float) -> dict[str, float]:
    """Return every measure of a result (X, Y, Z) that holds the known voxels."""
    problem, truth = case.problem, case.truth
    official = quality.challenge(result, truth, problem.image, problem.mask)
    x, y, z = quality.slice_consistency(result, truth, problem.mask)
    return {
        "psnr": official.psnr,
        "psnr_01": official.psnr_01,
        "ssim": official.ssim,
        "mae": official.mae,
        "grey_dice": grey_dice(result, case.tissues, truth, problem.mask),
        "x": x,
        "y": y,
        "z": z,
        "texture": quality.texture_ratio(result, truth, problem.mask),
        "seam": quality.seam(result, problem.mask, problem.head),
    }


def grey_dice(result: Float, tissues: Float, truth: Float, mask: Bool) -> float:
    """Return the Dice overlap inside ``mask`` of the grey matter of ``tissues`` with that seen in ``result``.

    A voxel is seen as grey when its intensity is nearest to that of grey matter: the class medians of ``truth`` outside
    the mask. nan when there is no grey matter to find.
    """
    medians = {label: float(np.median(truth[(tissues == label) & ~mask])) for label in (CSF, GREY, WHITE)}
    borders = sorted((first + second) / 2 for first, second in pairwise(medians[label] for label in (CSF, GREY, WHITE)))
    seen = (result[mask] > borders[0]) & (result[mask] <= borders[1])
    real = tissues[mask] == GREY
    total = int(seen.sum()) + int(real.sum())
    return 2 * float((seen & real).sum()) / total if total else float("nan")


def _method(name: str) -> Method:
    try:
        return find(name)
    except KeyError:
        known = ", ".join(method.name for method in METHODS)
        raise UserError("bad_parameter", f"There is no method {name[:40]!r}.", f"Choose from: {known}.") from None
