"""What a run of the failure lab found: frozen values that become JSON (schema irrgb/1) and come back the same."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.measure.intervals import Interval

SCHEMA = "irrgb/1"


@dataclass(frozen=True)
class Line:
    """Numbers to draw: ``y`` over ``x``, with what the axes are called. low, high: an interval, or empty."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    x_title: str = ""
    y_title: str = ""
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


@dataclass(frozen=True)
class Diagnostic:
    """One probe of a model. code: "D3"; decides: whether the verdict looks at it; reason: why (not).

    figures: further numbers by name. lines: what a plot needs.
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
    """Calibration on one set. confidence, accuracy, share: of each of the bins that hold patches."""

    name: str
    ece: Interval
    brier: Interval
    nll: Interval
    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]
    share: tuple[float, ...]


@dataclass(frozen=True)
class Corrupted:
    """A model under one corruption: accuracy and calibration error at severity 0, 1, ... ; physical: whether an
    instrument or a section can do this while the form of the tissue stays, so that a healthy model should bear it."""

    name: str
    physical: bool
    severities: tuple[int, ...]
    accuracy: tuple[float, ...]
    ece: tuple[float, ...]


@dataclass(frozen=True)
class Attribution:
    """One patch under one model. scores: (H, W) how much each pixel speaks for the predicted class; bands: (C,) how
    much each band does; label, predicted: class numbers."""

    patch: int
    label: int
    predicted: int
    scores: tuple[tuple[float, ...], ...]
    bands: tuple[float, ...]


@dataclass(frozen=True)
class Verdict:
    """level: "red", "amber" or "none"; text: the sentence; reasons: what led to it; not_tested: what it cannot know."""

    level: str
    text: str
    reasons: tuple[str, ...]
    not_tested: tuple[str, ...]


@dataclass(frozen=True)
class Model:
    """One trained network. accuracy: of each test set by name. swap: how many predictions of the swap test went to
    the donor, stayed, or went elsewhere. score, probabilities: the one-dimensional score of each test patch and the
    probability of each class, (N,) and (N, K)."""

    name: str
    title: str
    modality: str
    remedy: str
    network: str
    seed: int
    parameters: int
    epochs: int
    losses: tuple[float, ...]
    train_accuracy: float
    accuracy: dict[str, Interval]
    diagnostics: tuple[Diagnostic, ...] = ()
    calibration: tuple[Reliability, ...] = ()
    corruptions: tuple[Corrupted, ...] = ()
    attributions: tuple[Attribution, ...] = ()
    score: tuple[float, ...] = ()
    probabilities: tuple[tuple[float, ...], ...] = ()
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Shallow:
    """A plain classifier on mean spectra (or colours) beside the networks."""

    name: str
    title: str
    modality: str
    accuracy: dict[str, Interval]


@dataclass(frozen=True)
class Gap:
    """RGB minus IR accuracy of two models on one set, patch by patch. p: exact McNemar test."""

    name: str
    first: str
    second: str
    difference: Interval
    p: float


@dataclass(frozen=True)
class Bands:
    """The spectral side of the data. names: wavenumbers (or R, G, B); spectra: (K, C) mean of each class;
    pattern: (C,) what one standard deviation of the one-dimensional score adds to a spectrum."""

    modality: str
    names: tuple[str, ...]
    positions: tuple[float, ...]
    spectra: tuple[tuple[float, ...], ...]
    pattern: tuple[float, ...]
    noise: tuple[float, ...]


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
class Data:
    """What was examined. mode: "patches", "spectra" or "predictions"; counts: patches of each set; source: "simulated"
    or "file"; notices: what the user should know."""

    mode: str
    source: str
    tissue: str
    classes: tuple[str, ...]
    counts: dict[str, int]
    groups: int
    size: tuple[int, int]
    wavenumbers: tuple[float, ...]
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Results:
    """Everything a run found; what a page, a report or another program draws from.

    prior: descriptors of the data that need no model. leakage: the gap between validating by spectrum and by group.
    verdicts: modality -> verdict on the plain recipe. The same run gives the same values, so no time is among them.
    """

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
    schema: str = SCHEMA
