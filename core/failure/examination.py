"""A whole examination: train every network that was asked for, probe each, compare, and judge."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.events import Progress
from core.failure.data.modality import images
from core.failure.data.parts import Study
from core.failure.diagnostics.attribution import choose
from core.failure.diagnostics.prior import class_noise
from core.failure.models.fitted import Fitted
from core.failure.models.training import fit
from core.failure.plan import Job, Plan, jobs
from core.failure.probing import Found, Ground, examine, prepare
from core.failure.results import Model, Results, Verdict
from core.failure.summary import PRIOR_DRAWS, summarise
from core.failure.verdict import Known, decide

T = TypeVar("T")
Floats = NDArray[np.float64]
Steps = Generator[Progress, None, T]

# work of the probes of one model, in epochs of training it
PROBES = 12.0
USUAL_PROBES = 30


@dataclass(frozen=True)
class Timed:
    """A result and the seconds of training of each model, mean over seeds; they differ between equal runs."""

    results: Results
    seconds: dict[str, float]


def run(studies: Sequence[Study], plan: Plan) -> Steps[Timed]:
    """Train and probe everything; ``studies`` has one for each seed of ``plan``. The first seed is probed in full.

    UserError no_networks when the data allow nothing of the plan.
    """
    first = studies[0]
    wanted, skipped = jobs(plan, first)
    if not wanted:
        raise UserError("no_networks", "Nothing was chosen that these data allow.", "Choose IR, or give pictures too.")
    depths = [plan.depth, *([replace(plan.depth, bands=False, severities=(3,))] * (len(plan.seeds) - 1))]
    work = _Work(sum(plan.epochs * job.remedy.epochs * job.remedy.members + PROBES for job in wanted) * len(studies))
    models: list[Model] = []
    right: dict[tuple[str, str], Floats] = {}
    seconds: dict[str, float] = {}
    grounds: dict[str, Ground] = {}
    for study, seed, depth in zip(studies, plan.seeds, depths, strict=True):
        own = {each: prepare(study, each, depth, seed) for each in dict.fromkeys(job.modality for job in wanted)}
        grounds = grounds or own
        for job in wanted:
            begun = time.monotonic()
            fitted, accuracy = yield from _train(job, study, plan, seed, work)
            seconds[job.name] = seconds.get(job.name, 0.0) + (time.monotonic() - begun) / len(studies)
            found = yield from _probe(job, fitted, own[job.modality], work)
            models.append(_described(job, fitted, found, seed, accuracy, verdict_of(found, own[job.modality])))
            if study is first:
                right |= {(job.name, name): each for name, each in found.right.items()}
    yield Progress(0.98, 1, 1, "Comparing")
    mode = "patches" if first.spatial else "spectra"
    return Timed(summarise(first, _settings(plan, first), models, grounds, right, mode, skipped), seconds)


def _settings(plan: Plan, study: Study) -> dict[str, str]:
    return {
        "modalities": ", ".join(plan.modalities),
        "remedies": ", ".join(plan.remedies),
        "networks": ", ".join(plan.networks),
        "epochs": str(plan.epochs),
        "seeds": ", ".join(map(str, plan.seeds)),
        "patches": str(len(study.train)),
    }


@dataclass
class _Work:
    """How much of all the work is done, in epochs."""

    total: float
    done: float = 0.0

    def progress(self, text: str, more: float = 0.0, step: int = 1, steps: int = 1) -> Progress:
        return Progress(min(0.97, (self.done + more) / self.total), step, steps, text)


def _train(job: Job, study: Study, plan: Plan, seed: int, work: _Work) -> Steps[tuple[Fitted, float]]:
    """Train one network; return it and its accuracy on training patches."""
    yield work.progress(job.title)
    steps = fit(job.remedy, job.network, study.training(job.modality), plan.epochs, seed, plan.device)
    size, accuracy = plan.epochs * job.remedy.epochs * job.remedy.members, 0.0
    while True:
        try:
            epoch = next(steps)
        except StopIteration as end:
            work.done += size
            return end.value, accuracy
        accuracy = epoch.accuracy
        text = f"{job.title}: epoch {epoch.number} of {epoch.total}, loss {epoch.loss:.3f}, right {accuracy:.0%}"
        yield work.progress(text, size * epoch.number / epoch.total, epoch.number, epoch.total)


def _probe(job: Job, fitted: Fitted, ground: Ground, work: _Work) -> Steps[Found]:
    probes = examine(ground, fitted.logits, fitted, choose(ground.study.tests["id"]))
    count = 0
    while True:
        try:
            name = next(probes)
        except StopIteration as end:
            work.done += PROBES
            found: Found = end.value
            return found
        count += 1
        yield work.progress(f"{job.title}: {name}", PROBES * min(1.0, count / USUAL_PROBES))


def verdict_of(found: Found, ground: Ground) -> Verdict:
    """Return the verdict on one model from its probes and those of its data."""
    study = ground.study
    values, patches = images(study.train, ground.modality), study.train
    leak = class_noise(values, patches.labels, patches.classes, ground.noise, patches.groups, PRIOR_DRAWS)
    known = Known(patches.groups is not None, True, "conflict" in study.tests, patches.rgb is not None)
    return decide((*found.diagnostics, leak), known)


def _described(job: Job, fitted: Fitted, found: Found, seed: int, accuracy: float, verdict: Verdict) -> Model:
    return Model(
        job.name,
        job.title,
        job.modality,
        job.remedy.name,
        job.network,
        seed,
        fitted.parameters,
        fitted.epochs,
        fitted.losses,
        accuracy,
        found.accuracy,
        found.diagnostics,
        found.calibration,
        found.corruptions,
        found.attributions,
        found.score,
        found.probabilities,
        verdict,
    )
