"""The audit of plain classifiers of single spectra, with the leakage between spectra of one group."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

import numpy as np

from core.events import Progress, changed
from core.failure.contamination import NORMALISED, sweep
from core.failure.data.dataset import Dataset
from core.failure.diagnostics.battery import Depth, ModalityFits, ModelFindings, fit_modality, run_battery
from core.failure.judging import judged
from core.failure.models.plain_classifiers import NEAREST, Labelled, PlainClassifier, classifiers_of
from core.failure.results import Diagnostic, Model, Results
from core.failure.summary import summarise
from core.failure.tally import Tally
from core.failure.wording import worded

AUDITED = (*(each for each in classifiers_of("ir", spatial=False) if each.name != "score"), NEAREST)


def audit_spectra(
    datasets: Sequence[Dataset], depth: Depth, seed: int, *, swept: bool = False
) -> Generator[Progress, None, Results]:
    """Return the results of plain classifiers on the diagnostics that need no picture (D0 to D4, D7, D9, D10, D12,
    D13), of the data (D16), and the leakage between spectra of one group; yield progress.

    datasets: the folds of the spectra; the first is audited in full, the others without bands and at one severity.
    swept: also the contamination sweep, on the first fold.
    """
    yield Progress(0.02, 0, 1, "Plain classifiers")
    models: list[Model] = []
    tally = Tally(datasets, folds=True)
    all_fits: list[ModalityFits] = []
    steps = len(datasets) * len(AUDITED)
    for fold, dataset in enumerate(datasets):
        fits = fit_modality(dataset, "ir", depth if not fold else depth.shallow(), seed)
        all_fits.append(fits)
        for plain in AUDITED:
            share = 0.05 + 0.85 * len(models) / steps
            model, findings = yield from _audit(plain, fits, fold, share)
            models.append(model)
            tally.add(model.name, "id", findings.correct["id"])
    contamination: tuple[Diagnostic, ...] = ()
    if swept:
        contamination = yield from sweep(all_fits[0], 0, "cpu")
    yield Progress(0.98, 0, 1, "Leakage between spectra of one group")
    settings = {
        "classifiers": ", ".join(each.title for each in AUDITED),
        "folds": str(len(datasets)),
        "seed": str(seed),
    }
    fits_of = {"ir": all_fits[0]}
    notices = (NORMALISED,) if swept and not contamination else ()
    results = summarise(settings, judged(models, fits_of, tally), fits_of, tally, "spectra", notices)
    return replace(results, contamination=contamination)


def _audit(
    plain: PlainClassifier, fits: ModalityFits, fold: int, share: float
) -> Generator[Progress, None, tuple[Model, ModelFindings]]:
    train = fits.dataset.train
    positions = tuple(map(float, train.wavenumbers))
    predict = plain.fit(Labelled(train.ir, train.labels, len(train.classes), positions))
    battery = run_battery(fits, predict, None, np.array([], np.int64))
    findings = yield from changed(battery, lambda name: Progress(share, 0, 1, f"{plain.title}: {name}"))
    accuracy = float((predict(train.ir).argmax(axis=1) == train.labels).mean())
    title = worded(plain.title, "ir", fits.dataset.spatial)
    model = Model(f"ir-{plain.name}", title, "ir", "plain", plain.name, fold, 0, 0, (), accuracy, {})
    return findings.added_to(model), findings
