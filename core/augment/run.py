"""A run of the augmentation study: read or simulate images, train everything, write results, table and pictures."""

from __future__ import annotations

import csv
import time
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from core.augment.arms import Draw, Protocol
from core.augment.classifier import classic, train_classifier
from core.augment.exchange_rate import Exchange
from core.augment.generator import train_generator, with_weights
from core.augment.guideline import unexpected
from core.augment.image_set import ImageSet, StudyData, imbalance, require_enough
from core.augment.sample_looks import look
from core.augment.study_cost import CLASSIFIER_SECONDS, GENERATOR_SECONDS
from core.augment.study_data import study_data
from core.augment.study_pictures import write_curves, write_neighbours, write_samples
from core.augment.task import Settings
from core.augment.unfinished import Unfinished, fingerprint
from core.augment.worth_results import ArmResult, GeneratorQuality, WorthResults, to_json
from core.augment.worth_study import Bools, Trainers, measure
from core.augment.worth_summary import exchange_of, summarise
from core.declaration import Context
from core.events import Event, Finished, Progress, changed, finish
from core.measure.intervals import Interval
from core.result import Artifact, Finding, Result, Row, Verdict, artifact_in, notes, number

MOST_CORES = 4
"""Up to this many cores one thread trains small networks faster than several."""
PICTURES = {"curves": write_curves, "samples": write_samples, "neighbours": write_neighbours}


def run(context: Context, inputs: Mapping[str, Path], params: Mapping[str, Any]) -> Iterator[Event]:
    """Find how many real images synthetic ones are worth; write results.json (worth/1), table.csv and three pictures.

    What a stopped run has left in ``context.kept`` is not computed again. The same arguments give the same bytes on one
    machine with one thread. UserError of ``study_data``, too_few_images, bad_parameter.
    """
    begun = time.monotonic()
    threads = torch.get_num_threads()
    if threads <= MOST_CORES:
        torch.set_num_threads(1)
    try:
        results, warnings = yield from _studied(context, inputs, Settings(**params), params)
    finally:
        torch.set_num_threads(threads)
    yield Progress(0.98, 0, 1, "Writing")
    artifacts = _write(context.out, results)
    yield Progress(1.0, 1, 1, "Done")
    yield Finished(_result(results, artifacts, warnings, time.monotonic() - begun))


def _studied(
    context: Context, inputs: Mapping[str, Path], settings: Settings, params: Mapping[str, Any]
) -> Generator[Progress, None, tuple[WorthResults, tuple[str, ...]]]:
    data = yield from study_data(inputs.get("data"), inputs.get("labels"), settings)
    protocol = _protocol(settings, data)
    require_enough(data, protocol.bases)
    unfinished = Unfinished(context.kept, fingerprint(data, params))
    trainers = _trainers(settings, context.device, unfinished)
    measured = yield from measure(data, protocol, trainers, unfinished)
    yield Progress(0.95, 0, 1, "Training the classifier whose features compare images")
    classifier = finish(train_classifier(data.pool(0), settings.classifier_steps, settings.seed, device=context.device))
    looks = yield from look(data, measured, classifier, settings.seed)
    yield Progress(0.97, 0, 1, "Fitting the curve")
    exchange = exchange_of(data, measured, settings.seed)
    results = summarise(data, protocol, _worded(settings), measured, exchange, looks)
    return results, _warnings(data, protocol, exchange)


def _protocol(settings: Settings, data: StudyData) -> Protocol:
    return Protocol(
        tuple(int(base) for base in settings.bases),
        tuple(float(multiple) for multiple in settings.multiples),
        tuple(settings.seed + number for number in range(settings.seeds)),
        data.largest,
        data.beyond is not None,
    )


def _trainers(settings: Settings, device: str, unfinished: Unfinished) -> Trainers:
    """Return how the task trains: the failure lab's CNN, and a diffusion model whose weights are kept."""

    def classify(training: ImageSet, test: ImageSet, seed: int, augmented: bool) -> Generator[float, None, Bools]:
        steps = train_classifier(training, settings.classifier_steps, seed, classic if augmented else None, device)
        trained = yield from changed(steps, lambda step: step / settings.classifier_steps)
        return trained.correct(test)

    def generate(images: ImageSet, seed: int, name: str) -> Generator[float, None, Draw]:
        weights = unfinished.weights(name)
        if weights is not None:
            return with_weights(images, weights, device).images
        steps = train_generator(images, settings.generator_steps, seed, device)
        trained = yield from changed(steps, lambda step: step / settings.generator_steps)
        unfinished.keep_weights(name, trained.network.state_dict())
        return trained.images

    generator = settings.generator_steps * GENERATOR_SECONDS[settings.images]
    return Trainers(classify, generate, generator / (settings.classifier_steps * CLASSIFIER_SECONDS[settings.images]))


def _worded(settings: Settings) -> dict[str, str]:
    return {
        "real images": ", ".join(settings.bases),
        "synthetic images": ", ".join(f"{multiple} ×" for multiple in settings.multiples),
        "seeds": str(settings.seeds),
        "steps of a classifier": str(settings.classifier_steps),
        "steps of a generator": str(settings.generator_steps),
    }


def _warnings(data: StudyData, protocol: Protocol, exchange: Exchange) -> tuple[str, ...]:
    found = [*data.notices, *imbalance(data, protocol.bases)]
    found += [text for base in protocol.bases if not exchange.flat for text in unexpected(exchange, base)]
    if exchange.flat:
        found.append("More real images were not shown to help here, so that rates are not to be believed.")
    return tuple(found)


def _write(out: Path, results: WorthResults) -> tuple[Artifact, ...]:
    artifacts = [artifact_in(out, "results", ".json"), artifact_in(out, "table", ".csv")]
    Path(artifacts[0].path).write_text(to_json(results), encoding="utf-8")
    rows = [{"arm": row.method, "title": row.title, **row.values} for row in map(_row, results.arms)]
    with Path(artifacts[1].path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    for name, write in PICTURES.items():
        artifacts.append(artifact_in(out, name, ".png"))
        write(Path(artifacts[-1].path), results)
    return tuple(artifacts)


def _row(arm: ArmResult) -> Row:
    values = {
        "base": arm.base,
        "added": arm.added,
        "accuracy": number(arm.accuracy.value),
        "gain": number(arm.gain.value),
    }
    return Row(
        f"{arm.name}-{arm.base}-{arm.added}",
        arm.title,
        {**values, **_bounds("worth", arm.worth), **_bounds("rate", arm.rate)},
    )


def _bounds(name: str, found: Interval) -> dict[str, float | None]:
    return {name: number(found.value), f"{name}_low": number(found.low), f"{name}_high": number(found.high)}


def _result(
    results: WorthResults, artifacts: tuple[Artifact, ...], warnings: tuple[str, ...], seconds: float
) -> Result:
    data = results.data
    return Result(
        artifacts=artifacts,
        table=tuple(map(_row, results.arms)),
        notes=(*notes("warning", warnings), *notes("info", (*results.guideline, *results.controls))),
        findings=(
            Finding("images", "Images", data.title),
            Finding("classes", "Classes", data.classes),
            *(
                Finding(f"count_{name.replace(' ', '_')}", f"Images: {name}", count)
                for name, count in data.counts.items()
            ),
            Finding("groups", "Patients, slides or heads", data.groups),
            *(
                Finding(f"quality_{each.name}_{each.base}", f"Generator of {_of(each)}", _quality(each))
                for each in results.quality
            ),
        ),
        verdicts=(_verdict(results.quality),),
        seconds=round(seconds, 2),
    )


def _of(quality: GeneratorQuality) -> str:
    return f"{quality.base} real images" if quality.base else "the open set"


def _quality(each: GeneratorQuality) -> str:
    return (
        f"precision {each.precision:.2f}, recall {each.recall:.2f}, coverage {each.coverage:.2f} (new real images: "
        f"{each.real_precision:.2f}, {each.real_recall:.2f}, {each.real_coverage:.2f}); "
        f"{each.copied.value:.1%} as near to a training image as 1 % of new real ones"
    )


def _verdict(quality: tuple[GeneratorQuality, ...]) -> Verdict:
    """Return the verdict on copies: red where a generator copies its training images."""
    copying = [each for each in quality if each.copies]
    text = (
        "Synthetic images are copies of training images."
        if copying
        else "No generator was found to copy its training images."
    )
    reasons = tuple(
        f"Generator of {_of(each)}: {each.copied.value:.1%} of its images ({each.copied.low:.1%} to "
        f"{each.copied.high:.1%}) lie as near to a training image as 1 % of new real images do."
        for each in (copying or quality)
    )
    return Verdict("copies", "Copies", "red" if copying else "none", text, reasons, ("Copies of parts of an image.",))
