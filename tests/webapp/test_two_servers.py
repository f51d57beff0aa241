"""Several servers on one database and one folder of files share everything, on PostgreSQL too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import UserError
from tests.buckets import Buckets
from tests.phantom import Phantom
from tests.postgres import Postgres
from tests.webapp.fakes import FakeEngine, load, wait_for
from webapp.app import build_services
from webapp.keeping.retention import Retention
from webapp.services import Services
from webapp.settings import Settings


@pytest.fixture(params=["sqlite", "postgresql", "bucket"])
def servers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Services, Services]]:
    """Two servers whose queues have not been started: on one folder, or on two with a database and a bucket."""

    def both(url: str, blobs: str = "", *folders: str) -> Iterator[tuple[Services, Services]]:
        settings = Settings(database_url=url, blobs=blobs, warm=False, max_upload_mb=8, disk_reserve_mb=1)
        one, other = (
            build_services(settings.model_copy(update={"data": tmp_path / folder}), FakeEngine)
            for folder in folders or ("data", "data")
        )
        yield one, other
        for each in (one, other):
            each.dispatcher.stop()
            each.repo.engine.dispose()

    if request.param == "sqlite":
        yield from both("")
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.empty() as url:
        # as a host gives it, without the name of a driver
        if request.param == "bucket":
            store: Buckets = request.getfixturevalue("buckets")
            yield from both(url, f"s3://{store.empty(versions=True)}/scans", "one", "other")
            return
        yield from both(url.replace("+psycopg", ""))


def test_a_job_given_to_one_server_runs_on_the_other_and_is_seen_on_both(
    servers: tuple[Services, Services], head: Phantom, tmp_path: Path
) -> None:
    one, other = servers
    scan, mask = load(one, head, tmp_path)
    assert other.repo.scan(scan.id, "a") == scan
    job_id = one.dispatcher.submit("a", "inpaint", {"t1": scan.id, "mask": mask.id}, {})
    with pytest.raises(UserError, match="not_found"):
        other.repo.job(job_id, "b")
    for _ in other.dispatcher.next_job() or ():
        pass
    assert wait_for(one, job_id) == wait_for(other, job_id)
    assert one.repo.job(job_id, "a").state == "done"
    # nothing is left for the first, and both read the files
    assert not list(one.dispatcher.next_job() or ())
    for artifact in one.repo.job(job_id, "a").artifacts:
        made = one.blobs.path(artifact.blob).read_bytes()
        assert made and other.blobs.path(artifact.blob).read_bytes() == made
    # a job holds what it reads, and lets go of it
    assert not list((other.settings.data / "work").glob("*"))


def test_what_one_server_deletes_is_gone_on_the_other(
    servers: tuple[Services, Services], head: Phantom, tmp_path: Path
) -> None:
    one, other = servers
    scan, _ = load(one, head, tmp_path)
    other.blobs.path(scan.blob)
    one.erasure.delete_scan(scan.id, "a")
    Retention(other).sweep()
    with pytest.raises(UserError, match="not_found"):
        other.repo.scan(scan.id, "a")
    assert not other.blobs.path(scan.blob).exists()
