"""What a job gives: files, a table of measures, notes, further values and verdicts; frozen, typed and JSON-able.

``core.result_json`` writes and reads it as JSON.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

# kinds of files that several tasks make; a task may declare others
RESULT, UNCERTAINTY, DIFFERENCE, ERROR = "result", "uncertainty", "difference", "error"
# what was evened out of measured slices, as a share of them
GAIN = "gain"
REPORT, RUN = "report", "run"
# what a method run beside the chosen one made
BASELINE = "baseline"
VOLUME_SUFFIX = ".nii.gz"

# a number, one number for each axis X, Y, Z (RAS+), or None where nothing could be measured
Measured = int | float | tuple[float | None, ...] | None
FindingValue = str | int | float | tuple[str, ...] | tuple[int | float, ...]
Level = Literal["info", "warning"]
VerdictLevel = Literal["red", "amber", "none", "unlearnt"]


def verdict_level(name: str) -> VerdictLevel:
    """Return ``name`` as the level of a verdict; ``ValueError`` where there is none of that name."""
    for level in get_args(VerdictLevel):
        if level == name:
            found: VerdictLevel = level
            return found
    raise ValueError(f"there is no verdict {name!r}")


def artifact_name(kind: str, method: str = "") -> str:
    """Return the name of a result file, which is also the stem of its file: ``"result"``, ``"baseline-cubic"``."""
    return f"{kind}-{method}" if method else kind


def kind_and_method(name: str) -> tuple[str, str]:
    """Return the kind and the method that ``artifact_name`` made ``name`` of; the method is "" without one."""
    kind, _, method = name.partition("-")
    return kind, method


@dataclass(frozen=True)
class Artifact:
    """One result file. kind: what it is, as the task's outputs declare it, without a hyphen; path: where it is;
    method: the method run beside the chosen one that made it, "" for what belongs to the whole run."""

    kind: str
    path: str
    method: str = ""

    @property
    def name(self) -> str:
        """The name of the file among those of its job, unique there."""
        return artifact_name(self.kind, self.method)

    @property
    def is_volume(self) -> bool:
        """Whether the file is a NIfTI volume."""
        return self.path.endswith(VOLUME_SUFFIX)


def artifact_in(folder: Path, kind: str, suffix: str, method: str = "") -> Artifact:
    """Return the artifact of ``kind`` in ``folder`` before its file is written; suffix: ``".json"``."""
    return Artifact(kind, str(folder / f"{artifact_name(kind, method)}{suffix}"), method)


@dataclass(frozen=True)
class NamedFile:
    """A file that a user gave: its name there, its size in bytes, and its sha256 in hexadecimal."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Note:
    """A sentence for the reader of a result; every note is shown. level: "info" for what was found or assumed,
    "warning" for what may make the result worse than it looks."""

    level: Level
    text: str


def notes(level: Level, texts: Iterable[str]) -> tuple[Note, ...]:
    """Return one note of ``level`` for each text."""
    return tuple(Note(level, text) for text in texts)


@dataclass(frozen=True)
class Row:
    """What was measured of one method; values: name of a measure -> value."""

    method: str
    title: str
    values: Mapping[str, Measured] = field(default_factory=dict)

    def number(self, name: str) -> float | None:
        """Return the measure ``name`` where it is one number, else None."""
        value = self.values.get(name)
        return float(value) if isinstance(value, int | float) else None

    def measured(self, name: str) -> bool:
        """Return whether the measure ``name`` has a value, on one axis at least."""
        value = self.values.get(name)
        return any(part is not None for part in value) if isinstance(value, tuple) else value is not None


@dataclass(frozen=True)
class Finding:
    """A value that a task found or assumed beside its measures: the volume of the mask, the size of voxels.

    unit: of each number, "" where it has none.
    """

    name: str
    title: str
    value: FindingValue
    unit: str = ""


@dataclass(frozen=True)
class Verdict:
    """A judgement of one subject (``"ir"``), titled for people (``"IR"``): how bad, a sentence, and what led to it.

    not_tested: what the run cannot know.
    """

    subject: str
    title: str
    level: VerdictLevel
    text: str
    reasons: tuple[str, ...] = ()
    not_tested: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """Everything that a finished job gives.

    table: the chosen method first. weights: names of the networks that were used. seconds: of the whole task.
    """

    artifacts: tuple[Artifact, ...] = ()
    table: tuple[Row, ...] = ()
    notes: tuple[Note, ...] = ()
    findings: tuple[Finding, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    weights: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def files(self) -> dict[str, str]:
        """Name of each artifact -> path."""
        return {artifact.name: artifact.path for artifact in self.artifacts}

    def texts(self, level: Level) -> tuple[str, ...]:
        """Return the texts of the notes of ``level``, in order."""
        return tuple(note.text for note in self.notes if note.level == level)

    def row(self, method: str) -> Row | None:
        """Return the row of ``method``, None where it was not run."""
        return next((row for row in self.table if row.method == method), None)

    def finding(self, name: str) -> FindingValue | None:
        """Return the value of the finding ``name``, None without one."""
        return next((finding.value for finding in self.findings if finding.name == name), None)


def number(value: float) -> float | None:
    """Return ``value`` to four digits, None where nothing could be measured."""
    return float(f"{value:.4g}") if math.isfinite(value) else None
