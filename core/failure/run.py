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
from core.failure.attribution import choose
from core.failure.diagnostics.prior import class_noise
from core.failure.examine import Found, Ground, examine, prepare
from core.failure.fitted import Fitted
from core.failure.modality import images
from core.failure.plan import Job, Plan, jobs
from core.failure.results import Model, Results, Verdict
from core.failure.study import Study
from core.failure.summary import PRIOR_DRAWS, summarise
from core.failure.train import fit
from core.failure.verdict import Known, decide

T = TypeVar("T")
Floats = NDArray[np.float64]
Steps = Generator[Progress, None, T]

# work of the probes of one model, in epochs of training it
PROBES = 12.0


def run(studies: Sequence[Study], plan: Plan) -> Steps[Results]:
    """Train and probe everything; ``studies`` has one for each seed of ``plan``. The first seed is probed in full.

    UserError no_networks when the data allow nothing of the plan.
    """
    begun = time.monotonic()
    first = studies[0]
    wanted, skipped = jobs(plan, first)
    if not wanted:
        raise UserError("no_networks", "Nothing was chosen that these data allow.", "Choose IR, or give pictures too.")
    depths = [plan.depth, *([replace(plan.depth, bands=False, severities=(3,))] * (len(plan.seeds) - 1))]
    work = _Work(sum(plan.epochs * job.remedy.epochs * job.remedy.members + PROBES for job in wanted) * len(studies))
    models: list[Model] = []
    right: dict[tuple[str, str], Floats] = {}
    grounds: dict[str, Ground] = {}
    for study, seed, depth in zip(studies, plan.seeds, depths, strict=True):
        own = {each: prepare(study, each, depth, seed) for each in dict.fromkeys(job.modality for job in wanted)}
        grounds = grounds or own
        for job in wanted:
            model, answers = yield from _model(job, study, own[job.modality], plan, seed, work)
            models.append(model)
            if study is first:
                right |= {(job.name, name): each for name, each in answers.items()}
    yield Progress(0.98, 1, 1, "Comparing")
    mode = "patches" if first.spatial else "spectra"
    return summarise(first, _settings(plan, first), models, grounds, right, mode, skipped, time.monotonic() - begun)


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


def _model(
    job: Job, study: Study, ground: Ground, plan: Plan, seed: int, work: _Work
) -> Steps[tuple[Model, dict[str, Floats]]]:
    """Train and probe one network; return it and which patches of each test set it got right."""
    begun = time.monotonic()
    yield work.progress(job.title)
    training = study.training(job.modality)
    steps = fit(job.remedy, job.network, training, plan.epochs, seed, plan.device)
    size, accuracy = plan.epochs * job.remedy.epochs * job.remedy.members, 0.0
    while True:
        try:
            epoch = next(steps)
        except StopIteration as end:
            fitted: Fitted = end.value
            break
        accuracy = epoch.accuracy
        text = f"{job.title}: loss {epoch.loss:.3f}, training accuracy {accuracy:.0%}"
        yield work.progress(text, size * epoch.number / epoch.total, epoch.number, epoch.total)
    seconds = time.monotonic() - begun
    work.done += size
    probes = examine(ground, fitted.logits, fitted, choose(study.tests["id"]))
    count = 0
    while True:
        try:
            name = next(probes)
        except StopIteration as end:
            found: Found = end.value
            break
        count += 1
        yield work.progress(f"{job.title}: {name}", PROBES * min(1.0, count / 40))
    work.done += PROBES
    answers = {
        name: (fitted.logits(ground.values(name)).argmax(axis=1) == patches.labels).astype(np.float64)
        for name, patches in study.tests.items()
    }
    return _described(job, fitted, found, seed, seconds, accuracy, verdict_of(found, ground)), answers


def verdict_of(found: Found, ground: Ground) -> Verdict:
    """Return the verdict on one model from its probes and those of its data."""
    study = ground.study
    values, patches = images(study.train, ground.modality), study.train
    leak = class_noise(values, patches.labels, patches.classes, ground.noise, patches.groups, PRIOR_DRAWS)
    known = Known(patches.groups is not None, True, "conflict" in study.tests, patches.rgb is not None)
    return decide((*found.diagnostics, leak), known)


def _described(
    job: Job, fitted: Fitted, found: Found, seed: int, seconds: float, accuracy: float, verdict: Verdict
) -> Model:
    return Model(
        job.name,
        job.title,
        job.modality,
        job.remedy.name,
        job.network,
        seed,
        fitted.parameters,
        fitted.epochs,
        round(seconds, 2),
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
