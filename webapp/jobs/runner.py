"""One claimed job, from its inputs on the disk to the row that records how it ended."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from core.declaration import Task
from core.engine.protocol import Engine, JobSpec, WorkerLost
from core.errors import UserError
from core.events import Event, Failed, Finished, Progress, Started
from core.report.labels import artifact_title
from core.result import Result
from webapp.jobs.snapshots import Previews
from webapp.store.blobs import Blob, Blobs
from webapp.store.queue import Queue
from webapp.store.records import Claim, NewArtifact
from webapp.store.repository import Repo

log = logging.getLogger(__name__)

PACE = 0.25  # seconds between two progress writes of a job
# the role of spectra and patches among the scans
TISSUE = "tissue"


@dataclass
class Runner:
    """Runs claimed jobs in folders of ``work``, which is on the disk of ``blobs``; ``lease`` in seconds."""

    queue: Queue
    repo: Repo
    blobs: Blobs
    work: Path
    lease: float
    engine: Callable[[], Engine]
    find: Callable[[str], Task]

    def __post_init__(self) -> None:
        self.previews = Previews(self.work)

    def carry_out(self, claim: Claim) -> None:
        """Run a job to its end. Raises WorkerLost when its process died; whatever else happens is recorded."""
        begun = time.monotonic()
        out = self.work / f"{claim.id}-{claim.attempt}"
        shutil.rmtree(out, ignore_errors=True)
        try:
            out.mkdir(parents=True)
            last = self._listen(claim, out)
            if isinstance(last, Finished):
                self._keep(claim, last.result, time.monotonic() - begun)
            elif last is not None:
                self.queue.fail(claim, last, time.monotonic() - begun)
        except UserError as error:
            self.queue.fail(claim, Failed(error.code, error.message, error.hint), time.monotonic() - begun)
        finally:
            self.previews.drop(claim.id)
            shutil.rmtree(out, ignore_errors=True)

    def _listen(self, claim: Claim, out: Path) -> Finished | Failed | None:
        """Write progress as it comes and return the last event, None when the job was taken away."""
        engine = self.engine()
        # an iterator left open would keep the job's process running
        with closing(cast("_Closable", engine.run(claim.id, self._spec(claim, out)))) as events:
            written = 0.0
            for event in events:
                if isinstance(event, Finished | Failed):
                    return event
                if isinstance(event, Progress) and event.preview:
                    self.previews.keep(claim.id, event.preview)
                if isinstance(event, Started) or time.monotonic() - written >= PACE:
                    if not self._note(claim, event):
                        return None
                    written = time.monotonic()
        raise WorkerLost("the job ended without a result")

    def _note(self, claim: Claim, event: Started | Progress) -> bool:
        fraction, text = (event.fraction, event.text) if isinstance(event, Progress) else (0.0, "Started")
        return self.queue.progress(claim, fraction, text, time.time(), self.lease)

    def _spec(self, claim: Claim, out: Path) -> JobSpec:
        inputs, notices = {}, {}
        for name, scan_id in claim.inputs.items():
            scan = self.repo.scan(scan_id, claim.session)
            path = self.blobs.path(scan.blob)
            if not path.is_file():
                raise UserError("input_gone", "A scan of this job is no longer on the server.", "Upload it again.")
            inputs[name] = str(path)
            # what was kept of a scan does not show how it was converted; spectra are read anew by the task
            if scan.role != TISSUE:
                notices[name] = scan.warnings
        return JobSpec(claim.task, inputs, claim.params, str(out), notices=notices)

    def _keep(self, claim: Claim, result: Result, seconds: float) -> None:
        task = self.find(claim.task)
        kept: list[Blob] = []
        recorded = False
        try:
            artifacts = []
            for artifact in result.artifacts:
                kept.append(self.blobs.adopt(Path(artifact.path)))
                artifacts.append(NewArtifact(artifact.name, artifact_title(task, artifact), *_parts(kept[-1])))
            recorded = self.queue.finish(claim, artifacts, result, seconds)
        finally:
            if not recorded:
                for blob in kept:
                    self.blobs.delete(blob.name)


class _Closable(Iterator[Event]):
    """What ``Engine.run`` returns in fact: a generator."""

    def close(self) -> None:
        """Leave the generator."""


def _parts(blob: Blob) -> tuple[str, str, int]:
    return blob.name, blob.sha256, blob.bytes
