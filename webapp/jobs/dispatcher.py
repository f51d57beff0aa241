"""The queue at work: claims jobs from the database, runs them on an engine and records how they end."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing

from sqlalchemy.exc import SQLAlchemyError

from core import tasks
from core.declaration import Task
from core.engine.protocol import Engine, WorkerLost
from core.errors import UserError
from webapp.jobs.board import Board
from webapp.jobs.job_limits import JobLimits, Whereabouts
from webapp.jobs.runner import Ended, Runner
from webapp.settings import Settings
from webapp.store.blobs import Blobs
from webapp.store.clock import Clock
from webapp.store.data_lock import DataLock
from webapp.store.day_use import DayUse
from webapp.store.queue import Queue
from webapp.store.records import Claim, ScanRecord
from webapp.store.repository import Repo
from webapp.store.unfinished_work import UnfinishedWork

log = logging.getLogger(__name__)

TICK = 0.5  # seconds between two looks at the queue when nobody has called


def _unwatched(task: str, state: str, seconds: float) -> None:
    """Count nothing."""


class Dispatcher:
    """Runs the jobs of the database on one engine, ``settings.slots`` at a time.

    engine: makes the engine; called once, at start when ``settings.warm``, else with the first job. unfinished: what
    stopped jobs leave.
    find: finds a task by name. clock: the time. ended: called with task, state and seconds when the end of a start is
    recorded.
    Jobs that a dead server left running start again. Every method is safe to call from any thread. The threads of
    ``start`` do nothing but call ``next_job`` and ``renew``.
    """

    def __init__(
        self,
        repo: Repo,
        blobs: Blobs,
        settings: Settings,
        engine: Callable[[], Engine],
        unfinished: UnfinishedWork,
        *,
        find: Callable[[str], Task] = tasks.find,
        clock: Clock = time,
        ended: Ended = _unwatched,
    ) -> None:
        self._repo = repo
        self._blobs = blobs
        self._settings = settings
        self._find = find
        self.queue = Queue(repo.engine, running_per_session=settings.running_per_session)
        self._engine = _Lazy(engine)
        self._clock = clock
        self._work = settings.data / "work"
        self._data = DataLock(settings.data)
        self._stopping = threading.Event()
        self._runner = Runner(
            self.queue,
            repo,
            blobs,
            self._work,
            settings.lease,
            self._engine.get,
            find,
            self._stopping.is_set,
            clock,
            ended,
            unfinished,
        )
        self._wake = threading.Condition()
        self._threads: list[threading.Thread] = []
        # what the slots of this server run; a claim that is not here is not renewed
        self._held: dict[str, Claim] = {}
        self._change = threading.Lock()
        self.board = Board(self.queue, repo, clock)
        self.whereabouts = Whereabouts()
        self._limits = JobLimits(
            settings.jobs_per_day,
            settings.jobs_per_day_total,
            DayUse(repo.engine, "jobs"),
            self.whereabouts,
            clock.time,
        )

    def submit(
        self, session: str, task_name: str, inputs: Mapping[str, str], params: Mapping[str, object] | None = None
    ) -> str:
        """Queue a job over scans of this session (input name -> scan id) and return its id, once it is on the disk.

        UserError: unknown_task, bad_parameter, unknown_input, input_missing, wrong_input, not_found, mask_other_scan,
        queue_full, job_limit, disk_full.
        """
        task = self._find(task_name)
        parsed = task.parse(params or {})
        named = {name: scan_id for name, scan_id in inputs.items() if scan_id}
        self._check_inputs(task, named, session)
        self._blobs.require_room()
        self._limits.require_room(session)
        job_id = self.queue.add(
            session,
            task.name,
            named,
            parsed,
            own=self._settings.queue_per_session,
            total=self._settings.queue_total,
        )
        # the job is queued, whether it can be counted or not
        self._limits.take(session)
        self.board.change()
        with self._wake:
            self._wake.notify_all()
        return job_id

    def cancel(self, job_id: str, session: str) -> None:
        """End a waiting or running job of this session; one that is over stays as it is. UserError not_found."""
        if self.queue.cancel(job_id, session) == "running":
            self._kill([claim for claim in self._claims() if claim.id == job_id])
        self.board.change()

    def waiting(self) -> int:
        """Return the number of jobs of all sessions that wait or run."""
        return self.board.length()

    def preview(self, job_id: str, session: str) -> bytes | None:
        """Return a PNG of what a running job of this session looks like so far, None when there is none.

        UserError not_found.
        """
        return self._runner.previews.of(job_id) if self._repo.job(job_id, session).state == "running" else None

    def preview_version(self, job_id: str) -> int:
        """Return a number that differs for each picture that ``preview`` returns of a job, 0 when there is none."""
        return self._runner.previews.version(job_id)

    @property
    def is_alive(self) -> bool:
        """Whether every slot looks for jobs."""
        return bool(self._threads) and all(thread.is_alive() for thread in self._threads if "warm" not in thread.name)

    def start(self) -> None:
        """Take over what a dead server left, then look for jobs in the background. UserError data_in_use."""
        self.recover()
        for slot in range(self._settings.slots):
            self._spawn(self._serve, f"slot-{slot}")
        self._spawn(self._keep, "leases")
        if self._settings.warm:
            self._spawn(self._warm, "warm-up")

    def stop(self) -> None:
        """Stop the engine; jobs that run go back into the queue for the next start."""
        self._stopping.set()
        with self._wake:
            self._wake.notify_all()
        self._engine.close()
        for thread in self._threads:
            thread.join(timeout=10)
        for claim in self._claims():
            try:
                self.queue.release(claim)
            except SQLAlchemyError:
                log.exception("a job was not put back; its lease runs out", extra={"job": claim.id})
        self._data.leave()

    def recover(self) -> None:
        """Enter the data folder; a server that is alone there takes back all its jobs and removes what is left over."""
        self._work.mkdir(parents=True, exist_ok=True)
        if not self._data.enter(self._clean):
            log.info("another server uses this data folder: its jobs and files are left to it")
            self.queue.reclaim(self._clock.time())

    def next_job(self) -> Generator[float, None, None] | None:
        """Claim the next job and return its steps, as of ``Runner.steps``; None when there is none."""
        claim = self.queue.claim(self._data.name, self._clock.time(), self._settings.lease)
        if claim is None:
            return None
        with self._change:
            self._held[claim.owner] = claim
        return self._steps(claim)

    def renew(self) -> None:
        """Renew the leases of what runs here, kill what was taken away, and take over what is left of dead servers."""
        gone = self.queue.renew(self._claims(), self._clock.time(), self._settings.lease)
        # a claim whose end is just being recorded has no job in the engine any more
        self._kill(gone)
        self.queue.reclaim(self._clock.time())

    def _check_inputs(self, task: Task, inputs: Mapping[str, str], session: str) -> None:
        unknown = sorted(set(inputs) - {entry.name for entry in task.inputs})
        if unknown:
            raise UserError("unknown_input", f"{task.title} takes no {unknown[0][:40]!r}.", "Leave it out.")
        scans: dict[str, ScanRecord] = {}
        for entry in task.inputs:
            if entry.name in inputs:
                scans[entry.name] = self._repo.scan(inputs[entry.name], session)
                _check_role(entry.title, entry.kind, scans[entry.name])
            elif entry.required:
                raise UserError("input_missing", f"The {entry.title} is missing.", "Load it, then run again.")
        for scan in scans.values():
            if scan.parent and scan.parent not in inputs.values():
                raise UserError(
                    "mask_other_scan",
                    "The mask was made for another scan.",
                    "Load or draw a mask for the scan that is shown now.",
                )

    def _clean(self) -> None:
        self.queue.reclaim(self._clock.time(), self._data.name)
        for left_over in (self._work, self._settings.data / "incoming"):
            shutil.rmtree(left_over, ignore_errors=True)
            left_over.mkdir(exist_ok=True)
        moved = self._blobs.sweep(self._repo.blobs(), self._clock.time())
        log.info("start: files without a row moved to the trash folder", extra={"files": moved})

    def _claims(self) -> list[Claim]:
        with self._change:
            return list(self._held.values())

    def _kill(self, claims: Iterable[Claim]) -> None:
        for claim in claims:
            if engine := self._engine.made:
                engine.cancel(claim.run)

    def _steps(self, claim: Claim) -> Generator[float, None, None]:
        try:
            yield from self._runner.steps(claim)
        finally:
            with self._change:
                del self._held[claim.owner]
            self.board.change()

    def _spawn(self, target: Callable[[], object], name: str) -> None:
        thread = threading.Thread(target=target, name=f"dispatcher-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                steps = self.next_job()
                if steps is not None:
                    self._follow(steps)
                    continue
            except Exception:
                # as a rule the database; without this the slot would be lost
                log.exception("a slot could not go on; trying again")
            with self._wake:
                self._wake.wait(TICK)

    def _follow(self, steps: Generator[float, None, None]) -> None:
        """Take every step; when the server stops, one that must wait is tried once more and then left."""
        with closing(steps):
            for pause in steps:
                if pause and self._stopping.is_set():
                    return
                self._stopping.wait(pause)

    def _warm(self) -> None:
        try:
            self._engine.get()
        except (UserError, WorkerLost, OSError):
            log.exception("the worker processes did not start; the first job will try again")

    def _keep(self) -> None:
        while not self._stopping.wait(self._settings.lease / 4):
            try:
                self.renew()
            except Exception:
                # as a rule the database; without this every lease would run out
                log.exception("leases were not renewed; trying again")


def _check_role(title: str, kind: str, scan: ScanRecord) -> None:
    own = scan.role if scan.role in ("mask", "tissue", "model") else "volume"
    if own != kind:
        raise UserError(
            "wrong_input",
            f"{title}: a {scan.role} was given where a {kind} is needed.",
            "Load the right file, then run again.",
        )


class _Lazy:
    """An engine made when it is first needed."""

    def __init__(self, make: Callable[[], Engine]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._closed = False
        self.made: Engine | None = None

    def get(self) -> Engine:
        with self._lock:
            if self._closed:
                raise WorkerLost("the server is stopping")
            if self.made is None:
                self.made = self._make()
            return self.made

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self.made is not None:
                self.made.close()
