"""What an engine is: it carries the events of ``execute(spec)`` from where the job runs to its caller."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from core.events import Event
from core.result import NamedFile, Note

# the engines as a person writes them
ENGINE_NAMES = "local, ray or ray://HOST:PORT"
ENGINE_PATTERN = r"^(local|ray|ray://[^/\s]+:\d{1,5})$"


@dataclass(frozen=True)
class JobSpec:
    """One job: input name -> file path, raw parameters, an existing empty output folder, a device name.

    notices: input name -> notes about how its file came about, which the file itself does not show. sources: input
    name -> the files as the user gave them, where the input itself is a copy of them. kept: the
    folder in which a stopped run of the same job left what it had computed, "" for none.
    """

    task: str
    inputs: Mapping[str, str]
    params: Mapping[str, object] = field(default_factory=dict)
    out: str = "."
    device: str = "auto"
    notices: Mapping[str, tuple[Note, ...]] = field(default_factory=dict)
    sources: Mapping[str, tuple[NamedFile, ...]] = field(default_factory=dict)
    kept: str = ""

    @property
    def notes(self) -> tuple[Note, ...]:
        """The notices, each with the name of its input; they stand before the notes of the task."""
        return tuple(
            replace(note, text=f"{name}: {note.text}") for name, found in self.notices.items() for note in found
        )


class WorkerLost(Exception):
    """The process that ran the job died; the only failure that is worth a retry."""


class Engine(Protocol):
    """Runs jobs somewhere else; retries, bounds and state belong to the caller."""

    slots: int

    def run(self, job_id: str, spec: JobSpec) -> Iterator[Event]:
        """Yield the job's events; raise ``WorkerLost`` when its process dies or is killed."""
        ...

    def cancel(self, job_id: str) -> None:
        """Kill the job's worker if it runs; calling it again or for an unknown job does nothing."""
        ...

    def close(self) -> None:
        """Stop every worker."""
        ...
