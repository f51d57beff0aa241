"""One claimed job, from its inputs on the disk to the row that records how it ended."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from core.declaration import Task
from core.engine.protocol import Engine, JobSpec, WorkerLost
from core.errors import UserError, is_disk_full
from core.events import Event, Failed, Finished, Progress, Started
from core.report.labels import artifact_title
from core.result import NamedFile, Result, notes
from webapp.jobs.snapshots import Previews
from webapp.store.blobs import Blob, Blobs, StorageAway, full
from webapp.store.clock import Clock
from webapp.store.queue import Queue
from webapp.store.records import Claim, NewArtifact, ScanRecord
from webapp.store.repository import Repo
from webapp.store.unfinished_work import UnfinishedWork

log = logging.getLogger(__name__)

INTERNAL = Failed(
    "internal", "The server made a mistake with this job.", "Run it again; if it fails again, report it with the time."
)
PACE = 0.25  # seconds between two progress writes of a job
# the roles of what is no scan: spectra and patches, and models
UNCONVERTED = ("tissue", "model")
# seconds between two tries of a write that the database refused: the first, and the longest after doubling
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
# seconds for which a job waits for files to be read or kept, beside the tries of the store itself
STORAGE_PATIENCE = 600.0
# busy, full, not there: what may be over in a while
REFUSED = (OperationalError, InterfaceError, NoConnection)

Value = TypeVar("Value")
Steps = Generator[float, None, Value]
# task, how a job ended, seconds
Ended = Callable[[str, str, float], object]


@dataclass(frozen=True)
class Ending:
    """How a start of a job ended; ``write`` writes it, and returns whether the claim still held."""

    state: str
    write: Callable[[], bool]


@dataclass
class Runner:
    """Runs claimed jobs in folders of ``work``, which is on the disk of ``blobs``; ``lease`` in seconds.

    stopping: whether the server stops, so that a lost process is no death. ended: called when an end is recorded.
    unfinished: what stopped jobs leave.
    """

    queue: Queue
    repo: Repo
    blobs: Blobs
    work: Path
    lease: float
    engine: Callable[[], Engine]
    find: Callable[[str], Task]
    stopping: Callable[[], bool]
    clock: Clock
    ended: Ended
    unfinished: UnfinishedWork

    def __post_init__(self) -> None:
        self.previews = Previews(self.work)

    def steps(self, claim: Claim) -> Steps[None]:
        """Run a job until its end is recorded; yields after each step the seconds to wait before the next.

        A write of the end that the database refuses is tried again for as long as the caller goes on. Whatever happens
        to the job is recorded; only a database that is broken for good raises.
        """
        begun = self.clock.monotonic()
        kept: list[Blob] = []
        try:
            ending = yield from self._run(claim, kept, begun)
            held = ending is not None and (yield from _insist(ending.write))
            if ending is not None and held:
                self.ended(claim.task, ending.state, self.clock.monotonic() - begun)
        except Exception:
            # without this the job would run again and again
            log.exception("a job broke the dispatcher", extra={"job": claim.id})
            yield from _insist(partial(self.queue.fail, claim, INTERNAL, self.clock.monotonic() - begun))
            return
        if not held:
            self._delete(kept)

    def _run(self, claim: Claim, kept: list[Blob], begun: float) -> Steps[Ending | None]:
        """Run a job and return the write of its end, None when it was taken away; its stored files go to ``kept``."""
        out = self.work / claim.run
        try:
            out.mkdir(parents=True)
            last = yield from self._listen(claim, out)
            if last is not None:
                # nothing is left to go on with
                shutil.rmtree(self._kept(claim), ignore_errors=True)
            seconds = self.clock.monotonic() - begun
            if isinstance(last, Finished):
                write = yield from self._stored(claim, last.result, kept, seconds)
                return Ending("done", write)
            return None if last is None else self._failed(claim, last, begun)
        except WorkerLost as lost:
            log.warning("a job lost its process: %s", lost, extra={"job": claim.id, "start": claim.attempt})
            if self.stopping():
                return Ending("released", partial(self.queue.release, claim))
            return Ending("lost", partial(self.queue.lose, claim))
        except UserError as error:
            return self._failed(claim, error, begun)
        except OSError as error:
            if not is_disk_full(error):
                raise
            return self._failed(claim, full(), begun)
        finally:
            # before the end is written: whoever has the job after that finds nothing of this run
            self.previews.drop(claim.id)
            shutil.rmtree(out, ignore_errors=True)
            shutil.rmtree(self._lent(claim), ignore_errors=True)

    def _listen(self, claim: Claim, out: Path) -> Steps[Finished | Failed | None]:
        """Write progress as it comes and return the last event, None when the job was taken away."""
        spec = yield from _insist(lambda: self._spec(claim, out))
        engine = self.engine()
        # an iterator left open would keep the job's process running
        with closing(cast("_Closable", engine.run(claim.run, spec))) as events:
            written = -PACE
            for event in events:
                if isinstance(event, Finished | Failed):
                    return event
                if isinstance(event, Progress) and event.preview:
                    self.previews.keep(claim.id, event.preview)
                if isinstance(event, Started) or self.clock.monotonic() - written >= PACE:
                    if not self._note(claim, event):
                        return None
                    written = self.clock.monotonic()
                yield 0.0
        raise WorkerLost("the job ended without a result")

    def _note(self, claim: Claim, event: Started | Progress) -> bool:
        """Write progress; False when the job was taken away, which a database that refuses does not mean."""
        fraction, text = (event.fraction, event.text) if isinstance(event, Progress) else (0.0, "Started")
        try:
            return self.queue.progress(claim, fraction, text, self.clock.time(), self.lease)
        except REFUSED:
            log.warning("progress was not written", exc_info=True, extra={"job": claim.id})
            return True

    def _spec(self, claim: Claim, out: Path) -> JobSpec:
        inputs, notices, sources = {}, {}, {}
        for name, scan_id in claim.inputs.items():
            scan = self.repo.scan(scan_id, claim.session)
            path = self.blobs.lend(scan.blob, self._lent(claim))
            if not path.is_file():
                raise UserError("input_gone", "A scan of this job is no longer on the server.", "Upload it again.")
            inputs[name] = str(path)
            sources[name] = _sources(scan)
            # what was kept of a scan does not show how it was converted; spectra are read anew by the task
            if scan.role not in UNCONVERTED:
                notices[name] = notes("warning", scan.warnings)
        kept = str(self._kept(claim)) if self.find(claim.task).resumes else ""
        return JobSpec(claim.task, inputs, claim.params, str(out), notices=notices, sources=sources, kept=kept)

    def _lent(self, claim: Claim) -> Path:
        return self.work / f"{claim.run}.inputs"

    def _kept(self, claim: Claim) -> Path:
        return self.unfinished.of_job(claim.session, claim.task, claim.inputs, claim.params)

    def _failed(self, claim: Claim, error: Failed | UserError, begun: float) -> Ending:
        failed = Failed(error.code, error.message, error.hint)
        return Ending("failed", partial(self.queue.fail, claim, failed, self.clock.monotonic() - begun))

    def _stored(self, claim: Claim, result: Result, kept: list[Blob], seconds: float) -> Steps[Callable[[], bool]]:
        """Store the files of a result and return the write of its rows."""
        task = self.find(claim.task)
        artifacts = []
        try:
            for artifact in result.artifacts:
                kept.append((yield from _insist(partial(self.blobs.adopt, Path(artifact.path)))))
                artifacts.append(NewArtifact(artifact.name, artifact_title(task, artifact), *_parts(kept[-1])))
        except BaseException:
            self._delete(kept)
            raise
        return partial(self.queue.finish, claim, artifacts, result, seconds)

    def _delete(self, kept: list[Blob]) -> None:
        # what stays is swept
        with suppress(StorageAway):
            for blob in kept:
                self.blobs.delete(blob.name)


class _Closable(Iterator[Event]):
    """What ``Engine.run`` returns in fact: a generator."""

    def close(self) -> None:
        """Leave the generator."""


def _insist(work: Callable[[], Value]) -> Steps[Value]:
    """Return what ``work`` returns once the database does not refuse; yields the seconds to wait in between.

    StorageAway once the files cannot be reached for STORAGE_PATIENCE.
    """
    pause, waited = FIRST_PAUSE, 0.0
    while True:
        try:
            return work()
        except REFUSED:
            log.warning("the database refused; trying again in %g s", pause, exc_info=True)
        except StorageAway:
            if waited >= STORAGE_PATIENCE:
                raise
            waited += pause
        yield pause
        pause = min(2 * pause, LONGEST_PAUSE)


def _sources(scan: ScanRecord) -> tuple[NamedFile, ...]:
    """Return the files that were uploaded, where intake noted them."""
    return tuple(NamedFile(**each) for each in scan.facts.get("files", ()))


def _parts(blob: Blob) -> tuple[str, str, int]:
    return blob.name, blob.sha256, blob.bytes
