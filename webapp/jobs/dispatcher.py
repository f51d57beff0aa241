"""The queue at work: claims jobs from the database, runs them on an engine and records what comes of them."""

from __future__ import annotations

import fcntl
import logging
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from typing import IO

from sqlalchemy.exc import SQLAlchemyError

from core import tasks
from core.declaration import Task
from core.engine.protocol import Engine, WorkerLost
from core.errors import UserError
from core.events import Failed
from webapp.jobs.runner import Runner
from webapp.settings import Settings
from webapp.store.blobs import Blobs
from webapp.store.queue import Queue
from webapp.store.records import Claim, ScanRecord
from webapp.store.repository import Repo

log = logging.getLogger(__name__)

INTERNAL = Failed(
    "internal", "The server made a mistake with this job.", "Run it again; if it fails again, report it with the time."
)
TICK = 0.5  # seconds between two looks at the queue when nobody has called


class Dispatcher:
    """Runs the jobs of the database on one engine, ``settings.slots`` at a time.

    engine: makes the engine; called once, at start when ``settings.warm``, else with the first job.
    find: finds a task by name.
    Jobs that a dead server left running start again. Every method is safe to call from any thread.
    """

    def __init__(
        self,
        repo: Repo,
        blobs: Blobs,
        settings: Settings,
        engine: Callable[[], Engine],
        *,
        find: Callable[[str], Task] = tasks.find,
    ) -> None:
        self._repo = repo
        self._blobs = blobs
        self._settings = settings
        self._find = find
        self.queue = Queue(repo.engine, running_per_session=settings.running_per_session)
        self._engine = _Lazy(engine)
        self._owner = secrets.token_hex(8)
        self._work = settings.data / "work"
        self._runner = Runner(self.queue, repo, blobs, self._work, settings.lease, self._engine.get, find)
        self._wake = threading.Condition()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._lock: IO[bytes] | None = None

    def submit(
        self, session: str, task_name: str, inputs: Mapping[str, str], params: Mapping[str, object] | None = None
    ) -> str:
        """Queue a job over scans of this session (input name -> scan id) and return its id, once it is on the disk.

        UserError: unknown_task, bad_parameter, unknown_input, input_missing, wrong_input, not_found, mask_other_scan,
        queue_full, disk_full.
        """
        task = self._find(task_name)
        parsed = task.parse(params or {})
        named = {name: scan_id for name, scan_id in inputs.items() if scan_id}
        self._check_inputs(task, named, session)
        self._blobs.require_room()
        job_id = self.queue.add(
            session,
            task.name,
            named,
            parsed,
            own=self._settings.queue_per_session,
            total=self._settings.queue_total,
        )
        with self._wake:
            self._wake.notify_all()
        return job_id

    def cancel(self, job_id: str, session: str) -> None:
        """End a waiting or running job of this session; one that is over stays as it is. UserError not_found."""
        if self.queue.cancel(job_id, session) == "running" and (engine := self._engine.made):
            engine.cancel(job_id)

    def preview(self, job_id: str, session: str) -> bytes | None:
        """Return a PNG of what a running job of this session looks like so far, None when there is none.

        UserError not_found.
        """
        return self._runner.previews.of(job_id) if self._repo.job(job_id, session).state == "running" else None

    def start(self) -> None:
        """Take over what a dead server left, then look for jobs in the background."""
        self._recover()
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
        self.queue.release(self._owner)
        if self._lock is not None:
            self._lock.close()

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

    def _recover(self) -> None:
        self._work.mkdir(parents=True, exist_ok=True)
        self._lock = (self._settings.data / "server.lock").open("wb")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("another server uses this data folder: its jobs are left to it")
            self.queue.reclaim(time.time())
            return
        self.queue.reclaim(time.time(), everything=True)
        for left_over in (self._work, self._settings.data / "incoming", self._settings.data / "uploads"):
            shutil.rmtree(left_over, ignore_errors=True)
            left_over.mkdir()
        removed = self._blobs.sweep(self._repo.blobs())
        log.info("start: %d files without a row removed", removed)

    def _spawn(self, target: Callable[[], object], name: str) -> None:
        thread = threading.Thread(target=target, name=f"dispatcher-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                claim = self.queue.claim(self._owner, time.time(), self._settings.lease)
                if claim is not None:
                    self._run(claim)
                    continue
            except SQLAlchemyError:
                log.exception("the database did not answer; trying again")
            with self._wake:
                self._wake.wait(TICK)

    def _run(self, claim: Claim) -> None:
        try:
            self._runner.carry_out(claim)
        except WorkerLost as lost:
            log.warning("job %s, attempt %d: %s", claim.id, claim.attempt, lost)
            if self._stopping.is_set():
                self.queue.release(self._owner)
            else:
                self.queue.lose(claim)
        except SQLAlchemyError:
            raise
        except Exception:
            # without this the slot would be lost and its job would run for ever
            log.exception("job %s broke the dispatcher", claim.id)
            self.queue.fail(claim, INTERNAL, 0.0)

    def _warm(self) -> None:
        try:
            self._engine.get()
        except (UserError, WorkerLost, OSError):
            log.exception("the worker processes did not start; the first job will try again")

    def _keep(self) -> None:
        while not self._stopping.wait(self._settings.lease / 4):
            try:
                self.queue.renew(self._owner, time.time(), self._settings.lease)
                self.queue.reclaim(time.time())
            except SQLAlchemyError:
                log.exception("leases were not renewed; trying again")


def _check_role(title: str, kind: str, scan: ScanRecord) -> None:
    own = scan.role if scan.role in ("mask", "tissue") else "volume"
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
