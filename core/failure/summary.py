"""The results of a run from its audited models: descriptors of the data, gaps between pairs, verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.failure.data.dataset import Dataset
from core.failure.data.modality import TITLES, channels, images, mean_spectra, technique_of
from core.failure.data_verdict import judge_data
from core.failure.diagnostics.attribution import gallery, patches_to_show
from core.failure.diagnostics.battery import ModalityFits, accuracies
from core.failure.diagnostics.data_prior import class_by_group, class_noise, fisher, one_of_all, spectrum_prior
from core.failure.diagnostics.intrinsic_dimension import intrinsic
from core.failure.diagnostics.leakage import leakage
from core.failure.models.plain_classifiers import KNOWN
from core.failure.results import Bands, Data, Diagnostic, Gap, Model, Part, Results, Shallow, Verdict
from core.failure.tally import Tally
from core.failure.titles import band_axis
from core.failure.verdict import LIMITS
from core.failure.wording import worded, worded_diagnostic
from core.spectra.patches import PatchSet

Ints = NDArray[np.int64]

PRIOR_DRAWS = 200
DATA = "data"
"""The subject of the verdict that is on the data."""
CLASS_NOISE = "class_noise"
GIVEN = "given"
"""The remedy and the network of a model that was trained elsewhere."""


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
    found = [worded_diagnostic(each, modality, fits.dataset.spatial) for each in found]
    return [replace(each, title=f"{TITLES[modality]}: {each.title}", name=f"{modality}-{each.name}") for each in found]


def summarise(
    settings: dict[str, str],
    models: Sequence[Model],
    all_fits: Mapping[str, ModalityFits],
    tally: Tally,
    mode: str,
    skipped: tuple[str, ...],
) -> Results:
    """Return the results. all_fits: of each modality, of the first seed. tally: of all models."""
    dataset, first = tally.datasets[0], models[0].seed if models else 0
    test, audited = dataset.tests["id"], {model.network for model in models}
    prior = tuple(each for fits in all_fits.values() for each in describe(fits))
    leaks = leakage(dataset.everything, first, PRIOR_DRAWS) if dataset.source == "file" else ()
    leaks = tuple(worded_diagnostic(each, "ir", dataset.spatial) for each in leaks)
    return Results(
        data=replace(data_of(dataset, mode, skipped), chance=tally.chance()),
        settings=settings,
        models=tuple(models),
        shallow=tuple(_shallow(fits, name) for fits in all_fits.values() for name in fits.plain if name not in audited),
        prior=prior,
        paired=_paired(tally),
        bands=tuple(_bands(fits) for fits in all_fits.values()),
        gallery=gallery(test, patches_to_show(test)) if dataset.spatial else (),
        leakage=leaks,
        verdicts=_verdicts(models, leaks, prior, tally),
        limits=LIMITS,
        accuracies={name: tally.accuracies(name) for name in tally.models},
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
        parts=tuple(
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
    title = worded(KNOWN[name].title, fits.modality, fits.dataset.spatial)
    return Shallow(name, title, fits.modality, accuracies(fits, fits.plain[name]))


def _paired(tally: Tally) -> tuple[Gap, ...]:
    """Return D15: RGB minus IR, both trained plainly; with the picture blurred; and with the best infrared remedy."""
    found: list[Gap] = []
    infrared = [name for name in tally.models if name.startswith("ir-")]
    for test in tally.datasets[0].tests:
        best = max(infrared, key=lambda name: tally.value(name, test), default="")
        for first, second in dict.fromkeys([("rgb-erm", "ir-erm"), ("rgb-matched", "ir-erm"), ("rgb-erm", best)]):
            if first in tally.models and second in tally.models:
                found.append(tally.gap(test, first, second))
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


def _verdicts(
    models: Sequence[Model], leaks: Sequence[Diagnostic], prior: Sequence[Diagnostic], tally: Tally
) -> dict[str, Verdict]:
    """Return the verdict on the data, where there is one, then that on plain training of the CNN (or the first network)
    for each modality; of plain classifiers, on the best at home."""
    noise = {side: each for each in prior for side in TITLES if each.name == f"{side}-{CLASS_NOISE}"}
    of_data = judge_data(leaks, noise)
    found = {} if of_data is None else {DATA: of_data}
    for model in models:
        if model.remedy in ("erm", GIVEN) and model.verdict is not None:
            found.setdefault(model.modality, model.verdict)
    plain = [model for model in models if model.remedy == "plain"]
    best = max(plain, key=lambda model: tally.value(model.name, "id"), default=None)
    if best is not None and best.verdict is not None:
        judged = f"Judged is the best classifier at home: {best.title}."
        found[best.modality] = replace(best.verdict, reasons=(judged, *best.verdict.reasons))
    return found
