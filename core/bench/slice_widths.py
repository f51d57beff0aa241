"""Slices whose thickness is known: how nearly the scan itself shows it, and what a wrong thickness costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.acquisition import Acquisition, Profile, thick, whole
from core.anatomy.head import find_head
from core.events import finish
from core.imaging.options import Options
from core.imaging.problem import Estimate, ThickScan
from core.imaging.superres.slice_width import SliceWidth, slice_width
from core.imaging.superres.task import TASK
from core.measure import quality
from core.volume import Volume

Float = NDArray[np.float32]
Say = Callable[[str], None]

MARK = "slices"
NOTHING = "-"


@dataclass(frozen=True)
class Kind:
    """How slices were measured: distance and thickness in mm, profile."""

    distance: float
    width: float
    profile: Profile = "box"


KINDS = (
    Kind(3, 2),
    Kind(3, 3),
    Kind(4, 3),
    Kind(4, 4),
    Kind(4, 6),
    Kind(5, 4),
    Kind(5, 5),
    Kind(6, 6),
    Kind(6, 8),
    Kind(3, 3, "gaussian"),
    Kind(4, 4, "gaussian"),
    Kind(5, 5, "gaussian"),
)


@dataclass(frozen=True)
class Measured:
    """One scan in one kind of slices, of which box slices are assumed. psnr: method -> dB with slices that touch, as
    thick as the program takes them, and as they were."""

    scan: str
    kind: Kind
    found: SliceWidth | None
    psnr: dict[str, tuple[float, float, float]] = field(default_factory=dict)


def measure(
    scans: Iterable[tuple[str, Volume]], methods: Sequence[str], say: Say, kinds: Sequence[Kind]
) -> list[Measured]:
    """Estimate the thickness of axial slices of every scan in every kind, and super-resolve them by ``methods``."""
    rows = []
    for name, truth in scans:
        for kind in kinds:
            slices = _sampled(truth, kind.distance, kind.width, kind.profile).measure(truth.data)
            affine = truth.affine @ np.diag([1.0, 1.0, kind.distance / truth.spacing[2], 1.0])
            seen = Volume(slices, affine)
            found = slice_width(seen, find_head(seen), 2, "box")
            taken = found.width if found is not None and found.certain else kind.distance
            assumed: list[tuple[float, Profile]] = [
                (kind.distance, "box"),
                (taken, "box"),
                (kind.width, kind.profile),
            ]
            psnr = {method: _psnr(truth, slices, kind.distance, assumed, method) for method in methods}
            rows.append(Measured(name, kind, found, psnr))
            say(f"{name}, {kind}: {'no estimate' if found is None else found.figures} {psnr or ''}")
    return rows


def markdown(rows: Sequence[Measured]) -> str:
    """Return the table of ``rows``: a line for each kind of slices, and columns for each method."""
    methods = list(rows[0].psnr) if rows else []
    heads = ["Distance", "Thickness", "Profile", "Scans", "Estimate", "Standard deviation", "Stated", "Taken"]
    heads += [f"{method}: touching, as taken, as it was" for method in methods]
    lines = [" | ".join(heads), " | ".join("---" for _ in heads)]
    for kind in dict.fromkeys(row.kind for row in rows):
        alike = [row for row in rows if row.kind == kind]
        lines.append(" | ".join([*_figures(kind, alike), *(_gained(alike, method) for method in methods)]))
    return "\n".join(f"| {line} |" for line in lines)


def _figures(kind: Kind, rows: Sequence[Measured]) -> list[str]:
    found = [row.found for row in rows if row.found is not None]
    cells = [f"{kind.distance:g} mm", f"{kind.width:g} mm", kind.profile, str(len(rows))]
    if not found:
        return [*cells, *([NOTHING] * 4)]
    widths = np.array([one.width for one in found])
    stated = float(np.mean([one.deviation for one in found]))
    taken = sum(one.certain for one in found)
    return [*cells, f"{widths.mean():.2f} mm", f"{widths.std():.2f} mm", f"{stated:.2f} mm", str(taken)]


def _gained(rows: Sequence[Measured], method: str) -> str:
    return ", ".join(f"{value:.2f}" for value in np.mean([row.psnr[method] for row in rows], axis=0)) + " dB"


def _sampled(truth: Volume, distance: float, width: float, profile: Profile) -> Acquisition:
    x, y, z = truth.data.shape
    size = truth.spacing[2]
    return Acquisition((whole(x), whole(y), thick(z, distance / size, width / size, profile)))


def _psnr(
    truth: Volume, slices: Float, distance: float, assumed: Sequence[tuple[float, Profile]], method: str
) -> tuple[float, float, float]:
    solve, brain, made = TASK.method(method).load(), truth.data > 0, {}
    for width, profile in dict.fromkeys(assumed):
        scan = ThickScan(slices, _sampled(truth, distance, width, profile), spacing=truth.spacing)
        estimate: Estimate = finish(solve(scan, Options()))
        made[width, profile] = quality.psnr(estimate.values, truth.data, brain, 1.0)
    touching, taken, right = (made[one] for one in assumed)
    return touching, taken, right
