"""The events of a running job: frozen, picklable and JSON-able values, in order of time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from core.result import Result


@dataclass(frozen=True)
class Started:
    """The job runs on ``device`` (``"cpu"``, ``"cuda:0"``)."""

    device: str


@dataclass(frozen=True)
class Progress:
    """``step`` of ``steps`` is done; ``fraction`` in [0, 1] never falls within a job.

    preview: a small PNG of what the result looks like so far, now and then; empty most of the time.
    """

    fraction: float
    step: int
    steps: int
    text: str
    preview: bytes = b""


@dataclass(frozen=True)
class Finished:
    """The job is done; ``files`` are those of the result, name -> path."""

    result: Result

    @property
    def files(self) -> Mapping[str, str]:
        """Name of each result file -> path."""
        return self.result.files


@dataclass(frozen=True)
class Failed:
    """The job cannot be done; the three parts of a ``UserError``."""

    code: str
    message: str
    hint: str


Event = Started | Progress | Finished | Failed

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")


def finish(steps: Generator[object, None, T]) -> T:
    """Run a generator to its end and return its value."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            value: T = end.value
            return value


def changed(steps: Generator[A, None, T], change: Callable[[A], B]) -> Generator[B, None, T]:
    """Run a generator to its end, yielding ``change`` of all it yields, and return its value."""
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            value: T = end.value
            return value
        yield change(step)
