"""The results of a run from its audited models: descriptors of the data, gaps between pairs, verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.failure.data.dataset import Dataset
from core.failure.data.modality import TITLES, channels, images, mean_spectra, technique_of
from core.failure.diagnostics.attribution import gallery, patches_to_show
from core.failure.diagnostics.battery import ModalityFits, accuracies
from core.failure.diagnostics.data_prior import class_by_group, class_noise, fisher, one_of_all, spectrum_prior
from core.failure.diagnostics.intrinsic_dimension import intrinsic
from core.failure.diagnostics.leakage import leakage
from core.failure.diagnostics.paired_accuracy import accuracy_gap
from core.failure.models.plain_classifiers import PLAIN_CLASSIFIERS
from core.failure.results import Bands, Data, Diagnostic, Gap, Model, Part, Results, Shallow, Verdict
from core.failure.titles import band_axis
from core.failure.verdict import LIMITS
from core.measure.bootstrap import draw_weights
from core.spectra.patches import PatchSet

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PRIOR_DRAWS = 200


def describe(fits: ModalityFits) -> list[Diagnostic]:
    """Return the descriptors of one modality's data (D16, intrinsic dimension), named and titled with the modality."""
    patches, modality = fits.dataset.train, fits.modality
    values, test = images(patches, modality), fits.dataset.tests["id"]
    one, every = (
        (fits.plain[name](fits.values("id")).argmax(axis=1) == test.labels).astype(np.float64)
        for name in ("score", "discriminant")
    )
    found = [
        spectrum_prior(values, patches.groups, PRIOR_DRAWS),
        one_of_all(one, every, fits.weights("id")),
        fisher(values, patches.labels, channels(patches, modality)[1], band_axis(technique_of(patches)).position),
        class_noise(values, patches.labels, patches.classes, fits.noise, patches.groups, PRIOR_DRAWS),
        class_by_group(patches.labels, patches.groups, len(patches.classes)),
        intrinsic(values, fits.noise),
    ]
    return [replace(each, title=f"{TITLES[modality]}: {each.title}", name=f"{modality}-{each.name}") for each in found]


def summarise(
    dataset: Dataset,
    settings: dict[str, str],
    models: Sequence[Model],
    all_fits: Mapping[str, ModalityFits],
    correct: Mapping[tuple[str, str], Floats],
    mode: str,
    skipped: tuple[str, ...],
) -> Results:
    """Return the results. correct: (model, test set) -> 1 for each correct patch, else 0, (N,), of the first seed."""
    first = models[0].seed if models else 0
    test = dataset.tests["id"]
    return Results(
        data=data_of(dataset, mode, skipped),
        settings=settings,
        models=tuple(models),
        shallow=tuple(_shallow(fits, name) for fits in all_fits.values() for name in fits.plain),
        prior=tuple(each for fits in all_fits.values() for each in describe(fits)),
        paired=_paired(dataset, correct),
        bands=tuple(_bands(fits) for fits in all_fits.values()),
        gallery=gallery(test, patches_to_show(test)) if dataset.spatial else (),
        leakage=leakage(dataset.everything, first, PRIOR_DRAWS) if dataset.source == "file" else (),
        verdicts=_verdicts(models, first),
        limits=LIMITS,
    )


def data_of(dataset: Dataset, mode: str, notices: tuple[str, ...] = ()) -> Data:
    """Return the description of the data. mode: "patches", "spectra" or "predictions"."""
    train = dataset.train
    counts = {"train": len(train), **{name: len(patches) for name, patches in dataset.tests.items()}}
    everyone: list[PatchSet] = [train, *dataset.tests.values()]
    groups = sum(len(np.unique(each.groups)) for each in everyone if each.groups is not None)
    return Data(
        mode,
        dataset.source,
        dataset.tissue,
        train.classes,
        counts,
        groups,
        (train.ir.shape[2], train.ir.shape[3]),
        tuple(map(float, train.wavenumbers)),
        (*dataset.notices, *notices),
        technique_of(train),
        tuple(
            part
            for name, each in {"train": train, **dataset.tests}.items()
            for part in parts_of(name, each.labels, each.groups, len(train.classes))
        ),
    )


def parts_of(name: str, labels: Ints, groups: Ints | None, classes: int) -> tuple[Part, ...]:
    """Return how many patches and groups of each class the set ``name`` has; labels, groups: (N,)."""
    return tuple(
        Part(
            name,
            kind,
            int((labels == kind).sum()),
            0 if groups is None else len(np.unique(groups[labels == kind])),
        )
        for kind in range(classes)
    )


def _shallow(fits: ModalityFits, name: str) -> Shallow:
    title = next(each.title for each in PLAIN_CLASSIFIERS if each.name == name)
    return Shallow(name, title, fits.modality, accuracies(fits, fits.plain[name]))


def _paired(dataset: Dataset, correct: Mapping[tuple[str, str], Floats]) -> tuple[Gap, ...]:
    """Return D15: RGB minus IR, both trained plainly; with the picture blurred; and with the best infrared remedy."""
    found: list[Gap] = []
    names = list(dict.fromkeys(name for name, _ in correct))
    for test, patches in dataset.tests.items():
        weights = draw_weights(len(patches), patches.groups)
        best = max(
            (name for name in names if name.startswith("ir-")),
            key=lambda name: float(correct[name, test].mean()),
            default="",
        )
        for first, second in dict.fromkeys([("rgb-erm", "ir-erm"), ("rgb-matched", "ir-erm"), ("rgb-erm", best)]):
            if first in names and second in names:
                found.append(accuracy_gap(test, (first, second), correct[first, test], correct[second, test], weights))
    return tuple(found)


def _bands(fits: ModalityFits) -> Bands:
    patches = fits.dataset.train
    names, positions = channels(patches, fits.modality)
    means = mean_spectra(images(patches, fits.modality)).astype(np.float64)
    classes = [means[patches.labels == kind].mean(axis=0) for kind in range(len(patches.classes))]
    return Bands(
        fits.modality,
        names,
        positions,
        tuple(tuple(map(float, each)) for each in classes),
        tuple(map(float, fits.score.pattern)),
        tuple(map(float, fits.noise)),
    )


def _verdicts(models: Sequence[Model], seed: int) -> dict[str, Verdict]:
    """Return the verdict on plain training of the CNN (or the first network) for each modality."""
    found: dict[str, Verdict] = {}
    for model in models:
        if model.seed == seed and model.remedy in ("erm", "plain") and model.verdict is not None:
            found.setdefault(model.modality, model.verdict)
    return found
