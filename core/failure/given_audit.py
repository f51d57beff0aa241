"""The audit of a model that was trained elsewhere: every diagnostic on its answers, and nothing trained."""

from __future__ import annotations

import itertools
import re
from collections.abc import Generator
from dataclasses import replace

import numpy as np

from core.errors import UserError
from core.events import Progress, changed
from core.failure.data.dataset import Dataset
from core.failure.data.modality import TITLES, channels, images
from core.failure.data.reading_options import RANGE, names_of, positions_of
from core.failure.diagnostics.battery import Depth, fit_modality, run_battery
from core.failure.judging import judged
from core.failure.models.given_input import GivenInput, Predict, raw_predict
from core.failure.network_audit import USUAL_DIAGNOSTICS
from core.failure.results import Model, Results
from core.failure.summary import GIVEN, summarise
from core.failure.tally import Tally
from core.failure.task import Settings

TRAINED_ELSEWHERE = (
    "The model was trained elsewhere: whether it has seen these patients is not known. Its score, the noise and the "
    "plain classifiers are fitted on the training part of the data, and it is judged on the rest."
)
MOST_BANDS = 10_000


def audit_given(
    model: Predict, given: GivenInput, dataset: Dataset, depth: Depth, seed: int, title: str = "Your model"
) -> Generator[Progress, None, Results]:
    """Return the results of ``model`` (prepared patches -> answers) on ``dataset``; yield progress.

    UserError no_pictures, and those of ``raw_predict`` and of the model itself.
    """
    yield Progress(0.02, 0, 1, "Plain classifiers")
    if not dataset.spatial and given.layout in ("NCHW", "NHWC") and given.size > 1:
        raise UserError("model_bands", "Single spectra cannot be made patches.", "Choose a layout of spectra.")
    fits = fit_modality(dataset, given.modality, depth, seed)
    positions, classes = channels(dataset.train, given.modality)[1], dataset.train.classes
    predict = raw_predict(model, given, images(dataset.train, given.modality), positions, classes)
    battery = run_battery(fits, predict, None, np.array([], np.int64), network=True)
    count = itertools.count()

    def told(name: str) -> Progress:
        at = next(count)
        return Progress(min(0.95, 0.05 + 0.9 * at / USUAL_DIAGNOSTICS), at, USUAL_DIAGNOSTICS, f"{title}: {name}")

    findings = yield from changed(battery, told)
    worded = f"{TITLES[given.modality]}: {title}"
    bare = Model(f"{given.modality}-given", worded, given.modality, GIVEN, GIVEN, seed, 0, 0, (), float("nan"), {})
    found = findings.added_to(bare)
    tally = Tally([replace(dataset, notices=(*dataset.notices, TRAINED_ELSEWHERE))])
    for name, each in findings.correct.items():
        tally.add(found.name, name, each)
    mode = "patches" if dataset.spatial else "spectra"
    all_fits = {given.modality: fits}
    return summarise(_settings(given, seed), judged([found], all_fits, tally), all_fits, tally, mode, ())


def given_input(settings: Settings) -> GivenInput:
    """Return what the ``settings`` of the task state of a model. UserError bad_parameter."""
    return GivenInput(
        settings.model_modality,
        bands_of(settings.model_bands),
        settings.model_normalisation,
        _numbers(settings.model_mean),
        _numbers(settings.model_scale),
        settings.model_size,
        settings.model_layout,
        names_of(settings.model_classes),
        settings.model_answers,
    )


def bands_of(text: str) -> tuple[float, ...]:
    """Return the wavenumbers that ``text`` names: a list, or "1000-1800/5" for five of them. UserError bad_parameter.

    >>> bands_of("1000-1800/5"), bands_of("1655, 1080")
    ((1000.0, 1200.0, 1400.0, 1600.0, 1800.0), (1655.0, 1080.0))
    """
    ends, mark, count = text.rpartition("/")
    found = RANGE.fullmatch(ends)
    if mark and found and re.fullmatch(r"\s*\d{1,5}\s*", count) and 2 <= int(count) <= MOST_BANDS:
        return tuple(map(float, np.linspace(float(found[1]), float(found[2]), int(count))))
    if mark or RANGE.fullmatch(text):
        raise UserError(
            "bad_parameter", f"The model's bands cannot be {text[:40]!r}.", "Give a list, or a range as 1000-1800/32."
        )
    return positions_of(text)


def _numbers(text: str) -> tuple[float, ...]:
    words = text.replace(",", " ").replace(";", " ").split()
    try:
        return tuple(map(float, words))
    except ValueError as error:
        raise UserError(
            "bad_parameter", f"Constants of a model cannot be {text[:40]!r}.", "Give numbers with commas between."
        ) from error


def _settings(given: GivenInput, seed: int) -> dict[str, str]:
    return {
        "seed": str(seed),
        "layout": given.layout,
        "normalisation": given.normalisation,
        "bands of the model": ", ".join(f"{at:.6g}" for at in given.bands),
        "subtracted": ", ".join(f"{number:.6g}" for number in given.mean),
        "divided by": ", ".join(f"{number:.6g}" for number in given.scale),
        "size of its patches": str(given.size or ""),
        "classes of the model": ", ".join(given.classes),
        "answers": given.answers,
    }
