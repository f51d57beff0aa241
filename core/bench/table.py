"""From rows of measurements to a table, a summary and a file."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.bench.inpaint import Row

BASELINE = "biharmonic"
COLUMNS = {
    "psnr": ("PSNR", 2),
    "psnr_01": ("PSNR01", 2),
    "ssim": ("SSIM", 3),
    "mae": ("MAE", 4),
    "grey_dice": ("GM Dice", 3),
    "x": ("x", 2),
    "y": ("y", 2),
    "z": ("z", 2),
    "texture": ("texture", 2),
    "seam": ("seam", 2),
}
COMPARED = ("psnr", "ssim", "grey_dice")


@dataclass(frozen=True)
class Difference:
    """A method against the baseline over the cases both have: mean gain, its 95 % interval, share of cases won."""

    mean: float
    low: float
    high: float
    share_better: float
    cases: int


@dataclass(frozen=True)
class Line:
    """The mean of a method's scores over all holes of one size; ``failed`` counts the cases without a result."""

    size_ml: float
    method: str
    cases: int
    failed: int
    seconds: float
    calls: float
    scores: dict[str, float]
    differences: dict[str, Difference]
    error: str = ""


def summarise(rows: Sequence[Row], baseline: str = BASELINE) -> list[Line]:
    """Return one line per hole size and method, in the order they came."""
    keys = dict.fromkeys((row.size_ml, row.method) for row in rows)
    return [_line(rows, size, method, baseline) for size, method in sorted(keys, key=lambda key: key[0])]


def difference(gains: NDArray[np.float64], draws: int = 10_000, seed: int = 0) -> Difference:
    """Return mean and bootstrap 95 % interval (percentile method over cases) of paired ``gains`` (N,)."""
    picks = np.random.default_rng(seed).integers(gains.size, size=(draws, gains.size))
    low, high = np.percentile(gains[picks].mean(axis=1), (2.5, 97.5))
    return Difference(float(gains.mean()), float(low), float(high), float((gains > 0).mean()), int(gains.size))


def format_table(rows: Sequence[Row], baseline: str = BASELINE) -> str:
    """Return the summary as aligned text: a table for each hole size, then gains over the baseline."""
    parts = []
    lines = summarise(rows, baseline)
    for size in dict.fromkeys(line.size_ml for line in lines):
        group = [line for line in lines if line.size_ml == size]
        titles = ["method", "cases", *(title for title, _ in COLUMNS.values()), "seconds", "calls"]
        parts.append(f"Holes of {size:g} ml\n" + _align([titles, *(_cells(line) for line in group)]))
        for name in COMPARED:
            gains = [_gain_cells(line, name) for line in group if name in line.differences]
            if gains:
                heading = [f"{COLUMNS[name][0]} against {baseline}", "mean", "95 % interval", "better in"]
                parts.append(_align([heading, *gains]))
        parts += [f"{line.method}: {line.failed} of {line.cases} failed: {line.error}" for line in group if line.failed]
    return "\n\n".join(parts)


def write_json(path: Path, rows: Sequence[Row]) -> None:
    """Write rows and summary; a value that could not be measured becomes null."""
    content = {"rows": [asdict(row) for row in rows], "summary": [asdict(line) for line in summarise(rows)]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_finite(content), indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _line(rows: Sequence[Row], size: float, method: str, baseline: str) -> Line:
    mine = [row for row in rows if (row.size_ml, row.method) == (size, method)]
    good = [row for row in mine if not row.error]
    scores = {name: _mean([row.scores[name] for row in good]) for name in COLUMNS}
    differences = {}
    for name in COMPARED if method != baseline else ():
        gains = _gains(rows, good, baseline, name)
        if gains.size:
            differences[name] = difference(gains)
    return Line(
        size_ml=size,
        method=method,
        cases=len(mine),
        failed=len(mine) - len(good),
        seconds=_mean([row.seconds for row in good]),
        calls=_mean([row.calls for row in good]),
        scores=scores,
        differences=differences,
        error=next((row.error for row in mine if row.error), ""),
    )


def _gains(rows: Sequence[Row], good: Sequence[Row], baseline: str, name: str) -> NDArray[np.float64]:
    base = {(row.subject, row.size_ml, row.index): row.scores for row in rows if row.method == baseline and row.scores}
    pairs = [(row.scores[name], base.get((row.subject, row.size_ml, row.index), {}).get(name)) for row in good]
    gains = [mine - other for mine, other in pairs if other is not None]
    return np.array([gain for gain in gains if math.isfinite(gain)])


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if not math.isnan(value)]
    return sum(finite) / len(finite) if finite else math.nan


def _cells(line: Line) -> list[str]:
    numbers = [_text(line.scores[name], digits) for name, (_, digits) in COLUMNS.items()]
    return [line.method, str(line.cases - line.failed), *numbers, _text(line.seconds, 1), _text(line.calls, 0)]


def _gain_cells(line: Line, name: str) -> list[str]:
    gain, digits = line.differences[name], COLUMNS[name][1]
    interval = f"{gain.low:+.{digits}f} to {gain.high:+.{digits}f}"
    return [line.method, f"{gain.mean:+.{digits}f}", interval, f"{gain.share_better:.0%} of {gain.cases}"]


def _text(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def _align(cells: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = []
    for row in cells:
        rest = [text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join([row[0].ljust(widths[0]), *rest]))
    return "\n".join(lines)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
