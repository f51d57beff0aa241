"""The bucket of the stored files goes away while a job runs, a scan is loaded or a run is deleted; nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.buckets import Buckets
from tests.phantom import Phantom
from tests.webapp.fakes import ORIGIN, FakeEngine, load
from webapp.app import build_services
from webapp.jobs.runner import FIRST_PAUSE, LONGEST_PAUSE, STORAGE_PATIENCE
from webapp.operations import health
from webapp.services import Services
from webapp.settings import Settings
from webapp.store import bucket_blobs
from webapp.store.blobs import StorageAway


@pytest.fixture
def stored(buckets: Buckets, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """A server on a bucket, whose queue has not been started."""
    monkeypatch.setattr(bucket_blobs, "TRIES", 1)
    made = build_services(settings.model_copy(update={"blobs": f"s3://{buckets.empty()}"}), FakeEngine)
    yield made
    made.dispatcher.stop()
    made.repo.engine.dispose()


def submit(services: Services, head: Phantom, folder: Path) -> str:
    scan, mask = load(services, head, folder)
    return services.dispatcher.submit("a", "inpaint", {"t1": scan.id, "mask": mask.id}, {})


def test_a_result_waits_for_the_bucket(buckets: Buckets, stored: Services, head: Phantom, tmp_path: Path) -> None:
    job_id = submit(stored, head, tmp_path)
    steps = stored.dispatcher.next_job()
    assert steps is not None and next(steps) == 0.0
    buckets.way.closed = True
    waits = [pause for pause, _ in zip((pause for pause in steps if pause), range(3), strict=False)]
    assert waits == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert stored.repo.job(job_id, "a").state == "running"
    buckets.way.closed = False
    assert not any(steps)
    job = stored.repo.job(job_id, "a")
    assert job.state == "done" and all(stored.blobs.path(one.blob).is_file() for one in job.artifacts)


def test_a_job_whose_bucket_stays_away_fails_with_a_sentence(
    buckets: Buckets, stored: Services, head: Phantom, tmp_path: Path
) -> None:
    job_id = submit(stored, head, tmp_path)
    stored.blobs.forget(stored.blobs.copies())
    buckets.way.closed = True
    waited = sum(stored.dispatcher.next_job() or ())
    assert STORAGE_PATIENCE <= waited < STORAGE_PATIENCE + LONGEST_PAUSE
    error = stored.repo.job(job_id, "a").error
    assert error is not None and error.code == "storage_away"
    assert not list((stored.settings.data / "work").iterdir())


def test_a_scan_that_cannot_be_stored_leaves_no_row_and_no_file(
    buckets: Buckets, stored: Services, head: Phantom, tmp_path: Path
) -> None:
    buckets.way.closed = True
    with pytest.raises(StorageAway):
        load(stored, head, tmp_path)
    buckets.way.closed = False
    assert not stored.repo.blobs() and not stored.blobs.copies()


def test_a_deletion_is_finished_when_the_bucket_is_back(
    buckets: Buckets, stored: Services, head: Phantom, tmp_path: Path
) -> None:
    scan, _ = load(stored, head, tmp_path)
    bucket = stored.settings.blobs.removeprefix("s3://")
    buckets.way.closed = True
    stored.erasure.delete_scan(scan.id, "a")
    assert not stored.repo.blobs() and len(buckets.content(bucket)) == 2
    buckets.way.closed = False
    stored.erasure.finish()
    assert not buckets.content(bucket)


def test_a_server_answers_that_its_bucket_is_away(buckets: Buckets, stored: Services) -> None:
    app = FastAPI()
    app.include_router(health.router(stored))
    with TestClient(app, base_url=ORIGIN) as browser:
        assert browser.get("/readyz").json()["files"] is True
        buckets.way.closed = True
        answer = browser.get("/readyz")
        assert answer.status_code == 503 and answer.json()["files"] is False
