"""The audit of networks: train every network of a plan, run the diagnostics on each, compare, and judge."""

from __future__ import annotations

import itertools
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.events import Progress, changed
from core.failure.contamination import NORMALISED, sweep
from core.failure.data.dataset import Dataset
from core.failure.diagnostics.attribution import patches_to_show
from core.failure.diagnostics.battery import ModalityFits, ModelFindings, fit_modality, run_battery
from core.failure.diagnostics.collapse import CollapseWatch, watch
from core.failure.judging import judged
from core.failure.models.trained_model import TrainedModel
from core.failure.models.training import Epoch, fit, training_set
from core.failure.plan import NetworkToTrain, Plan, networks_to_train
from core.failure.results import Diagnostic, Model, Results
from core.failure.summary import summarise
from core.failure.tally import Tally

T = TypeVar("T")
Floats = NDArray[np.float64]
Steps = Generator[Progress, None, T]

# work of the diagnostics of one model, in epochs of training it, and their usual number
BATTERY_EPOCHS = 12.0
USUAL_DIAGNOSTICS = 30


@dataclass(frozen=True)
class TimedResults:
    """Results, and the seconds of training of each model, mean over seeds; seconds differ between equal runs. remarks:
    on how they came about."""

    results: Results
    seconds: dict[str, float]
    remarks: tuple[str, ...] = ()


def audit_networks(datasets: Sequence[Dataset], plan: Plan) -> Steps[TimedResults]:
    """Train and audit every network of ``plan``, yielding progress; ``datasets`` has one for each seed of ``plan``.

    The first seed is audited in full, the others without bands and at one severity. UserError no_networks when the
    data allow nothing of the plan.
    """
    first = datasets[0]
    wanted, skipped = networks_to_train(plan, first)
    if not wanted:
        raise UserError("no_networks", "Nothing was chosen that these data allow.", "Choose IR, or give pictures too.")
    depths = [plan.depth, *([plan.depth.shallow()] * (len(plan.seeds) - 1))]
    work = _Work(sum(each.work(plan.epochs) + BATTERY_EPOCHS for each in wanted) * len(datasets))
    models: list[Model] = []
    tally = Tally(datasets)
    seconds: dict[str, float] = {}
    all_fits: dict[str, ModalityFits] = {}
    for dataset, seed, depth in zip(datasets, plan.seeds, depths, strict=True):
        own = {each: fit_modality(dataset, each, depth, seed) for each in dict.fromkeys(one.modality for one in wanted)}
        all_fits = all_fits or own
        for network in wanted:
            begun = time.monotonic()
            watched = watch(own[network.modality]) if dataset is first else None
            trained, accuracy = yield from _train(network, dataset, plan, seed, work, watched)
            seconds[network.name] = seconds.get(network.name, 0.0) + (time.monotonic() - begun) / len(datasets)
            findings = yield from _audit(network, trained, own[network.modality], work)
            history = watched.lines() if watched else ()
            model = replace(_model(network, trained, seed, accuracy), history=history)
            models.append(findings.added_to(model))
            for name, each in findings.correct.items():
                tally.add(network.name, name, each)
    swept: tuple[Diagnostic, ...] = ()
    if plan.sweep and "ir" in all_fits:
        swept = yield from sweep(all_fits["ir"], plan.epochs, plan.device)
        skipped = (*skipped, *(() if swept else (NORMALISED,)))
    yield Progress(0.98, 1, 1, "Comparing")
    mode = "patches" if first.spatial else "spectra"
    verdicts = judged(models, all_fits, tally)
    results = summarise(_settings(plan, first), verdicts, all_fits, tally, mode, skipped)
    return TimedResults(replace(results, contamination=swept), seconds)


def _settings(plan: Plan, dataset: Dataset) -> dict[str, str]:
    return {
        "modalities": ", ".join(plan.modalities),
        "remedies": ", ".join(plan.remedies),
        "networks": ", ".join(plan.networks),
        "epochs": str(plan.epochs),
        "seeds": ", ".join(map(str, plan.seeds)),
        "patches": str(len(dataset.train)),
    }


@dataclass
class _Work:
    """The work of a run and the part of it that is done, in epochs."""

    total: float
    done: float = 0.0

    def progress(self, text: str, more: float = 0.0, step: int = 1, steps: int = 1) -> Progress:
        return Progress(min(0.97, (self.done + more) / self.total), step, steps, text)


def _train(
    network: NetworkToTrain, dataset: Dataset, plan: Plan, seed: int, work: _Work, watched: CollapseWatch | None
) -> Steps[tuple[TrainedModel, float]]:
    """Train one network, adding its answers after every epoch to ``watched``; return it and its accuracy on training
    patches."""
    yield work.progress(network.title)
    training = training_set(dataset, network.modality)
    seen = watched.values if watched else None
    steps = fit(network.remedy, network.network, training, plan.epochs, seed, plan.device, seen)
    size = network.work(plan.epochs)

    def told(epoch: Epoch) -> Progress:
        if watched and epoch.logits is not None:
            watched.add(epoch.logits)
        right = f"loss {epoch.loss:.3f}, right {epoch.accuracy:.0%}"
        text = f"{network.title}: epoch {epoch.number} of {epoch.total}, {right}"
        return work.progress(text, size * epoch.number / epoch.total, epoch.number, epoch.total)

    trained = yield from changed(steps, told)
    work.done += size
    return trained, trained.accuracy(training.values, training.labels)


def _audit(network: NetworkToTrain, trained: TrainedModel, fits: ModalityFits, work: _Work) -> Steps[ModelFindings]:
    battery = run_battery(fits, trained.logits, trained, patches_to_show(fits.dataset.tests["id"]))
    count = itertools.count(1)

    def told(name: str) -> Progress:
        return work.progress(f"{network.title}: {name}", BATTERY_EPOCHS * min(1.0, next(count) / USUAL_DIAGNOSTICS))

    findings = yield from changed(battery, told)
    work.done += BATTERY_EPOCHS
    return findings


def _model(network: NetworkToTrain, trained: TrainedModel, seed: int, accuracy: float) -> Model:
    return Model(
        network.name,
        network.title,
        network.modality,
        network.remedy.name,
        network.network,
        seed,
        trained.parameters,
        trained.epochs,
        trained.losses,
        accuracy,
        {},
    )
