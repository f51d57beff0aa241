"""What makes 90 % intervals hold 90 % of voxels: a factor for each task, in translation for each target."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.bench.case import INTERVAL, Case, Entrant
from core.events import finish
from core.imaging.problem import Sources

SHARE = 0.9
# voxels taken of each case, so that a large one counts no more than a small one
VOXELS = 20_000


@dataclass(frozen=True)
class Calibration:
    """factor: what deviations are multiplied by. held: share of voxels inside the interval with it; before: without.

    by_subject: subject -> share held without it. left_out: subject -> share held when the factor comes from the other
    subjects; empty for a single subject.
    """

    factor: float
    held: float
    before: float
    by_subject: dict[str, float]
    left_out: dict[str, float]

    def described(self, name: str, total: float) -> str:
        """Return the calibration of ``name`` in lines; total: the factor over deviations without any."""
        lines = [f"{name}: factor {total:.3f}; {self.before:.1%} held before, {self.held:.1%} after"]
        lines += [f"  {subject}: {share:.1%} held before" for subject, share in self.by_subject.items()]
        others = "held with the factor of the other subjects"
        return "\n".join([*lines, *(f"  {subject}: {share:.1%} {others}" for subject, share in self.left_out.items())])


def calibrate(
    cases: Iterable[Case], each: Entrant, report: Callable[[str], None] = lambda line: None
) -> dict[str, Calibration]:
    """Let ``each`` (a network, with its present deviations) try ``cases`` and return the factors that hold 90 %, by
    what is made: the target of a translation, "" for every other task."""
    ratios: dict[str, dict[str, list[NDArray[np.float64]]]] = {}
    for case in cases:
        estimate = finish(each.solve(case.problem))
        if estimate.deviation is None:
            raise ValueError(f"{each.name} has no standard deviation")
        off = np.abs(case.truth[case.where] - estimate.values[case.where]).astype(np.float64)
        width = np.maximum(INTERVAL * estimate.deviation[case.where].astype(np.float64), 1e-9)
        picked = np.random.default_rng(0).permutation(off.size)[:VOXELS]
        made = case.problem.target if isinstance(case.problem, Sources) else ""
        ratios.setdefault(made, {}).setdefault(case.label.subject, []).append((off / width)[picked])
        report(f"{case.label.name}: {(off <= width).mean():.1%} held")
    return {
        made: fit({subject: np.concatenate(parts) for subject, parts in own.items()}) for made, own in ratios.items()
    }


def fit(ratios: dict[str, NDArray[np.float64]]) -> Calibration:
    """Return the calibration for ``ratios`` (subject -> error over half width, one number a voxel)."""
    everyone = np.concatenate(list(ratios.values()))
    factor = float(np.quantile(everyone, SHARE))
    by_subject = {subject: float((own <= 1).mean()) for subject, own in ratios.items()}
    left_out = {}
    for subject, own in ratios.items():
        others = [other for name, other in ratios.items() if name != subject]
        if others:
            left_out[subject] = float((own <= np.quantile(np.concatenate(others), SHARE)).mean())
    return Calibration(factor, float((everyone <= factor).mean()), float((everyone <= 1).mean()), by_subject, left_out)
