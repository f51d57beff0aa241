"""The results of an augmentation study, frozen, and their JSON (schema worth/1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter

from core.measure.intervals import Interval, Number
from core.results_text import read, written

SCHEMA: Literal["worth/1"] = "worth/1"


@dataclass(frozen=True)
class StudiedData:
    """source: "simulated", "heads" or "file". counts: images of each part. groups: patients, slides or heads in all.
    size: (H, W) of an image. kind: "rgb", "ir" or "mri". notices: warnings for the user."""

    source: str
    title: str
    kind: str
    classes: tuple[str, ...]
    counts: dict[str, int]
    groups: int
    size: tuple[int, int]
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class ArmResult:
    """One arm: ``base`` real images, ``added`` others. accuracy, gain over the base alone; worth: k, real images of the
    same effect; rate: k / added. most: the largest k that can be seen, where the real images end. by_seed: accuracy of
    each seed."""

    name: str
    title: str
    base: int
    added: int
    accuracy: Interval
    gain: Interval
    worth: Interval
    rate: Interval
    most: int
    by_seed: tuple[Number, ...]


@dataclass(frozen=True)
class CurvePoint:
    """Accuracy of ``count`` real images: measured, nan between the counts that were tried, and fitted."""

    count: int
    measured: Interval
    fitted: Interval
    by_seed: tuple[Number, ...] = ()


@dataclass(frozen=True)
class Saturation:
    """From how many images on, added to ``base`` by the arm ``name``, more were no better; None where the most still
    were."""

    name: str
    base: int
    added: int | None


@dataclass(frozen=True)
class TrendResult:
    """log k = a + by_added log m + by_base log n0, of the arm ``name``."""

    name: str
    by_added: Interval
    by_base: Interval


@dataclass(frozen=True)
class GeneratorQuality:
    """Quality of one generator, that of ``base`` real images, or of the open set (base 0).

    precision, recall, coverage: in the features of a classifier that was trained on all real images; real_...: of new
    real images. copied: share of its images whose distance to the nearest training image, in parts of that to the
    nearest of other real images, is below ``threshold``; median_ratio and real_ratio: medians of this ratio of its
    images and of new real ones. copies: whether it copies.
    """

    name: str
    base: int
    precision: Number
    recall: Number
    coverage: Number
    real_precision: Number
    real_recall: Number
    real_coverage: Number
    threshold: Number
    copied: Interval
    median_ratio: Number
    real_ratio: Number
    copies: bool


@dataclass(frozen=True)
class Shown:
    """One image to show. picture: PNG in base64, 8 bit. label: number of its class."""

    picture: str
    label: int


@dataclass(frozen=True)
class Gallery:
    """Images of one generator. real: of its training images; synthetic: as many. pairs: each a synthetic image and the
    training image nearest to it; distances: of these pairs, smallest first."""

    name: str
    base: int
    real: tuple[Shown, ...]
    synthetic: tuple[Shown, ...]
    pairs: tuple[tuple[Shown, Shown], ...]
    distances: tuple[Number, ...]


@dataclass(frozen=True)
class WorthResults:
    """The results of a study. curve: of real images alone; floor, exponent: of its fit. guideline: a sentence for each
    base. The same run gives the same values, so no time is among them."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="forbid")

    data: StudiedData
    settings: dict[str, str]
    arms: tuple[ArmResult, ...]
    curve: tuple[CurvePoint, ...]
    floor: Interval
    exponent: Interval
    saturation: tuple[Saturation, ...]
    trends: tuple[TrendResult, ...]
    quality: tuple[GeneratorQuality, ...]
    galleries: tuple[Gallery, ...]
    guideline: tuple[str, ...]
    controls: tuple[str, ...]
    limits: tuple[str, ...]
    schema: Literal["worth/1"] = SCHEMA


_RESULTS: TypeAdapter[WorthResults] = TypeAdapter(WorthResults)


def to_json(results: WorthResults) -> str:
    """Return ``results`` as JSON text: numbers to five digits, null where nothing could be measured."""
    return written(_RESULTS, results)


def from_json(text: str) -> WorthResults:
    """Return the results of a JSON text, nan for null; UserError bad_results where it does not follow the schema."""
    return read(_RESULTS, text, "an augmentation study", SCHEMA)
