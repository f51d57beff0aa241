"""Records of scans, jobs and ratings: frozen rows of the database, times aware and in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.events import Failed
from core.result import Result, kind_and_method
from webapp.store.states import OVER, State


@dataclass(frozen=True)
class ScanRecord:
    """A checked scan or mask; ``filename`` is for display only, ``token`` opens ``/vol/<token>/<name>``.

    shape and spacing (mm) follow the RAS+ axes X, Y, Z; ``orientation`` is that of the file ("RAS").
    ``parent`` is the scan a mask belongs to. keep_until: no retention deletes it before.
    """

    id: str
    session: str
    role: str
    filename: str
    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    orientation: str
    facts: dict[str, Any]
    warnings: tuple[str, ...]
    token: str
    created: datetime
    blob: str
    parent: str | None = None
    keep_until: datetime | None = None


@dataclass(frozen=True)
class ArtifactRecord:
    """One result file of a job; ``token`` opens ``/vol/<token>/<name>``, ``id`` downloads ``/files/<id>``."""

    id: str
    job: str
    name: str
    title: str
    token: str
    blob: str

    @property
    def kind(self) -> str:
        """What the file is, as its task declares it."""
        return kind_and_method(self.name)[0]

    @property
    def method(self) -> str:
        """The method run beside the chosen one that made the file, "" for what belongs to the whole run."""
        return kind_and_method(self.name)[1]


@dataclass(frozen=True)
class JobRecord:
    """One job as it stands; ``position`` is its place in the order of claims (1 = next), only while it waits.

    result: empty until it is done; its files are ``artifacts``. keep_until: no retention deletes it before.
    """

    id: str
    session: str
    task: str
    params: dict[str, Any]
    inputs: dict[str, str]
    state: State
    fraction: float
    text: str
    error: Failed | None
    result: Result
    artifacts: tuple[ArtifactRecord, ...]
    seconds: float | None
    created: datetime
    started: datetime | None
    finished: datetime | None
    position: int | None
    keep_until: datetime | None = None

    @property
    def over(self) -> bool:
        """Whether nothing about the job will change."""
        return self.state in OVER

    def artifact(self, kind: str) -> ArtifactRecord | None:
        """Return the file of ``kind`` that belongs to the whole run, None without one."""
        return next((one for one in self.artifacts if one.kind == kind and not one.method), None)


@dataclass(frozen=True)
class Standing:
    """How far a job is; the fields are those of ``JobRecord``."""

    id: str
    session: str
    state: State
    fraction: float
    text: str
    started: datetime | None
    position: int | None

    @property
    def over(self) -> bool:
        """Whether nothing about the job will change."""
        return self.state in OVER


@dataclass(frozen=True)
class TimedRun:
    """How long one finished job took, with what settings and on which blobs (input name -> blob)."""

    params: Mapping[str, Any]
    blobs: Mapping[str, str]
    seconds: float


@dataclass(frozen=True)
class RatingRecord:
    """One reader's opinion of a result, each score 1 to 5."""

    id: int
    job: str
    realism: int
    border: int
    anatomy: int
    comment: str
    created: datetime


@dataclass(frozen=True)
class NewScan:
    """A scan about to be recorded; its blob is already on the disk."""

    session: str
    role: str
    filename: str
    blob: str
    sha256: str
    bytes: int
    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    orientation: str
    facts: Mapping[str, Any]
    warnings: tuple[str, ...]
    parent: str | None = None


@dataclass(frozen=True)
class NewArtifact:
    """A result file about to be recorded; its blob is already on the disk."""

    name: str
    title: str
    blob: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Claim:
    """A job that a slot now runs: its writes count only while the job has this ``owner``, which no other claim has.

    attempt: the number of this start.
    """

    id: str
    session: str
    task: str
    params: dict[str, Any]
    inputs: dict[str, str]
    owner: str
    attempt: int

    @property
    def run(self) -> str:
        """The name of this run: of its folder, and of the job in the engine."""
        return f"{self.id}-{self.owner.rpartition('.')[2]}"
