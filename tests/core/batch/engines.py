"""Engines that run jobs in this process, or break as the test wants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from core.engine.execute import execute
from core.engine.protocol import JobSpec, WorkerLost
from core.events import Event


class HereEngine:
    """Runs jobs in this process. dies: folder name -> how often its job loses its worker first."""

    def __init__(self, dies: dict[str, int] | None = None, slots: int = 1) -> None:
        self.slots = slots
        self.dies = dies or {}
        self.runs: Counter[str] = Counter()
        self.order: list[str] = []
        self.closed = False

    def run(self, job_id: str, spec: JobSpec) -> Iterator[Event]:
        """Yield the job's events; raise ``WorkerLost`` as often as the test wants."""
        name = Path(job_id).name
        self.runs[name] += 1
        self.order.append(name)
        if self.runs[name] <= self.dies.get(name, 0):
            raise WorkerLost("the worker ended")
        yield from execute(spec)

    def cancel(self, job_id: str) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Note that it was called."""
        self.closed = True
