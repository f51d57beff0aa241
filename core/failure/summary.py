"""From trained and probed models to one result: what the data offer, gaps between pairs, verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.failure.caveats import LIMITS
from core.failure.data.modality import TITLES, channels, images, spectra
from core.failure.data.parts import Study
from core.failure.diagnostics.attribution import choose, gallery
from core.failure.diagnostics.dimension import intrinsic
from core.failure.diagnostics.leakage import leakage
from core.failure.diagnostics.paired import gap
from core.failure.diagnostics.prior import class_noise, crossing, fisher, one_of_all, spectrum_prior
from core.failure.models.shallow import PLAIN
from core.failure.probing import Ground, accuracies
from core.failure.results import Bands, Data, Diagnostic, Gap, Model, Results, Shallow, Verdict
from core.measure.bootstrap import draw_weights
from core.spectra.patches import PatchSet

Floats = NDArray[np.float64]

PRIOR_DRAWS = 200


def describe(ground: Ground) -> list[Diagnostic]:
    """Return what the data of one modality offer before any model (D16, intrinsic dimension), marked with it."""
    patches, modality = ground.study.train, ground.modality
    values, test = images(patches, modality), ground.study.tests["id"]
    one, every = (
        (ground.plain[name](ground.values("id")).argmax(axis=1) == test.labels).astype(np.float64)
        for name in ("score", "discriminant")
    )
    found = [
        spectrum_prior(values, patches.groups, PRIOR_DRAWS),
        one_of_all(one, every, ground.weights("id")),
        fisher(values, patches.labels, channels(patches, modality)[1]),
        class_noise(values, patches.labels, patches.classes, ground.noise, patches.groups, PRIOR_DRAWS),
        crossing(patches.labels, patches.groups, len(patches.classes)),
        intrinsic(values, ground.noise),
    ]
    return [replace(each, title=f"{TITLES[modality]}: {each.title}", name=f"{modality}-{each.name}") for each in found]


def summarise(
    study: Study,
    settings: dict[str, str],
    models: Sequence[Model],
    grounds: Mapping[str, Ground],
    right: Mapping[tuple[str, str], Floats],
    mode: str,
    skipped: tuple[str, ...],
) -> Results:
    """Return the whole result. right: (model, test set) -> 1 for each patch it got right, of the first seed."""
    first = models[0].seed if models else 0
    test = study.tests["id"]
    return Results(
        data=data_of(study, mode, skipped),
        settings=settings,
        models=tuple(models),
        shallow=tuple(_shallow(ground, name) for ground in grounds.values() for name in ground.plain),
        prior=tuple(each for ground in grounds.values() for each in describe(ground)),
        paired=_paired(study, right),
        bands=tuple(_bands(ground) for ground in grounds.values()),
        gallery=gallery(test, choose(test)) if study.spatial else (),
        leakage=leakage(study.everything, first, PRIOR_DRAWS) if study.source == "file" else (),
        verdicts=_verdicts(models, first),
        limits=LIMITS,
    )


def data_of(study: Study, mode: str, notices: tuple[str, ...] = ()) -> Data:
    """Return what was examined, in words and numbers."""
    train = study.train
    counts = {"train": len(train), **{name: len(patches) for name, patches in study.tests.items()}}
    everyone: list[PatchSet] = [train, *study.tests.values()]
    groups = sum(len(np.unique(each.groups)) for each in everyone if each.groups is not None)
    return Data(
        mode,
        study.source,
        study.tissue,
        train.classes,
        counts,
        groups,
        (train.ir.shape[2], train.ir.shape[3]),
        tuple(map(float, train.wavenumbers)),
        (*study.notices, *notices),
    )


def _shallow(ground: Ground, name: str) -> Shallow:
    title = next(each.title for each in PLAIN if each.name == name)
    return Shallow(name, title, ground.modality, accuracies(ground, ground.plain[name]))


def _paired(study: Study, right: Mapping[tuple[str, str], Floats]) -> tuple[Gap, ...]:
    """Return D15: RGB minus IR, both plain; with the picture blurred; and with the best infrared remedy."""
    found: list[Gap] = []
    names = list(dict.fromkeys(name for name, _ in right))
    for test, patches in study.tests.items():
        weights = draw_weights(len(patches), patches.groups)
        best = max(
            (name for name in names if name.startswith("ir-")),
            key=lambda name: float(right[name, test].mean()),
            default="",
        )
        for first, second in dict.fromkeys([("rgb-erm", "ir-erm"), ("rgb-matched", "ir-erm"), ("rgb-erm", best)]):
            if first in names and second in names:
                found.append(gap(test, (first, second), right[first, test], right[second, test], weights))
    return tuple(found)


def _bands(ground: Ground) -> Bands:
    patches = ground.study.train
    names, positions = channels(patches, ground.modality)
    means = spectra(images(patches, ground.modality)).astype(np.float64)
    classes = [means[patches.labels == kind].mean(axis=0) for kind in range(len(patches.classes))]
    return Bands(
        ground.modality,
        names,
        positions,
        tuple(tuple(map(float, each)) for each in classes),
        tuple(map(float, ground.score.pattern)),
        tuple(map(float, ground.noise)),
    )


def _verdicts(models: Sequence[Model], seed: int) -> dict[str, Verdict]:
    """Return the verdict on plain training of the CNN (or the first network) for each modality."""
    found: dict[str, Verdict] = {}
    for model in models:
        if model.seed == seed and model.remedy in ("erm", "plain") and model.verdict is not None:
            found.setdefault(model.modality, model.verdict)
    return found
