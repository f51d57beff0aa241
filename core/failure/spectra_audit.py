"""The audit of plain classifiers of single spectra, with the leakage between spectra of one group."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from core.events import Progress
from core.failure.data.dataset import Dataset
from core.failure.diagnostics.battery import Depth, ModelFindings, fit_modality, run_battery
from core.failure.models.plain_classifiers import NEAREST, PLAIN_CLASSIFIERS, PlainClassifier
from core.failure.network_audit import verdict_of
from core.failure.results import Model, Results, Verdict
from core.failure.summary import summarise

AUDITED = (*(each for each in PLAIN_CLASSIFIERS if each.name == "discriminant"), NEAREST)


def audit_spectra(dataset: Dataset, depth: Depth, seed: int) -> Generator[Progress, None, Results]:
    """Return the results of plain classifiers on the diagnostics that need no picture (D1 to D4, D7, D9, D10, D12,
    D13), of the data (D16), and the leakage between spectra of one group; yield progress."""
    yield Progress(0.02, 0, 1, "Plain classifiers")
    fits = fit_modality(dataset, "ir", depth, seed)
    train, test = dataset.train, dataset.tests["id"]
    models, correct = [], {}
    for number, plain in enumerate(AUDITED):
        predict = plain.fit(train.ir, train.labels, len(train.classes))
        battery = run_battery(fits, predict, None, np.array([], np.int64))
        while True:
            try:
                name = next(battery)
            except StopIteration as end:
                findings = end.value
                break
            yield Progress(0.05 + 0.4 * number, 0, 1, f"{plain.title}: {name}")
        accuracy = float((predict(train.ir).argmax(axis=1) == train.labels).mean())
        models.append(_model(plain, findings, seed, accuracy, verdict_of(findings, fits)))
        answers = predict(fits.values("id")).argmax(axis=1)
        correct[plain.name, "id"] = (answers == test.labels).astype(np.float64)
    yield Progress(0.9, 0, 1, "Leakage between spectra of one group")
    settings = {"classifiers": ", ".join(each.name for each in AUDITED), "seed": str(seed)}
    return summarise(dataset, settings, models, {"ir": fits}, correct, "spectra", ())


def _model(plain: PlainClassifier, findings: ModelFindings, seed: int, accuracy: float, verdict: Verdict) -> Model:
    return Model(
        f"ir-{plain.name}",
        plain.title,
        "ir",
        "plain",
        plain.name,
        seed,
        0,
        0,
        (),
        accuracy,
        findings.accuracy,
        findings.diagnostics,
        findings.calibration,
        findings.corruptions,
        (),
        findings.score,
        findings.probabilities,
        verdict,
        findings.confusion,
    )
