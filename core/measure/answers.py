"""Questions, raters and answers of a reader study: frozen rows without names or addresses, read by the statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["choice", "scale", "mark", "text"]
Use = Literal["item", "training", "catch"]
Truth = Literal["real", "synthetic"]

# the questions with a meaning of their own; all others are scales that the study defines
REAL, PREFER, CONFIDENCE, MARK, COMMENT = "real", "prefer", "confidence", "mark", "comment"


@dataclass(frozen=True)
class Question:
    """One question of a study.

    options: the values of a choice with their titles. low, high: meaning of the ends of a scale of ``levels`` steps,
    counted from 1. optional: whether an item may be finished without an answer.
    """

    name: str
    kind: Kind
    title: str
    help: str = ""
    options: tuple[tuple[str, str], ...] = ()
    levels: int = 5
    low: str = ""
    high: str = ""
    optional: bool = False


@dataclass(frozen=True)
class Image:
    """One image of an item: its method, case and truth, and its measures by name (PSNR in dB, SSIM ...)."""

    method: str
    case: str
    truth: Truth
    measures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """The newest answer to one showing of an item to one rater.

    rater: anonymous name, such as "R03". item: the item's number in the study. repeat: whether it was shown a second
    time. images: in the order of the screen, left first. values: question -> answer: "real" or "synthetic" for REAL,
    "A" (left) or "B" for PREFER, 1 to ``levels`` for a scale, text for COMMENT, for MARK the share of the marked voxels
    that lies in made tissue (None where that is not known). expected: the right answers of a training or catch item.
    seconds: time from the first sight of the images to the answer. changes: answers changed before saving.
    """

    rater: str
    group: str
    item: int
    use: Use
    repeat: bool
    position: int
    images: tuple[Image, ...]
    values: Mapping[str, str | int | float | None]
    expected: Mapping[str, str | int]
    seconds: float
    changes: int
    revisions: int
    slices: Mapping[str, int]
    answered: str


@dataclass(frozen=True)
class Rater:
    """One rater: anonymous name, group ("neuroradiologist, 5 to 10 years"), showings done and showings in all."""

    name: str
    group: str
    done: int
    total: int


@dataclass(frozen=True)
class Collected:
    """The questions, raters and answers of a study; of each showing the newest answer."""

    study: str
    title: str
    questions: tuple[Question, ...]
    raters: tuple[Rater, ...]
    answers: tuple[Answer, ...]
