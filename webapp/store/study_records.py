"""Records of reader studies: frozen rows of the database, times aware and in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.measure.answers import Truth, Use

Runs = tuple[int, ...]


@dataclass(frozen=True)
class NewImage:
    """An image to be recorded, whose blob is on the disk.

    region: start, length, start, length ... of the made voxels, x fastest; None where they are not known.
    """

    method: str
    case: str
    truth: Truth
    measures: Mapping[str, float]
    region: Runs | None
    blob: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class NewItem:
    """An item to be recorded; ``images`` are places in ``NewStudy.images``."""

    use: Use
    images: tuple[int, ...]


@dataclass(frozen=True)
class NewStudy:
    """A study to be recorded; notes: sentences for its managers."""

    title: str
    design: Mapping[str, Any]
    notes: tuple[str, ...]
    images: tuple[NewImage, ...]
    items: tuple[NewItem, ...]


@dataclass(frozen=True)
class StudyRecord:
    """One study; closed: the time when its rating ended."""

    id: str
    title: str
    secret: str
    design: dict[str, Any]
    notes: tuple[str, ...]
    closed: datetime | None
    created: datetime


@dataclass(frozen=True)
class ImageRecord:
    """One image of a study."""

    id: int
    method: str
    case: str
    truth: Truth
    measures: dict[str, float]
    region: Runs | None
    blob: str


@dataclass(frozen=True)
class ItemRecord:
    """One item: one or two ids of images, in the order of the design."""

    id: int
    number: int
    use: Use
    images: tuple[int, ...]


@dataclass(frozen=True)
class RaterRecord:
    """One rater; label: the managers' own name for the rater; consented: the time when the rating began."""

    id: str
    study: str
    number: int
    label: str
    expertise: str
    years: float | None
    consented: datetime | None
    expires: datetime | None
    revoked: datetime | None
    created: datetime

    @property
    def name(self) -> str:
        """The name in every result, such as ``R01``."""
        return f"R{self.number:02d}"


@dataclass(frozen=True)
class ShowingRecord:
    """One item shown to one rater; flipped: the item's second image stands left; left, right: ends of addresses."""

    id: str
    rater: str
    position: int
    item: int
    repeat: bool
    flipped: bool
    left: str
    right: str | None


@dataclass(frozen=True)
class AnswerRecord:
    """The newest answer to a showing; revisions: the number of earlier ones that it supersedes.

    seconds, changes and slices count the earlier ones too.
    """

    id: int
    client_id: str
    showing: str
    answers: dict[str, Any]
    seconds: float
    changes: int
    circumstances: dict[str, Any]
    created: datetime
    revisions: int
