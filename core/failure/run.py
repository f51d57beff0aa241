"""One job of the failure lab: read or simulate, train and probe, write results and table."""

from __future__ import annotations

import csv
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.declaration import Context
from core.events import Event, Finished, Progress
from core.failure.data.modality import TITLES
from core.failure.data.parts import measured, simulated
from core.failure.data.user_file import load
from core.failure.examination import Timed
from core.failure.examination import run as run_study
from core.failure.exchange import to_json
from core.failure.plan import Plan
from core.failure.predictions import Predictions, examine_predictions
from core.failure.probing import Depth
from core.failure.results import Model, Results
from core.failure.spectra_run import run_spectra
from core.failure.task import TASK
from core.imaging.drive import number
from core.measure.intervals import Interval

MOST_CORES = 4
"""Up to so many cores one thread trains small networks faster than several, which wait for each other."""
SMALL = (1, 3, 5)
LEVELS = {"red": "RED", "amber": "AMBER", "none": "NONE FOUND"}


def run(context: Context, inputs: Mapping[str, Path], params: Mapping[str, Any]) -> Iterator[Event]:
    """Examine the data, or simulated tissue without any; write results.json (schema irrgb/1) and table.csv.

    The same arguments give the same bits on one machine with one thread; seconds stand in run.json alone.
    """
    begun = time.monotonic()
    yield Progress(0.0, 0, 1, "Reading" if "data" in inputs else "Simulating")
    threads = torch.get_num_threads()
    if threads <= MOST_CORES:
        torch.set_num_threads(1)
    try:
        done = yield from _examine(context, inputs, params)
    finally:
        torch.set_num_threads(threads)
    yield Progress(0.99, 0, 1, "Writing")
    files = _write(context.out, done.results)
    yield Progress(1.0, 1, 1, "Done")
    yield Finished(files, _summary(done, time.monotonic() - begun))


def table(results: Results) -> list[dict[str, Any]]:
    """Return one row for each recipe, mean over seeds: the measures of the task, its verdict, and its name."""
    rows = []
    for name in dict.fromkeys(model.name for model in results.models):
        models = [model for model in results.models if model.name == name]
        values = {
            measure.name: _mean([_measure(model, measure.name) for model in models])
            for measure in TASK.measures
            if measure.name != "seconds"
        }
        verdict = models[0].verdict
        row = {"method": name, "title": models[0].title, **values, "seeds": len(models)}
        rows.append({**row, "verdict": verdict.level if verdict else None})
    return rows


def lines(results: Results) -> list[str]:
    """Return the verdicts as sentences, one a modality, what they rest on, and the leakage between spectra."""
    found = []
    for modality, verdict in results.verdicts.items():
        found.append(f"{TITLES[modality]}: {LEVELS[verdict.level]}. {verdict.text}")
        found += [f"  - {reason}" for reason in verdict.reasons]
    for each in results.leakage:
        mixed, apart = (each.figures[name].value for name in ("by_spectrum", "by_group"))
        found.append(f"{each.title}: {mixed:.2f} validated by spectrum, {apart:.2f} by patient or slide")
    return found


def _examine(
    context: Context, inputs: Mapping[str, Path], params: Mapping[str, Any]
) -> Generator[Progress, None, Timed]:
    plan = _plan(context, params)
    if "data" not in inputs:
        studies = []
        for seed in plan.seeds:
            studies.append(simulated(params["tissue"], params["patches"], seed))
            yield Progress(0.0, len(studies), len(plan.seeds), "Simulating")
        return (yield from run_study(studies, plan))
    given = load(inputs["data"], inputs.get("labels"))
    if isinstance(given, Predictions):
        yield Progress(0.1, 0, 1, "Probing the answers")
        return Timed(examine_predictions(given, params["seed"]), {})
    studies = [measured(given, seed) for seed in plan.seeds]
    if not studies[0].spatial:
        results = yield from run_spectra(studies[0], replace(plan.depth, bands=True), params["seed"])
        return Timed(results, {})
    return (yield from run_study(studies, plan))


def _plan(context: Context, params: Mapping[str, Any]) -> Plan:
    quick = params["depth"] == "quick"
    seeds = tuple(params["seed"] + number for number in range(params["seeds"]))
    depth = Depth(1000, SMALL if quick else (1, 2, 3, 4, 5), bands=not quick)
    return Plan(
        params["modalities"],
        params["remedies"],
        params["networks"],
        params["epochs"],
        seeds,
        params["control"],
        params["matched"],
        context.device,
        depth,
    )


def _write(out: Path, results: Results) -> dict[str, str]:
    results_path, table_path = out / "results.json", out / "table.csv"
    results_path.write_text(to_json(results), encoding="utf-8")
    rows = table(results)
    with table_path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return {"results": str(results_path), "table": str(table_path)}


def _summary(done: Timed, seconds: float) -> dict[str, Any]:
    results = done.results
    verdicts = {
        modality: {
            "level": verdict.level,
            "text": verdict.text,
            "reasons": list(verdict.reasons),
            "not_tested": list(verdict.not_tested),
        }
        for modality, verdict in results.verdicts.items()
    }
    facts = {
        "mode": results.data.mode,
        "tissue": results.data.tissue,
        "classes": list(results.data.classes),
        "counts": results.data.counts,
        "verdicts": verdicts,
        "notices": list(results.data.notices),
    }
    rows = [{**row, "seconds": round(done.seconds.get(row["method"], 0.0), 2)} for row in table(results)]
    return {"facts": facts, "table": rows, "weights": [], "lines": lines(results), "seconds": round(seconds, 2)}


def _measure(model: Model, name: str) -> float:
    if name in model.accuracy:
        return model.accuracy[name].value
    found = [each.figure for each in model.diagnostics if each.name == name]
    return (found[0] if found else Interval(float("nan"))).value


def _mean(values: list[float]) -> float | None:
    finite = [value for value in values if np.isfinite(value)]
    return number(sum(finite) / len(finite)) if finite else None
