"""Whether results that were read from a file fit together, so that every view of them can be drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from core.errors import UserError
from core.failure.results import Attribution, Bands, Corrupted, Diagnostic, Model, Picture, Reliability, Results

LEVELS = ("red", "amber", "none", "unlearnt")
MODALITIES = ("ir", "rgb")
LEAKAGE = {"by_spectrum", "by_group", "majority"}
# what must hold, and what is wrong where it does not
Checks = Iterator[tuple[bool, str]]
# more than the longest run trains
MOST_MODELS = 500


def require_consistent(results: Results) -> None:
    """Raise UserError bad_results where lengths, classes or levels of ``results`` contradict each other."""
    fault = next((fault for holds, fault in _checks(results) if not holds), "")
    if fault:
        raise UserError("bad_results", f"These results contradict themselves: {fault}.", "Give what a run wrote.")


def _checks(results: Results) -> Checks:
    classes = len(results.data.classes)
    yield classes > 0, "there are no classes"
    yield bool(results.models), "there is no model"
    yield len(results.models) <= MOST_MODELS, f"there are more than {MOST_MODELS} models"
    yield all(each.level in LEVELS for each in results.verdicts.values()), "a verdict has no level"
    known = {model.modality for model in results.models}
    yield known | {"data"} >= results.verdicts.keys(), "there is a verdict without a model"
    yield all(0 <= part.label < classes for part in results.data.parts), "a part of the data is of no class"
    yield all(_is_of_bands(bands, classes) for bands in results.bands), "mean spectra and bands do not match"
    channels = {bands.modality: len(bands.names) for bands in results.bands}
    for model in results.models:
        yield from _of_model(model, classes, channels.get(model.modality))
    yield _are_whole(results.prior), "a line is not whole"
    yield all(each.figures.keys() >= LEAKAGE for each in results.leakage), "a figure of leakage is missing"
    yield all(_is_picture(picture, classes) for picture in results.gallery), "a picture is not whole"


def _of_model(model: Model, classes: int, channels: int | None) -> Checks:
    yield model.modality in MODALITIES, "a model is of no modality"
    yield model.verdict is None or model.verdict.level in LEVELS, "a verdict has no level"
    yield len(model.score) == len(model.probabilities), "scores and probabilities of a model do not match"
    tables = (model.probabilities, *model.confusion.values())
    yield all(len(row) == classes for table in tables for row in table), "a model has another number of classes"
    yield all(len(table) == classes for table in model.confusion.values()), "a model has another number of classes"
    yield all(map(_is_curve, model.calibration)), "a calibration curve is not whole"
    yield all(map(_is_series, model.corruptions)), "a curve of a corruption is not whole"
    yield all(_is_map(each, classes, channels) for each in model.attributions), "an attribution does not fit its data"
    yield _are_whole(model.diagnostics), "a line is not whole"


def _is_curve(each: Reliability) -> bool:
    return len(each.confidence) == len(each.accuracy) == len(each.share)


def _is_series(each: Corrupted) -> bool:
    return len(each.severities) == len(each.accuracy) == len(each.ece) > 0


def _is_map(each: Attribution, classes: int, channels: int | None) -> bool:
    of_classes = 0 <= each.label < classes and 0 <= each.predicted < classes
    return of_classes and channels in (None, len(each.bands)) and _is_whole(each.scores)


def _is_of_bands(bands: Bands, classes: int) -> bool:
    count = len(bands.names)
    rows = [bands.positions, bands.pattern, *bands.spectra]
    return len(bands.spectra) == classes and all(len(row) == count for row in rows)


def _are_whole(diagnostics: Iterable[Diagnostic]) -> bool:
    lines = [line for each in diagnostics for line in each.lines]
    return all(len(line.x) == len(line.y) and {len(line.low), len(line.high)} <= {0, len(line.x)} for line in lines)


def _is_picture(picture: Picture, classes: int) -> bool:
    """Return whether a picture is of a class and of (H, W, 3) pixels from 0 to 255, the stained one perhaps none."""
    pixels = [pixel for side in (picture.ir, picture.rgb) for row in side for pixel in row]
    coloured = all(len(pixel) == 3 and min(pixel) >= 0 and max(pixel) <= 255 for pixel in pixels)
    return 0 <= picture.label < classes and coloured and _is_whole(picture.ir) and not _is_ragged(picture.rgb)


def _is_whole(rows: Sequence[Sequence[object]]) -> bool:
    return bool(rows) and bool(rows[0]) and not _is_ragged(rows)


def _is_ragged(rows: Sequence[Sequence[object]]) -> bool:
    return len({len(row) for row in rows}) > 1
