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
from core.measure.intervals import Interval
from core.result import Artifact, Finding, Measured, Result, Row, Verdict, artifact_in, notes, number, verdict_level

MOST_CORES = 4
"""Up to so many cores one thread trains small networks faster than several, which wait for each other."""
SMALL = (1, 3, 5)


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
    artifacts = _write(context.out, done.results)
    yield Progress(1.0, 1, 1, "Done")
    yield Finished(_result(done, artifacts, time.monotonic() - begun))


def table(results: Results) -> tuple[Row, ...]:
    """Return one row for each recipe, mean over seeds: the measures of the task, and the number of seeds."""
    rows = []
    for name in dict.fromkeys(model.name for model in results.models):
        models = [model for model in results.models if model.name == name]
        values: dict[str, Measured] = {
            measure.name: _mean([_measure(model, measure.name) for model in models])
            for measure in TASK.measures
            if measure.name != "seconds"
        }
        rows.append(Row(name, models[0].title, {**values, "seeds": len(models)}))
    return tuple(rows)


def verdicts(results: Results) -> tuple[Verdict, ...]:
    """Return the verdict on each modality."""
    return tuple(
        Verdict(modality, TITLES[modality], verdict_level(found.level), found.text, found.reasons, found.not_tested)
        for modality, found in results.verdicts.items()
    )


def leakage(results: Results) -> tuple[str, ...]:
    """Return in a sentence each what validating by spectrum makes better than it is."""
    found = []
    for each in results.leakage:
        mixed, apart = (each.figures[name].value for name in ("by_spectrum", "by_group"))
        found.append(f"{each.title}: {mixed:.2f} validated by spectrum, {apart:.2f} by patient or slide.")
    return tuple(found)


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


def _write(out: Path, results: Results) -> tuple[Artifact, ...]:
    artifacts = artifact_in(out, "results", ".json"), artifact_in(out, "table", ".csv")
    Path(artifacts[0].path).write_text(to_json(results), encoding="utf-8")
    # of several seeds the first speaks for the recipe
    levels = {model.name: model.verdict.level if model.verdict else None for model in reversed(results.models)}
    rows = [
        {"method": row.method, "title": row.title, **row.values, "verdict": levels[row.method]}
        for row in table(results)
    ]
    with Path(artifacts[1].path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return artifacts


def _result(done: Timed, artifacts: tuple[Artifact, ...], seconds: float) -> Result:
    results = done.results
    data = results.data
    return Result(
        artifacts=artifacts,
        table=tuple(
            replace(row, values={**row.values, "seconds": round(done.seconds.get(row.method, 0.0), 2)})
            for row in table(results)
        ),
        notes=(*notes("warning", data.notices), *notes("info", leakage(results))),
        findings=(
            Finding("mode", "Mode", data.mode),
            Finding("tissue", "Tissue", data.tissue),
            Finding("classes", "Classes", data.classes),
            *(Finding(f"count_{name}", f"Patches: {name}", count) for name, count in data.counts.items()),
        ),
        verdicts=verdicts(results),
        seconds=round(seconds, 2),
    )


def _measure(model: Model, name: str) -> float:
    if name in model.accuracy:
        return model.accuracy[name].value
    found = [each.figure for each in model.diagnostics if each.name == name]
    return (found[0] if found else Interval(float("nan"))).value


def _mean(values: list[float]) -> float | None:
    finite = [value for value in values if np.isfinite(value)]
    return number(sum(finite) / len(finite)) if finite else None
