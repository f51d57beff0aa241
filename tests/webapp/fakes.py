"""Stand-ins: an engine that follows a script, a page with one upload, files on their way in."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from core.engine.protocol import JobSpec, WorkerLost
from core.events import Event, Finished, Progress, Started
from core.result import REPORT, RESULT, RUN, Result, artifact_in
from tests.phantom import Phantom
from tests.waiting import wait_until
from webapp.intake.scans import accept
from webapp.services import Services
from webapp.store.records import JobRecord, ScanRecord

if TYPE_CHECKING:
    import gradio

ORIGIN = "http://127.0.0.1:7860"
Script = Callable[[str, JobSpec, int], Iterator[Event]]


def finish(job_id: str, spec: JobSpec, attempt: int) -> Iterator[Event]:
    """A job that copies its scan into its result."""
    yield Started("cpu")
    yield Progress(0.5, 1, 2, "half")
    made = (
        (artifact_in(Path(spec.out), RESULT, ".nii.gz"), Path(next(iter(spec.inputs.values()))).read_bytes()),
        (artifact_in(Path(spec.out), RUN, ".json"), json.dumps({"attempt": attempt}).encode()),
        (artifact_in(Path(spec.out), REPORT, ".html"), b"<!doctype html><title>Report</title>"),
    )
    for artifact, content in made:
        Path(artifact.path).write_bytes(content)
    yield Finished(Result(tuple(artifact for artifact, _ in made), seconds=0.1))


def endless(job_id: str, spec: JobSpec, attempt: int) -> Iterator[Event]:
    """A job that never ends."""
    yield Started("cpu")
    while True:
        threading.Event().wait(0.02)
        yield Progress(0.25, 1, 4, "step 1 of 4")


class FakeEngine:
    """Runs ``script(job_id, spec, attempt)`` in the calling thread; ``cancel`` makes it lose its worker."""

    def __init__(self, script: Script = finish) -> None:
        self.slots = 1
        self.script = script
        self.started: list[str] = []
        self.cancelled: set[str] = set()
        self.closed = threading.Event()

    def run(self, job_id: str, spec: JobSpec) -> Iterator[Event]:
        """Yield the script's events; the engine's name of a job is that of one run of it."""
        asked = job_id.partition("-")[0]
        self.started.append(asked)
        for event in self.script(asked, spec, self.started.count(asked)):
            if self.closed.is_set() or job_id in self.cancelled:
                raise WorkerLost("killed")
            yield event

    def cancel(self, job_id: str) -> None:
        """Kill the job."""
        self.cancelled.add(job_id)

    def close(self) -> None:
        """Kill all jobs."""
        self.closed.set()


class Days:
    """Amounts of days, kept in memory; ``rows``: key -> (when its day began, amount)."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[float, int]] = {}

    def load(self, moment: float) -> dict[str, tuple[float, int]]:
        """Return all of them."""
        return dict(self.rows)

    def add(self, amounts: Mapping[str, tuple[float, int]]) -> None:
        """Add up."""
        for key, (began, amount) in amounts.items():
            self.rows[key] = (began, self.rows.get(key, (began, 0))[1] + amount)


def stub_page(services: Services) -> gradio.Blocks:
    """A page with two events: the first shows the path of a file, the second fails on a file that is not there."""
    import gradio as gr

    blocks = gr.Blocks()
    with blocks:
        field = gr.File()
        out = gr.Textbox()
        field.change(lambda file: str(file), field, out)
        gr.Button().click(lambda: (services.settings.data / "missing").read_text(), None, out)
    return blocks


def load(services: Services, head: Phantom, folder: Path, session: str = "a") -> tuple[ScanRecord, ScanRecord]:
    """Take a phantom and its lesion in for ``session``."""
    t1, lesion = head.write(folder)
    scan = accept(services, t1, "t1.nii.gz", session)
    return scan, accept(services, lesion, "lesion.nii.gz", session, "mask", scan.id)


def wait_for(services: Services, job_id: str, session: str = "a") -> JobRecord:
    """Return the job once it is over."""
    return wait_until(lambda: services.repo.job(job_id, session), lambda job: job.over)


def services_of(server: ASGIApp) -> Services:
    """Return the parts of a running server."""
    found: Services = server.services  # type: ignore[attr-defined]
    return found
