"""What a user may say about data: which column, unit, range and patch size to use."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from core.errors import UserError
from core.failure.data.image_patches import Window
from core.failure.reading import ReadingSettings
from core.spectra.axis import Unit
from core.spectra.cube import MAX_BANDS
from core.spectra.scale import Scale

Technique = Literal["auto", "infrared", "raman"]

NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
RANGE = re.compile(rf"\s*({NUMBER})\s*(?:-|–|:|\.\.|to)\s*({NUMBER})\s*")
LONGEST = 200_000


@dataclass(frozen=True)
class Options:
    """How data are read.

    technique, scale, axis: of the spectra, "auto" for what the file states or is plausible. positions: of the bands, in
    ``axis``, or of the first and the last of evenly spaced ones, for a file that has none or wrong ones. keep: the
    wavenumbers (cm^-1) that are kept; bands: the most of them, neighbours averaged. labels, groups: the columns of
    classes and of patients or slides, "" for those with a usual name. classes: names of the classes in their order, or
    "1=benign". window: how an image is cut.
    """

    technique: Technique = "auto"
    scale: Scale = "auto"
    axis: Unit = "auto"
    positions: tuple[float, ...] = ()
    keep: tuple[float, float] | None = None
    bands: int = MAX_BANDS
    labels: str = ""
    groups: str = ""
    classes: tuple[str, ...] = ()
    window: Window = field(default=Window())


def options_of(settings: ReadingSettings) -> Options:
    """Return the options that ``settings`` hold. UserError bad_parameter for texts that are none."""
    return Options(
        settings.technique,
        settings.scale,
        settings.axis,
        positions_of(settings.wavenumbers),
        range_of(settings.keep),
        settings.bands,
        settings.label_column,
        settings.group_column,
        names_of(settings.class_names),
        Window(settings.patch, settings.step, settings.amide, most=settings.most),
    )


def positions_of(text: str) -> tuple[float, ...]:
    """Return the positions that ``text`` names: "1000-1800" for two ends, or a list. UserError bad_parameter.

    >>> positions_of("1000-1800"), positions_of("1000, 1100.5 1200"), positions_of("")
    ((1000.0, 1800.0), (1000.0, 1100.5, 1200.0), ())
    """
    if found := RANGE.fullmatch(text):
        return float(found[1]), float(found[2])
    words = text[:LONGEST].replace(",", " ").replace(";", " ").split()
    if not all(re.fullmatch(NUMBER, word) for word in words) or len(words) == 1:
        raise _refusal("Wavenumbers", text, "two ends, as 1000-1800, or one number for each band")
    return tuple(map(float, words))


def range_of(text: str) -> tuple[float, float] | None:
    """Return the lower and the upper end of a range such as "900-1800", None for "". UserError bad_parameter."""
    if not text.strip():
        return None
    found = RANGE.fullmatch(text)
    if found is None or float(found[1]) == float(found[2]):
        raise _refusal("Range", text, "two wavenumbers, as 900-1800")
    low, high = sorted((float(found[1]), float(found[2])))
    return low, high


def names_of(text: str) -> tuple[str, ...]:
    """Return the names between the commas of ``text``.

    >>> names_of("benign, tumour")
    ('benign', 'tumour')
    """
    return tuple(name.strip()[:60] for name in text.split(",") if name.strip())


def _refusal(what: str, text: str, wanted: str) -> UserError:
    return UserError("bad_parameter", f"{what} cannot be {text[:40]!r}.", f"Give {wanted}.")
