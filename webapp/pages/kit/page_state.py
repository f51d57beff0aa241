"""What one tab of an open page works on: ids kept in the browser, and the rows of the store behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from core import tasks
from core.declaration import Input, Task
from core.errors import UserError
from webapp.services import Services
from webapp.store.records import JobRecord, ScanRecord

# the input of a task that results are measured against, never made from
REFERENCE = "reference"
# earlier runs on the same scan that can be looked at beside this one
EARLIER_RUNS = 8


@dataclass(frozen=True)
class Volumes:
    """The volumes of an uploaded DICOM folder, each in words, to choose from; number: the one that was taken, from 1.

    number: None where none could be taken without a choice. files: where the upload lies, as long as it is new.
    """

    titles: tuple[str, ...]
    number: int | None
    files: tuple[Path, ...]


@dataclass(frozen=True)
class Held:
    """What one tab of an open page works on: input name -> id of a scan, and the id of a job, "" without one.

    volumes: input name -> what else its upload holds.
    """

    inputs: Mapping[str, str] = field(default_factory=dict)
    job: str = ""
    volumes: Mapping[str, Volumes] = field(default_factory=dict)

    def with_input(self, task: Task, name: str, scan_id: str) -> Held:
        """Return this page with one input replaced, without the job, and without what belonged to the scan before."""
        kept = {} if name == anchor(task) else dict(self.inputs)
        return Held({**kept, name: scan_id}, volumes=self._other_volumes(task, name))

    def with_volumes(self, name: str, volumes: Volumes) -> Held:
        """Return this page with what the upload of an input holds."""
        return replace(self, volumes={**self.volumes, name: volumes})

    def without(self, task: Task, name: str) -> Held:
        """Return this page with one input taken out."""
        kept = {} if name == anchor(task) else {key: value for key, value in self.inputs.items() if key != name}
        return Held(kept, volumes=self._other_volumes(task, name))

    def _other_volumes(self, task: Task, name: str) -> dict[str, Volumes]:
        return {} if name == anchor(task) else {key: one for key, one in self.volumes.items() if key != name}

    def with_job(self, job_id: str) -> Held:
        """Return this page with a job."""
        return replace(self, job=job_id)


@dataclass(frozen=True)
class View:
    """The rows behind a tab: input name -> scan, the job, and other finished jobs on the same scan, newest first.

    volumes: input name -> what else its upload holds.
    """

    task: Task
    scans: Mapping[str, ScanRecord] = field(default_factory=dict)
    job: JobRecord | None = None
    earlier: tuple[JobRecord, ...] = ()
    volumes: Mapping[str, Volumes] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether nothing was given yet."""
        return not self.scans and self.job is None

    @property
    def active(self) -> bool:
        """Whether a job waits or runs."""
        return self.job is not None and not self.job.over

    @property
    def done(self) -> bool:
        """Whether there is a result to look at."""
        return self.job is not None and self.job.state == "done"

    @property
    def missing(self) -> tuple[Input, ...]:
        """The inputs that a run still needs."""
        lacking = tuple(entry for entry in self.task.required if entry.name not in self.scans)
        # a task that needs no scan in particular needs any; one that takes no scans needs none
        wanted = sources(self.task)
        return lacking or (self.task.inputs[:1] if wanted and not any(one in self.scans for one in wanted) else ())

    @property
    def ready(self) -> bool:
        """Whether a run can start."""
        return not self.missing and not self.active


def anchor(task: Task) -> str:
    """Return the input on whose grid all others of ``task`` lie, "" where they stand side by side."""
    return task.required[0].name if task.required else ""


def sources(task: Task) -> tuple[str, ...]:
    """Return the inputs that a result is made from, in the order of the declaration."""
    volumes = (entry for entry in task.inputs if entry.kind == "volume" and not entry.other_head)
    return tuple(entry.name for entry in volumes if entry.name != REFERENCE)


def mask_input(task: Task) -> str:
    """Return the input that is drawn in the viewer, "" where ``task`` has no mask."""
    return next((entry.name for entry in task.inputs if entry.kind == "mask"), "")


def view(services: Services, session: str, task: Task, held: Held) -> View:
    """Return the rows of ``held``; UserError not_found when one is missing or another visitor's."""
    repo = services.repo
    scans = {name: repo.scan(scan_id, session) for name, scan_id in held.inputs.items()}
    job = repo.job(held.job, session) if held.job else None
    earlier = _earlier(services, session, task, held) if job else ()
    return View(task, scans, job, earlier, held.volumes)


def address(shown: View) -> str:
    """Return the query of the page's address that opens the work of a tab again, "" where there is none."""
    if shown.job:
        return urlencode({"job": shown.job.id})
    return urlencode(opening(shown.task, {name: scan.id for name, scan in shown.scans.items()})) if shown.scans else ""


def opening(task: Task, inputs: Mapping[str, str]) -> dict[str, str]:
    """Return the values of an address that opens ``task`` with ``inputs``: input name -> id of a scan."""
    return {"task": task.name, **inputs}


def of_address(services: Services, session: str, query: str) -> tuple[Task, Held] | None:
    """Return the task and the work that the query of an address names, None where it names none.

    Raises UserError not_found for a job or a scan that is gone or another visitor's, or a mask of another scan.
    """
    given = dict(parse_qsl(query.lstrip("?")))
    if "job" in given:
        return of_job(services, session, given["job"])
    task = next((one for one in tasks.TASKS if one.name == given.get("task")), None)
    held = Held({entry.name: given[entry.name] for entry in task.inputs if entry.name in given}) if task else Held()
    if task is None or not held.inputs:
        return None
    scans = view(services, session, task, held).scans
    for entry in task.inputs:
        scan = scans.get(entry.name)
        belongs = scan is None or scan.role == entry.kind
        if not belongs or (scan and entry.kind == "mask" and scan.parent != held.inputs.get(anchor(task))):
            raise UserError("not_found", "The address names a scan of another kind.", "Load the scan in step 1.")
    return task, held


def of_job(services: Services, session: str, job_id: str) -> tuple[Task, Held]:
    """Return the task of a job and its inputs together with it; UserError not_found."""
    job = services.repo.job(job_id, session)
    return tasks.find(job.task), Held(dict(job.inputs), job.id)


def _earlier(services: Services, session: str, task: Task, held: Held) -> tuple[JobRecord, ...]:
    found = [
        job
        for job in services.repo.jobs(session)
        if job.task == task.name and job.id != held.job and job.state == "done" and _same_sources(task, job, held)
    ]
    return tuple(found[:EARLIER_RUNS])


def _same_sources(task: Task, job: JobRecord, held: Held) -> bool:
    """Return whether two runs are about one scan; runs on scans that stand side by side share at least one."""
    if anchor(task):
        return job.inputs.get(anchor(task)) == held.inputs.get(anchor(task))
    return any(held.inputs.get(name) == job.inputs.get(name, "none") for name in sources(task))
