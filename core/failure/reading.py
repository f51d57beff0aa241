"""The parameters of the failure lab for how data are read; left alone, the file or what is plausible decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.declaration import Param
from core.failure import titles

READING = "How your data are read"


@dataclass(frozen=True)
class ReadingSettings:
    """The parameters ``READING_PARAMS`` in their types, which have their meaning and bounds."""

    technique: Literal["auto", "infrared", "raman"]
    scale: Literal["auto", "absorbance", "percent", "transmittance", "counts"]
    axis: Literal["auto", "wavenumber", "raman", "micrometre", "nanometre"]
    wavenumbers: str
    keep: str
    bands: int
    label_column: str
    group_column: str
    class_names: str
    patch: int
    step: int
    amide: float
    most: int


READING_PARAMS: tuple[Param, ...] = (
    Param(
        "technique",
        "choice",
        "auto",
        "Technique",
        "Raman spectra are counts over shifts.",
        choices=("auto", "infrared", "raman"),
        titles=titles.TECHNIQUES,
        folded=READING,
    ),
    Param(
        "scale",
        "choice",
        "auto",
        "Numbers",
        "What the numbers are.",
        choices=("auto", "absorbance", "percent", "transmittance", "counts"),
        titles=titles.SCALES,
        folded=READING,
    ),
    Param(
        "axis",
        "choice",
        "auto",
        "Unit of the bands",
        "Of their positions.",
        choices=("auto", "wavenumber", "raman", "micrometre", "nanometre"),
        titles=titles.AXES,
        folded=READING,
    ),
    Param(
        "wavenumbers",
        "text",
        "",
        "Wavenumbers",
        "For a file without or with wrong ones: of the first and the last band, as 1000-1800, or of each band.",
        high=200_000,
        folded=READING,
    ),
    Param("keep", "text", "", "Range", "The wavenumbers that are kept, as 900-1800.", folded=READING),
    Param(
        "bands",
        "int",
        2048,
        "Most bands",
        "More are averaged with their neighbours.",
        low=4,
        high=2048,
        folded=READING,
    ),
    Param("label_column", "text", "", "Column of classes", "Of a table, or the name of an array.", folded=READING),
    Param("group_column", "text", "", "Column of patients", "Or of slides; they are kept apart.", folded=READING),
    Param(
        "class_names",
        "text",
        "",
        "Names of classes",
        "In their order, as benign, tumour; or 1=benign, 3=tumour. Classes of one name become one.",
        high=2000,
        folded=READING,
    ),
    Param(
        "patch", "int", 24, "Side of a patch", "Cut out of an image.", low=1, high=256, unit="pixels", folded=READING
    ),
    Param("step", "int", 0, "Distance of patches", "0: the side.", low=0, high=256, unit="pixels", folded=READING),
    Param(
        "amide",
        "float",
        0.1,
        "Tissue from",
        "Mean absorbance at amide I from which a patch is tissue; -100 takes every patch.",
        low=-100,
        high=100,
        folded=READING,
    ),
    Param(
        "most",
        "int",
        4000,
        "Most patches",
        "Of images, taken evenly over images and classes.",
        low=80,
        high=200_000,
        folded=READING,
    ),
)
