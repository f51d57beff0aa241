"""How far a batch of a visitor is: its scans with their runs, counts, rate and the time that is left."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from core import tasks
from core.batch.batch_tables import Line, done_line, failed_line
from core.batch.pace import Standing, State, standing
from core.batch.thumbnail import NAME as THUMBNAIL
from core.declaration import Task
from core.errors import UserError
from core.result import REPORT, RESULT
from webapp.pages.kit.job_titles import method_name
from webapp.services import Services
from webapp.store.batches import SORRY, BatchRecord
from webapp.store.records import JobRecord
from webapp.store.states import OVER

TITLES = {
    "reading": "To be read",
    "queued": "Waiting",
    "running": "Running",
    "done": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
}


@dataclass(frozen=True)
class ManyScan:
    """One scan of a batch; job: None until there is one; error: why it failed; first: why it failed the first time."""

    name: str
    state: str
    job: JobRecord | None
    error: UserError | None
    first: UserError | None = None

    @property
    def note(self) -> str:
        """What is noted of a first try that failed; empty without one, and where the second failed alike."""
        if self.first is None or (self.error is not None and self.error.args == self.first.args):
            return ""
        return f"The first try failed: {self.first.message} {self.first.hint}"


@dataclass(frozen=True)
class ManyState:
    """A batch as it stands."""

    record: BatchRecord
    task: Task
    scans: tuple[ManyScan, ...]

    @property
    def counts(self) -> Counter[str]:
        """How many scans are in each state."""
        return Counter(scan.state for scan in self.scans)

    @property
    def over(self) -> bool:
        """Whether nothing about any scan will change."""
        return all(scan.state in OVER for scan in self.scans)

    def standing(self, moment: datetime | None = None) -> Standing:
        """Return how far it is, with rate and time left; what was cancelled counts as no scan of it."""
        jobs = [scan.job for scan in self.scans if scan.job is not None]
        begun = min((job.started for job in jobs if job.started), default=None)
        passed = ((moment or datetime.now(UTC)) - begun).total_seconds() if begun else 0.0
        ended: tuple[State, ...] = ("done", "failed")
        counts = {state: self.counts[state] for state in ended if self.counts[state]}
        under_way = {scan.name: scan.job.fraction for scan in self.scans if scan.job and scan.state == "running"}
        return standing(len(self.scans) - self.counts["cancelled"], counts, under_way, passed)

    def lines(self) -> list[Line]:
        """Return a line for each scan that is done or has failed, as the tables of a batch have it."""
        return [_line(scan) for scan in self.scans if scan.state in ("done", "failed")]

    def failures(self) -> list[tuple[str, ...]]:
        """Return name, code, message, hint of each scan that failed."""
        return [(scan.name, *scan.error.args) for scan in self.scans if scan.state == "failed" and scan.error]


def batch_state(services: Services, session: str, record: BatchRecord) -> ManyState:
    """Return how a batch of this session stands."""
    jobs = services.repo.jobs_named([scan.job for scan in record.scans if scan.job], session)
    scans = []
    for one in record.scans:
        job, error, state = jobs.get(one.job), one.error, "reading"
        if job is not None:
            state = job.state
            error = UserError(job.error.code, job.error.message, job.error.hint) if job.error else None
        elif error is not None:
            state = "cancelled" if error.code == "cancelled" else "failed"
        scans.append(ManyScan(one.name, state, job, error, one.first_error))
    return ManyState(record, tasks.find(record.task), tuple(scans))


def _line(scan: ManyScan) -> Line:
    if scan.job is None or scan.state == "failed":
        return _noted(failed_line(scan.name, scan.error or SORRY), scan)
    files = [(REPORT, f"{REPORT}.html"), (RESULT, THUMBNAIL)]
    there = tuple(name for kind, name in files if scan.job.artifact(kind))
    return _noted(done_line(scan.name, scan.job.result, method_name(scan.job), scan.job.seconds, there), scan)


def _noted(line: Line, scan: ManyScan) -> Line:
    return replace(line, warnings=(*line.warnings, scan.note)) if scan.note else line
