"""Spectra without pictures: plain classifiers are examined, and the gap between validating by spectrum and by group."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from core.events import Progress
from core.failure.data.parts import Study
from core.failure.examination import verdict_of
from core.failure.models.shallow import NEAREST, PLAIN, Plain
from core.failure.probing import Depth, Found, examine, prepare
from core.failure.results import Model, Results, Verdict
from core.failure.summary import summarise

EXAMINED = (*(each for each in PLAIN if each.name == "discriminant"), NEAREST)


def run_spectra(study: Study, depth: Depth, seed: int) -> Generator[Progress, None, Results]:
    """Examine plain classifiers of single spectra by the probes that need no picture (D1 to D4, D7, D9, D10, D12,
    D13), describe the data (D16) and measure the leakage between spectra of one group."""
    yield Progress(0.02, 0, 1, "Plain classifiers")
    ground = prepare(study, "ir", depth, seed)
    models, right = [], {}
    for number, plain in enumerate(EXAMINED):
        predict = plain.fit(study.train.ir, study.train.labels, len(study.train.classes))
        probes = examine(ground, predict, None, np.array([], np.int64))
        while True:
            try:
                name = next(probes)
            except StopIteration as end:
                found = end.value
                break
            yield Progress(0.05 + 0.4 * number, 0, 1, f"{plain.title}: {name}")
        accuracy = float((predict(study.train.ir).argmax(axis=1) == study.train.labels).mean())
        models.append(_model(plain, found, seed, accuracy, verdict_of(found, ground)))
        answers = predict(ground.values("id")).argmax(axis=1)
        right[plain.name, "id"] = (answers == study.tests["id"].labels).astype(np.float64)
    yield Progress(0.9, 0, 1, "Leakage between spectra of one group")
    settings = {"classifiers": ", ".join(each.name for each in EXAMINED), "seed": str(seed)}
    return summarise(study, settings, models, {"ir": ground}, right, "spectra", ())


def _model(plain: Plain, found: Found, seed: int, accuracy: float, verdict: Verdict) -> Model:
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
        found.accuracy,
        found.diagnostics,
        found.calibration,
        found.corruptions,
        (),
        found.score,
        found.probabilities,
        verdict,
    )
