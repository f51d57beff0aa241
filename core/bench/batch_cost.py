"""What a batch costs beside the networks: seconds of the processor, all of it in one process."""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from core.batch.batch_page import write_overview
from core.batch.batch_tables import lines_of, write_tables
from core.batch.run import Batch, Outcome, run_batch
from core.engine.execute import execute
from core.engine.protocol import JobSpec
from core.errors import UserError
from core.events import Event, Progress

MARK = "bench batch"


@dataclass
class Cost:
    """Processor seconds. scans: done; whole: of the batch without the start; jobs: of its jobs; networks: of the calls
    of networks; parts: of the jobs, by the text that is shown meanwhile."""

    scans: int = 0
    whole: float = 0.0
    jobs: float = 0.0
    networks: float = 0.0
    parts: dict[str, float] = field(default_factory=lambda: defaultdict(float))


class _Here:
    """An engine that runs each job in the thread that asks for it, and counts what it takes.

    It has no workers, so that nothing else is done meanwhile.
    """

    slots = 0

    def __init__(self, cost: Cost) -> None:
        self._cost = cost

    def run(self, job_id: str, spec: JobSpec) -> Iterator[Event]:
        """Yield the events of a job."""
        name, last = "", time.process_time()
        for event in execute(spec):
            here = time.process_time()
            self._cost.parts[name] += here - last
            self._cost.jobs += here - last
            if isinstance(event, Progress):
                name = event.text.partition(",")[0] or name
            last = here
            yield event

    def cancel(self, job_id: str) -> None:
        """Do nothing: nobody cancels a job of the bench."""

    def close(self) -> None:
        """Do nothing: there is no process to end."""


def measure(batch: Batch) -> Cost:
    """Run a batch into a folder that is thrown away, after its first scan, which loads programs and networks.

    UserError scans_failed.
    """
    with tempfile.TemporaryDirectory(prefix="counterscan-") as folder:
        first = replace(batch, scans=batch.scans[:1], out=Path(folder) / "first")
        _all_done(run_batch(first, _Here(Cost())))
        cost, every = Cost(), replace(batch, out=Path(folder) / "every")
        begun = time.process_time()
        with _counted(cost):
            outcomes = _all_done(run_batch(every, _Here(cost)))
        lines = lines_of(every, outcomes)
        write_tables(every, outcomes, lines)
        write_overview(every, lines)
        cost.whole = time.process_time() - begun
    cost.scans = len(outcomes)
    return cost


def _all_done(outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
    """Return ``outcomes``; UserError scans_failed with the first scan that has failed."""
    failed = next((outcome for outcome in outcomes if outcome.error is not None), None)
    if failed is not None and failed.error is not None:
        raise UserError("scans_failed", f"{failed.scan.name} has failed. {failed.error.message}", failed.error.hint)
    return outcomes


def markdown(cost: Cost) -> str:
    """Return the table: seconds of the processor for each scan."""
    rows = [("calls of networks", cost.networks), *cost.parts.items()]
    rows += [("all of the job", cost.jobs), ("all of the batch", cost.whole)]
    lines = [f"| {name} | {seconds / cost.scans:.2f} |" for name, seconds in rows if name and seconds >= 0.005]
    return "\n".join((f"Seconds of the processor for each of {cost.scans} scans.\n", "| | |", "|---|---|", *lines))


@contextmanager
def _counted(cost: Cost) -> Iterator[None]:
    """Count the calls of networks; a module within another is part of its call."""
    depth, begun = [0], [0.0]

    def before(module: Any, given: Any) -> None:
        if depth[0] == 0:
            begun[0] = time.process_time()
        depth[0] += 1

    def after(module: Any, given: Any, made: Any) -> None:
        depth[0] -= 1
        if depth[0] == 0:
            cost.networks += time.process_time() - begun[0]

    hooks = [register_module_forward_pre_hook(before), register_module_forward_hook(after)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
