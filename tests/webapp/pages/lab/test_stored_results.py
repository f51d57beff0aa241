"""The files of a finished run are given to its owner alone, and those of the data go with its job."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from core.engine.protocol import JobSpec
from core.engine.wire import decode_spec, encode_spec
from core.errors import UserError
from core.events import Event, Finished, Started
from core.failure.results_json import to_json
from core.result import Result, Verdict, artifact_in
from tests.webapp.fakes import FakeEngine, wait_for
from tests.webapp.intake.test_spectra_files import write
from tests.webapp.pages.lab_results import results
from webapp.app import build_services
from webapp.door.visitor import KEY
from webapp.endpoints import add_routes
from webapp.intake.spectra_files import accept_tissue
from webapp.pages.kit.job_titles import headline, subject
from webapp.pages.kit.results_files import results_at
from webapp.pages.lab import stored_results
from webapp.services import Services
from webapp.settings import Settings


def script(job_id: str, spec: JobSpec, attempt: int) -> Iterator[Event]:
    yield Started("cpu")
    found, table = (artifact_in(Path(spec.out), *name) for name in (("results", ".json"), ("table", ".csv")))
    Path(found.path).write_text(to_json(results()))
    Path(table.path).write_text("method,id\nir-erm,0.9\n")
    verdicts = (Verdict("rgb", "RGB", "none", "Nothing."), Verdict("ir", "IR", "red", "One number."))
    yield Finished(Result((found, table), verdicts=verdicts))


@pytest.fixture
def served(settings: Settings) -> Iterator[Services]:
    """A server whose engine finishes every run of the lab at once."""
    made = build_services(settings, lambda: FakeEngine(script))
    made.dispatcher.start()
    yield made
    made.dispatcher.stop()
    made.repo.engine.dispose()


def client(services: Services, session: str) -> TestClient:
    """Return a visitor of the two routes, as the guard lets one through."""
    app = FastAPI()
    add_routes(app, services)
    return TestClient(_Session(app, session))


class _Session:
    def __init__(self, app: ASGIApp, session: str) -> None:
        self._app, self._session = app, session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[KEY] = self._session
        await self._app(scope, receive, send)


def test_every_file_of_a_run_is_kept_and_can_be_downloaded(served: Services) -> None:
    job = wait_for(served, served.dispatcher.submit("a", "failure", {}, {}), "a")
    assert {one.name for one in job.artifacts} == {"results", "table"}
    for one in job.artifacts:
        answer = client(served, "a").get(f"/files/{one.id}")
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].endswith(('.json"', '.csv"'))


def test_only_a_finished_run_of_the_lab_has_a_report(served: Services) -> None:
    job = wait_for(served, served.dispatcher.submit("a", "failure", {}, {}), "a")
    assert stored_results.load(served, job).models[0].name == "rgb-erm"
    served.blobs.delete(next(one.blob for one in job.artifacts if one.name == "results"))
    results_at.cache_clear()
    with pytest.raises(UserError) as caught:
        stored_results.load(served, job)
    assert caught.value.code == "not_found"


def test_the_list_of_runs_names_the_tissue_and_the_verdicts(served: Services) -> None:
    job = wait_for(served, served.dispatcher.submit("a", "failure", {}, {"tissue": "none"}), "a")
    assert subject(served, "a", job) == "Simulated tissue: none"
    assert headline(job) == "Failure lab: RGB none, IR red"


def test_files_go_with_the_job_as_they_were_uploaded(settings: Settings, tmp_path: Path) -> None:
    given: list[JobSpec] = []

    def listening(job_id: str, spec: JobSpec, attempt: int) -> Iterator[Event]:
        given.append(spec)
        yield from script(job_id, spec, attempt)

    made = build_services(settings, lambda: FakeEngine(listening))
    upload = write(tmp_path / "core 7.npz")
    size = upload.stat().st_size
    data = accept_tissue(made, [upload], "a")
    made.dispatcher.start()
    wait_for(made, made.dispatcher.submit("a", "failure", {"data": data.id}, {}), "a")
    made.dispatcher.stop()
    made.repo.engine.dispose()
    (file,) = given[0].sources["data"]
    assert (file.name, file.bytes) == ("core 7.npz", size) and decode_spec(encode_spec(given[0])) == given[0]
