"""``report.html`` of a run of the failure lab: the same file from the command line, from Python and on the page."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core import __version__
from core.declaration import Task, Value
from core.failure.advice import advise, winner
from core.failure.data.earlier_run import EarlierRun, read_earlier_run
from core.failure.data.modality import TITLES
from core.failure.recipe_means import recipes, tests_of, usual_models
from core.failure.results import Model, Picture, Results
from core.failure.results_json import from_json
from core.provenance import RunRecord
from core.report.citations import PROGRAM, cited
from core.report.lab import result_plots as plots
from core.report.lab import result_tables as tables
from core.report.lab.tissue_tiles import BANDS_SHOWN, attribution_tile, tile_of
from core.report.writing import option_words, render, write_page
from core.result import Artifact, Result

MOST_TILES = 6
MOST_CONFUSED = 12
"""Classes up to which a confusion matrix can be read."""
TILES = (
    "Left: three bands as colours, {colours}. Then the stained picture, and for each model how much each pixel adds to "
    "its answer (orange) or takes from it (blue)."
)


def write_report(
    out: Path,
    task: Task,
    inputs: Mapping[str, Path],
    params: Mapping[str, Value],
    result: Result,
    record: RunRecord,
) -> Artifact:
    """Write ``report.html`` of the results in ``result`` into ``out`` and return it.

    It names the files that were read, their sha256, and the date; of an earlier run those that its record has.
    """
    results = from_json(Path(result.files["results"]).read_text(encoding="utf-8"))
    earlier = read_earlier_run(inputs["data"]) if "data" in inputs else None
    made = _made_earlier(earlier, results) if earlier else _made(task, inputs, params, results, record)
    return write_page(out, render("lab.html", {**_content(task, results), **made}))


def nameless_report(task: Task, results: Results, finished: str) -> str:
    """Return the report for strangers: files have numbers in place of their names, and no command names them.

    finished: when the run ended, in words.
    """
    files = tuple(replace(file, name=f"File {number}") for number, file in enumerate(results.data.files, 1))
    shown = replace(results, data=replace(results.data, files=files))
    made = {"date": finished, "made": _settings(shown), "command": "", "earlier": ""}
    return render("lab.html", {**_content(task, shown), **made})


def _content(task: Task, results: Results) -> dict[str, object]:
    found = recipes(results)
    by_name = {each.name: each.first for each in found}
    models = [by_name[name] for name in usual_models(results) if name]
    best = winner(results, models[0].modality)
    shown = [*models, *([best.first] if best and best.first not in models else [])]
    data = results.data
    return {
        "title": task.title,
        "version": __version__,
        "subject": tables.subject_of(data),
        "simulated": data.source == "simulated",
        "verdicts": [(TITLES.get(side, side.capitalize()), one) for side, one in results.verdicts.items()],
        "advice": advise(results),
        "notices": data.notices,
        "data": tables.data_rows(data),
        "parts": tables.parts_table(results),
        "files": data.files,
        "grouped": bool(data.groups),
        "away": len(tests_of(results)) > 1,
        "things": tables.things_of(data),
        "accuracy": plots.accuracy_rows(results, found),
        "recipes": tables.recipes_table(results, found),
        "plain": tables.plain_table(results),
        "paired": tables.paired_table(results),
        "leakage": tables.leakage_table(results.leakage),
        "confusions": tables.confusions(shown, data.classes) if len(data.classes) <= MOST_CONFUSED else [],
        "training": plots.training(found, shown),
        "robustness": plots.robustness(shown),
        "score": plots.one_number(shown, data.classes),
        "pattern": plots.spectra(results),
        "calibration": plots.calibration(shown),
        "tiles": [_tiles(picture, models, data.classes) for picture in results.gallery[:MOST_TILES]],
        "tiles_sentence": TILES.format(colours=BANDS_SHOWN[data.technique]),
        "probes": tables.probes_tables(models, results),
        "trained": tables.trained_table(found),
        "remedies": tables.remedies_of(found),
        "untested": tuple(dict.fromkeys(line for each in results.verdicts.values() for line in each.not_tested)),
        "limits": results.limits,
        "program": PROGRAM,
        "works": cited(task.name, (), ()),
    }


def _made(
    task: Task, inputs: Mapping[str, Path], params: Mapping[str, Value], results: Results, record: RunRecord
) -> dict[str, object]:
    rows = [*_versions(record.versions, record.device, record.threads), *_settings(results)]
    rows += [(f"sha256 of {name}", one.sha256) for name, one in record.outputs.items()]
    date = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return {"date": date, "made": rows, "command": command(task, inputs, params, results, record.device), "earlier": ""}


def _made_earlier(earlier: EarlierRun, results: Results) -> dict[str, object]:
    """Return how an earlier run was made, as far as the record beside its results has it."""
    record: Mapping[str, Any] = earlier.record or {}
    versions = record.get("versions")
    rows = _versions(
        versions if isinstance(versions, dict) else {}, str(record.get("device", "–")), record.get("threads", "–")
    )
    known = "" if earlier.record else " Its run record is not beside it, or is of other results."
    return {
        "date": earlier.finished or "date not known",
        "made": [*rows, *_settings(results)],
        "command": "",
        "earlier": f"Results of an earlier run, opened again; nothing was computed anew.{known}",
    }


def command(
    task: Task, inputs: Mapping[str, object], params: Mapping[str, Value], results: Results, device: str
) -> str:
    """Return the command line that does the job again, settings that were left alone left out."""
    names = [file.name for file in results.data.files]
    lines = [f"counterscan run {task.name}"]
    for number, entry in enumerate(one for one in task.inputs if one.name in inputs):
        name = names[number] if len(names) == len(inputs) else entry.name.upper()
        lines.append(f"--{entry.name} {shlex.quote(name)}")
    changed = [one for one in task.params if params[one.name] != one.default or one.name == "seed"]
    lines += [option for one in changed for option in option_words(one, params[one.name])]
    lines += [f"--device {shlex.quote(device)}", "--out OUT"]
    return " \\\n  ".join(lines)


def _versions(versions: Mapping[str, object], device: str, threads: object) -> list[tuple[str, str]]:
    found = ", ".join(f"{name} {version}" for name, version in versions.items())
    return [("Versions", found or "not known"), ("Device", device), ("Threads", str(threads))]


def _settings(results: Results) -> list[tuple[str, str]]:
    return [(name.capitalize(), value) for name, value in results.settings.items() if value]


def _tiles(picture: Picture, models: Sequence[Model], classes: Sequence[str]) -> dict[str, object]:
    place = f"Patch {picture.patch}" + (f", slide {picture.group}" if picture.group >= 0 else "")
    tiles = [(tile_of(picture, "ir"), "IR, false colour")]
    if picture.rgb:
        tiles.append((tile_of(picture, "rgb"), "RGB, stained"))
    for model in models:
        found = next((each for each in model.attributions if each.patch == picture.patch), None)
        if found is not None:
            answer = "right" if found.predicted == found.label else f"taken for {classes[found.predicted]}"
            tiles.append((attribution_tile(found), f"{model.title}: {answer}"))
    return {"title": classes[picture.label], "place": place, "tiles": tiles}
