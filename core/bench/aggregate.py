"""From rows of measurements to one line for each method and block, compared with the plain method to beat."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.bench.case import Label, Row

Baselines = Mapping[str, Sequence[str]]

BASELINES: Baselines = {
    "inpaint": ("biharmonic",),
    "superres": ("cubic/ibp10",),
    "translate": ("boosting", "boosting/matched"),
}
"""The plain methods to beat; where there are two, the one with the higher PSNR in the block."""
COMPARED = ("psnr", "psnr_line", "ssim", "grey_dice")


@dataclass(frozen=True)
class Difference:
    """A method against the baseline over the cases both have: mean gain, its 95 % interval (nan for fewer than two
    cases), share of cases won."""

    mean: float
    low: float
    high: float
    share_better: float
    cases: int


@dataclass(frozen=True)
class Line:
    """The mean of a method's scores over all cases of one block; ``failed`` counts the cases without a result;
    baseline: the method that ``differences`` compare with, empty for none."""

    task: str
    block: str
    method: str
    cases: int
    failed: int
    seconds: float
    calls: float
    scores: dict[str, float]
    differences: dict[str, Difference]
    baseline: str = ""
    error: str = ""


def summarise(rows: Sequence[Row], baselines: Baselines = BASELINES) -> list[Line]:
    """Return one line per block and method: task by task, the blocks in the order they came, then the pooled ones.

    baselines: task -> the methods to compare with; of several the one with the higher PSNR in the block.
    """
    groups: dict[tuple[str, str], list[Row]] = {}
    for heading in ("block", "pooled"):
        for row in rows:
            if getattr(row.label, heading):
                groups.setdefault((row.label.task, getattr(row.label, heading)), []).append(row)
    tasks = list(dict.fromkeys(row.label.task for row in rows))
    return [
        _line(task, block, method, group, _baseline(baselines.get(task, ()), group))
        for (task, block), group in sorted(groups.items(), key=lambda item: tasks.index(item[0][0]))
        for method in dict.fromkeys(row.method for row in group)
    ]


def difference(gains: NDArray[np.float64], draws: int = 10_000, seed: int = 0) -> Difference:
    """Return mean and bootstrap 95 % interval (percentile method over cases) of paired ``gains`` (N,)."""
    if gains.size < 2:
        return Difference(float(gains.mean()), math.nan, math.nan, float((gains > 0).mean()), int(gains.size))
    picks = np.random.default_rng(seed).integers(gains.size, size=(draws, gains.size))
    low, high = np.percentile(gains[picks].mean(axis=1), (2.5, 97.5))
    return Difference(float(gains.mean()), float(low), float(high), float((gains > 0).mean()), int(gains.size))


def _baseline(names: Sequence[str], group: Sequence[Row]) -> str:
    """Return the one of ``names`` that reached most in ``group``; empty where none did."""
    reached = {name: _mean([row.scores.get("psnr", math.nan) for row in group if row.method == name]) for name in names}
    known = {name: psnr for name, psnr in reached.items() if not math.isnan(psnr)}
    return max(known, key=lambda name: known[name], default="")


def _line(task: str, block: str, method: str, group: Sequence[Row], baseline: str) -> Line:
    mine = [row for row in group if row.method == method]
    good = [row for row in mine if not row.error]
    base = {row.label: row.scores for row in group if row.method == baseline != method}
    gains = {name: _gains(good, base, name) for name in COMPARED}
    return Line(
        task=task,
        block=block,
        method=method,
        cases=len(mine),
        failed=len(mine) - len(good),
        seconds=_mean([row.seconds for row in good]),
        calls=_mean([row.calls for row in good]),
        scores={name: _mean([row.scores.get(name, math.nan) for row in good]) for name in _names(good)},
        differences={name: difference(found) for name, found in gains.items() if found.size},
        baseline=baseline,
        error=next((row.error for row in mine if row.error), ""),
    )


def _gains(good: Sequence[Row], base: Mapping[Label, Mapping[str, float]], name: str) -> NDArray[np.float64]:
    pairs = [(row.scores.get(name, math.nan), base.get(row.label, {}).get(name, math.nan)) for row in good]
    return np.array([mine - other for mine, other in pairs if math.isfinite(mine - other)])


def _names(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row.scores))


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if not math.isnan(value)]
    return sum(finite) / len(finite) if finite else math.nan
