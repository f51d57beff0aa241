"""A run of the failure lab: read or simulate patches, train and audit, write results and table."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from core.declaration import Context
from core.events import Event, Finished, Progress
from core.failure.data.dataset import simulated_dataset, user_dataset, user_folds
from core.failure.data.earlier_run import EarlierRun
from core.failure.data.loader import load
from core.failure.data.modality import TITLES
from core.failure.data.predictions import Predictions
from core.failure.data.reading_options import Options, options_of
from core.failure.data.source_files import source_files
from core.failure.examination import of_patches
from core.failure.given_audit import audit_given, given_input
from core.failure.models.given_model import opened_model
from core.failure.network_audit import TimedResults, audit_networks
from core.failure.plan import Plan, plan_of
from core.failure.pooling import pooled
from core.failure.prediction_audit import audit_predictions
from core.failure.results import Model, Results
from core.failure.results_json import to_json
from core.failure.spectra_audit import audit_spectra
from core.failure.summary import DATA
from core.failure.task import TASK, Settings
from core.measure.intervals import Interval
from core.result import Artifact, Finding, Measured, Result, Row, Verdict, artifact_in, notes, number, verdict_level
from core.spectra.simulated_tissue import PRESETS

MOST_CORES = 4
"""Up to this many cores one thread trains small networks faster than several."""


def run(context: Context, inputs: Mapping[str, Path], params: Mapping[str, Any]) -> Iterator[Event]:
    """Audit models on the data, or on simulated tissue without any; write results.json (irrgb/1) and table.csv.

    The same arguments give the same bytes on one machine with one thread; seconds are in run.json alone. UserError
    of ``load``, too_few_groups, no_networks.
    """
    begun = time.monotonic()
    yield Progress(0.0, 0, 1, "Reading" if "data" in inputs else "Simulating")
    threads = torch.get_num_threads()
    if threads <= MOST_CORES:
        torch.set_num_threads(1)
    try:
        done = yield from _audit(context, inputs, Settings(**params))
    finally:
        torch.set_num_threads(threads)
    done = replace(done, results=_with_files(done.results, context, inputs))
    yield Progress(0.99, 0, 1, "Writing")
    artifacts = _write(context.out, done.results)
    yield Progress(1.0, 1, 1, "Done")
    yield Finished(_result(done, artifacts, time.monotonic() - begun))


def table(results: Results) -> tuple[Row, ...]:
    """Return one row for each recipe over its seeds: the measures of the task, those that decide among them, and the
    number of seeds."""
    rows = []
    for name in dict.fromkeys(model.name for model in results.models):
        models = [model for model in results.models if model.name == name]
        values: dict[str, Measured] = {
            measure.name: _measure(models, results.accuracies.get(name, models[0].accuracy), measure.name)
            for measure in TASK.measures
            if measure.name not in ("seconds", "chance")
        }
        values["chance"] = number(results.data.chance)
        rows.append(Row(name, models[0].title, {**values, "seeds": len(models)}))
    return tuple(rows)


def verdicts(results: Results) -> tuple[Verdict, ...]:
    """Return the verdict on the data, where there is one, and on each modality."""
    titles = {DATA: "Data", **TITLES}
    return tuple(
        Verdict(modality, titles[modality], verdict_level(found.level), found.text, found.reasons, found.not_tested)
        for modality, found in results.verdicts.items()
    )


def leakage(results: Results) -> tuple[str, ...]:
    """Return a sentence for each classifier on its accuracy validated by spectrum and by group."""
    found = []
    for each in results.leakage:
        mixed, apart = (each.figures[name].value for name in ("by_spectrum", "by_group"))
        found.append(f"{each.title}: {mixed:.2f} validated by spectrum, {apart:.2f} by patient or slide.")
    return tuple(found)


def _audit(context: Context, inputs: Mapping[str, Path], settings: Settings) -> Generator[Progress, None, TimedResults]:
    plan, options = plan_of(settings, context.device), options_of(settings)
    if "model" in inputs:
        return (yield from _judge(inputs, settings, plan, options))
    if "data" not in inputs:
        datasets = []
        for seed in plan.seeds:
            datasets.append(simulated_dataset(PRESETS[settings.tissue], settings.patches, seed))
            yield Progress(0.0, len(datasets), len(plan.seeds), "Simulating")
        return (yield from audit_networks(datasets, plan))
    loaded = load(inputs["data"], inputs.get("labels"), options)
    if isinstance(loaded, EarlierRun):
        yield Progress(0.9, 0, 1, "Opening the results of an earlier run")
        return TimedResults(loaded.results, {}, (_opened(loaded),))
    if isinstance(loaded, Predictions):
        yield Progress(0.1, 0, 1, "Probing the answers")
        return TimedResults(audit_predictions(loaded, settings.seed), {})
    if loaded.patches.spatial:
        return (yield from audit_networks([user_dataset(loaded, seed) for seed in plan.seeds], plan))
    depth = replace(plan.depth, bands=True)
    folds = user_folds(loaded, settings.seed)
    return TimedResults((yield from audit_spectra(folds, depth, settings.seed, swept=settings.sweep)), {})


def _judge(
    inputs: Mapping[str, Path], settings: Settings, plan: Plan, options: Options
) -> Generator[Progress, None, TimedResults]:
    """Judge the model of a file; nothing is trained."""
    given = given_input(settings)
    if "data" in inputs:
        dataset = user_dataset(of_patches(load(inputs["data"], inputs.get("labels"), options)), settings.seed)
    else:
        dataset = simulated_dataset(PRESETS[settings.tissue], settings.patches, settings.seed)
    yield Progress(0.01, 0, 1, "Opening the model")
    with opened_model(inputs["model"]) as model:
        results = yield from audit_given(model.logits, given, dataset, plan.depth, settings.seed)
    return TimedResults(results, {})


def _opened(earlier: EarlierRun) -> str:
    when = f" of {earlier.finished}" if earlier.finished else ""
    return f"Results of an earlier run{when} were opened; nothing was computed anew."


def _with_files(results: Results, context: Context, inputs: Mapping[str, Path]) -> Results:
    """Return ``results`` with the files that were read, those of an earlier run as they are."""
    if results.data.files or (results.data.source == "simulated" and "model" not in inputs):
        return results
    files = tuple(file for name, path in inputs.items() for file in context.sources.get(name) or source_files(path))
    return replace(results, data=replace(results.data, files=files))


def _write(out: Path, results: Results) -> tuple[Artifact, ...]:
    artifacts = artifact_in(out, "results", ".json"), artifact_in(out, "table", ".csv")
    Path(artifacts[0].path).write_text(to_json(results), encoding="utf-8")
    levels = {model.name: model.verdict.level if model.verdict else None for model in results.models}
    rows = [
        {"method": row.method, "title": row.title, **row.values, "verdict": levels[row.method]}
        for row in table(results)
    ]
    with Path(artifacts[1].path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return artifacts


def _result(done: TimedResults, artifacts: tuple[Artifact, ...], seconds: float) -> Result:
    results = done.results
    data = results.data
    return Result(
        artifacts=artifacts,
        table=tuple(
            replace(row, values={**row.values, "seconds": round(done.seconds.get(row.method, 0.0), 2)})
            for row in table(results)
        ),
        notes=(*notes("warning", data.notices), *notes("info", leakage(results)), *notes("info", done.remarks)),
        findings=(
            Finding("mode", "Mode", data.mode),
            Finding("tissue", "Tissue", data.tissue),
            Finding("classes", "Classes", data.classes),
            *(Finding(f"count_{name}", f"Patches: {name}", count) for name, count in data.counts.items()),
        ),
        verdicts=verdicts(results),
        seconds=round(seconds, 2),
    )


# measure -> the diagnostic and its further figure, for those that are not named as a diagnostic
PARTS = {
    "within": ("one_number", "within"),
    "shuffle_logits": ("shuffle", "logits"),
    "amount": ("shift", "amount"),
}


def _measure(models: Sequence[Model], accuracies: Mapping[str, Interval], name: str) -> Measured:
    """Return a measure over all seeds of a model; None where it was not taken. ``low`` is the bound of the gate."""
    if name in accuracies or name == "low":
        value = accuracies["id"].low if name == "low" else accuracies[name].value
    else:
        diagnostic, part = PARTS.get(name, (name, ""))
        found = [each for each in pooled(models) if each.name == diagnostic]
        figures = [each.figures.get(part) if part else each.figure for each in found]
        value = figures[0].value if figures and figures[0] else math.nan
    return number(value) if math.isfinite(value) else None
