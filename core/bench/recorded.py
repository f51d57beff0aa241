"""What was measured, written beside the weights it was measured with."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from core import weights
from core.bench.aggregate import BASELINES, Baselines, Line, summarise
from core.bench.case import Case, Row
from core.bench.synthetic import case
from core.declaration import Method
from core.events import finish
from core.imaging.options import Options
from core.tasks import find

# the methods of the papers whose figures stand for their weights
WITNESSES = ("average", "scorefusion")


def record(rows: Sequence[Row], baselines: Baselines = BASELINES, papers: bool = False) -> None:
    """Write into the facts of each network (its .json) its scores of ``rows`` and what it reaches on synthetic data.

    evaluation: for each block of cases the mean scores, and the paired gains over the method of ``baselines`` with
    their 95 % interval. synthetic: PSNR in dB of one step with seed 0, which a test checks. papers: write to the
    networks of the papers' methods, not to the others.
    """
    lines = summarise(rows, baselines)
    for task in dict.fromkeys(row.label.task for row in rows):
        for method in witnesses(task):
            mine = [_facts(line) for line in lines if (line.task, line.method) == (task, method.name)]
            if mine and method.paper == papers:
                _write(method.weights, {"evaluation": mine, "synthetic": synthetic(task, method)})


def witnesses(task: str) -> list[Method]:
    """Return the methods of ``task`` whose figures stand beside their weights."""
    methods = find(task).methods
    return [method for method in methods if method.weights and (not method.paper or method.name in WITNESSES)]


def synthetic(task: str, method: Method) -> dict[str, float]:
    """Return what the network of ``method`` reaches on the synthetic case of ``task``: psnr in dB."""
    made: Case = case(task)
    scores, _ = made.assess(finish(method.load()(made.problem, Options())))
    return {"psnr": round(scores["psnr"], 4)}


def _facts(line: Line) -> dict[str, Any]:
    gains = {
        name: {"mean": gain.mean, "low": gain.low, "high": gain.high, "share_better": gain.share_better}
        for name, gain in line.differences.items()
    }
    facts = {"cases": line.cases, "against": line.baseline, "scores": line.scores, "gains": gains}
    return {"block": line.block, **_rounded(facts)}


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    return value


def _write(name: str, facts: dict[str, Any]) -> None:
    path = weights.facts_path(name)
    known = json.loads(path.read_text()) if path.is_file() else {}
    weights.write_facts(path, {**known, **facts})
