"""Whether results that were read from a file fit together, so that every view of them can be drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.errors import UserError
from core.failure.results import Bands, Diagnostic, Model, Results

LEVELS = ("red", "amber", "none")
MODALITIES = ("ir", "rgb")
Rows = Sequence[Sequence[object]]


def require_consistent(results: Results) -> None:
    """Raise UserError bad_results where lengths, classes or levels of ``results`` contradict each other."""
    for fault in _faults(results):
        raise UserError(
            "bad_results", f"These results contradict themselves: {fault}.", "Give them as a run wrote them."
        )


def _faults(results: Results) -> Iterator[str]:
    classes = len(results.data.classes)
    if not classes:
        yield "there are no classes"
    if not results.models:
        yield "there is no model"
    if any(verdict.level not in LEVELS for verdict in results.verdicts.values()):
        yield "a verdict has no level"
    if any(not 0 <= part.label < classes for part in results.data.parts):
        yield "a part of the data is of no class"
    channels: dict[str, int] = {}
    for bands in results.bands:
        channels[bands.modality] = len(bands.names)
        yield from _of_bands(bands, classes)
    for model in results.models:
        yield from _of_model(model, classes, channels)
    for each in results.prior:
        yield from _of_lines(each)
    if any(not {"by_spectrum", "by_group", "majority"} <= each.figures.keys() for each in results.leakage):
        yield "a figure of leakage is missing"
    for picture in results.gallery:
        if not 0 <= picture.label < classes:
            yield "a picture is of no class"
        for pixels in (picture.ir, picture.rgb):
            if not _is_picture(pixels):
                yield "a picture is not whole"


def _of_model(model: Model, classes: int, channels: dict[str, int]) -> Iterator[str]:
    if model.modality not in MODALITIES:
        yield "a model is of no modality"
    if model.verdict is not None and model.verdict.level not in LEVELS:
        yield "a verdict has no level"
    if len(model.score) != len(model.probabilities) or any(len(row) != classes for row in model.probabilities):
        yield "scores and probabilities of a model do not match"
    for table in model.confusion.values():
        if len(table) != classes or any(len(row) != classes for row in table):
            yield "a table of confusions has another number of classes"
    for each in model.calibration:
        if not len(each.confidence) == len(each.accuracy) == len(each.share):
            yield "a calibration curve is not whole"
    for curve in model.corruptions:
        if not len(curve.severities) == len(curve.accuracy) == len(curve.ece) or not curve.severities:
            yield "a curve of a corruption is not whole"
    for one in model.attributions:
        known = channels.get(model.modality, len(one.bands))
        if not (0 <= one.label < classes and 0 <= one.predicted < classes and len(one.bands) == known):
            yield "an attribution does not fit its data"
        if not one.scores or len({len(row) for row in one.scores}) != 1 or not one.scores[0]:
            yield "an attribution is not whole"
    for diagnostic in model.diagnostics:
        yield from _of_lines(diagnostic)


def _of_bands(bands: Bands, classes: int) -> Iterator[str]:
    count = len(bands.names)
    whole = len(bands.positions) == len(bands.pattern) == count and len(bands.spectra) == classes
    if not whole or any(len(spectrum) != count for spectrum in bands.spectra):
        yield "mean spectra and bands do not match"


def _of_lines(diagnostic: Diagnostic) -> Iterator[str]:
    for line in diagnostic.lines:
        if len(line.x) != len(line.y) or any(len(bound) not in (0, len(line.x)) for bound in (line.low, line.high)):
            yield "a line is not whole"


def _is_picture(pixels: Sequence[Rows]) -> bool:
    """Return whether ``pixels`` are (H, W, 3) of 0 to 255, or nothing."""
    widths = {len(row) for row in pixels}
    numbers = (pixel for row in pixels for pixel in row)
    return len(widths) <= 1 and all(
        len(pixel) == 3 and all(isinstance(part, int) and 0 <= part <= 255 for part in pixel) for pixel in numbers
    )
