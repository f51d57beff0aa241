"""The results of a run of the failure lab, frozen; ``core.failure.results_json`` writes and reads them as JSON.

Fields are those of the schema irrgb/1 (assets/schema/irrgb-1.json), which is made of these classes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from pydantic import ConfigDict

from core.measure.intervals import NAN, Interval, Number
from core.result import NamedFile

SCHEMA: Literal["irrgb/1"] = "irrgb/1"


@dataclass(frozen=True)
class Line:
    """A line to draw: ``y`` over ``x``, with the titles of the axes. low, high: bounds of an interval, or empty."""

    name: str
    x: tuple[Number, ...]
    y: tuple[Number, ...]
    x_title: str = ""
    y_title: str = ""
    low: tuple[Number, ...] = ()
    high: tuple[Number, ...] = ()


@dataclass(frozen=True)
class Diagnostic:
    """The outcome of one diagnostic of a model or of the data.

    code: such as "D3". figure: the main number; figures: further ones by name. decides: whether the verdict uses it;
    reason: why, or why not. lines: to draw.
    """

    code: str
    name: str
    title: str
    figure: Interval
    decides: bool
    reason: str
    figures: dict[str, Interval] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Reliability:
    """Calibration on one test set. ece: expected calibration error; brier: Brier score; nll: negative log-likelihood.

    confidence, accuracy, share: of each bin that holds patches.
    """

    name: str
    ece: Interval
    brier: Interval
    nll: Interval
    confidence: tuple[Number, ...]
    accuracy: tuple[Number, ...]
    share: tuple[Number, ...]


@dataclass(frozen=True)
class Corrupted:
    """A model under one corruption: accuracy and calibration error (ece) at severity 0, 1, ...

    physical: whether an instrument or a section can cause it while the form of the tissue stays, so that a healthy
    model should withstand it.
    """

    name: str
    physical: bool
    severities: tuple[int, ...]
    accuracy: tuple[Number, ...]
    ece: tuple[Number, ...]


@dataclass(frozen=True)
class Attribution:
    """Attribution of one patch under one model. scores: (H, W) of each pixel to the predicted class, -1 to 1. bands:
    (C,) of each band. label, predicted: numbers of classes."""

    patch: int
    label: int
    predicted: int
    scores: tuple[tuple[Number, ...], ...]
    bands: tuple[Number, ...]


@dataclass(frozen=True)
class Verdict:
    """The verdict on a model, over all its seeds, or on the data. level: "red", "amber", "none", or "unlearnt" where
    the model has learnt nothing. text: a sentence. reasons: sentences on what led to it. not_tested: what the run did
    not test."""

    level: str
    text: str
    reasons: tuple[str, ...]
    not_tested: tuple[str, ...]


@dataclass(frozen=True)
class Model:
    """One audited model. accuracy: of each test set by name; train_accuracy: on training patches. parameters: how many
    were learnt. losses: of each epoch. history: accuracy and what one number explains after each epoch, of the first
    seed. score: (N,) the one-dimensional score of each test patch. probabilities: (N, K) of the classes. confusion: of
    each test set by name, (K, K) patches of each class (rows) that were taken for each class."""

    name: str
    title: str
    modality: str
    remedy: str
    network: str
    seed: int
    parameters: int
    epochs: int
    losses: tuple[Number, ...]
    train_accuracy: Number
    accuracy: dict[str, Interval]
    diagnostics: tuple[Diagnostic, ...] = ()
    calibration: tuple[Reliability, ...] = ()
    corruptions: tuple[Corrupted, ...] = ()
    attributions: tuple[Attribution, ...] = ()
    score: tuple[Number, ...] = ()
    probabilities: tuple[tuple[Number, ...], ...] = ()
    verdict: Verdict | None = None
    history: tuple[Line, ...] = ()
    confusion: dict[str, tuple[tuple[int, ...], ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Shallow:
    """A plain classifier on mean spectra (or colours) beside the networks."""

    name: str
    title: str
    modality: str
    accuracy: dict[str, Interval]


@dataclass(frozen=True)
class Gap:
    """Accuracy of the model ``first`` minus that of ``second`` on the set ``name``, patch by patch over all seeds. p:
    by exchanging the two models in whole patients or slides."""

    name: str
    first: str
    second: str
    difference: Interval
    p: Number


@dataclass(frozen=True)
class Bands:
    """The spectra of the data, absorbance. names: of the C channels; positions: their wavenumbers in cm^-1, or 0, 1, 2
    for red, green, blue. spectra: (K, C) mean of each class. pattern: (C,) what one standard deviation of the
    one-dimensional score adds to a spectrum. noise: (C,) standard deviation."""

    modality: str
    names: tuple[str, ...]
    positions: tuple[Number, ...]
    spectra: tuple[tuple[Number, ...], ...]
    pattern: tuple[Number, ...]
    noise: tuple[Number, ...]


@dataclass(frozen=True)
class Picture:
    """One patch to show: (H, W, 3) 0 to 255, false colour of the IR cube, and the stained picture where there is
    one (else empty)."""

    patch: int
    label: int
    group: int
    ir: tuple[tuple[tuple[int, ...], ...], ...]
    rgb: tuple[tuple[tuple[int, ...], ...], ...]


@dataclass(frozen=True)
class Part:
    """The patches of one class (its number) in one set ("train", or a test set), and the patients or slides that they
    are of, 0 where unknown."""

    name: str
    label: int
    patches: int
    groups: int


@dataclass(frozen=True)
class Data:
    """The data. mode: "patches", "spectra" or "predictions". source: "simulated" or "file". counts: patches of each
    set. groups: number of patients or slides. size: (H, W) of a patch. wavenumbers: (B,) cm^-1. notices: warnings for
    the user. technique: "infrared", or "raman" where the wavenumbers are shifts and absorbance is relative counts.
    chance: accuracy of always naming the commonest class of the test set "id". parts: patches and groups of each class
    in each set. files: that were read, as the user named them."""

    mode: str
    source: str
    tissue: str
    classes: tuple[str, ...]
    counts: dict[str, int]
    groups: int
    size: tuple[int, int]
    wavenumbers: tuple[Number, ...]
    notices: tuple[str, ...] = ()
    technique: Literal["infrared", "raman"] = "infrared"
    chance: Number = NAN
    parts: tuple[Part, ...] = ()
    files: tuple[NamedFile, ...] = ()


@dataclass(frozen=True)
class Results:
    """The results of a run of the failure lab, for a page, a report or another program.

    prior: descriptors of the data that need no model. paired: accuracy gaps of pairs of models. leakage: the gap
    between validating by spectrum and by group. verdicts: modality -> verdict on the plain recipe, and "data" -> on
    the data. accuracies: model -> test set -> accuracy over all its seeds; the intervals draw seeds and whole groups.
    contamination: accuracy by the share of training patches with a planted confounder, of each model. The same run
    gives the same values, so no time is among them.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="forbid")

    data: Data
    settings: dict[str, str]
    models: tuple[Model, ...]
    shallow: tuple[Shallow, ...]
    prior: tuple[Diagnostic, ...]
    paired: tuple[Gap, ...]
    bands: tuple[Bands, ...]
    gallery: tuple[Picture, ...]
    leakage: tuple[Diagnostic, ...]
    verdicts: dict[str, Verdict]
    limits: tuple[str, ...]
    accuracies: dict[str, dict[str, Interval]] = field(default_factory=dict)
    contamination: tuple[Diagnostic, ...] = ()
    schema: Literal["irrgb/1"] = SCHEMA
