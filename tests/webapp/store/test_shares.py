from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from tests.phantom import Phantom
from tests.webapp.fakes import load, wait_for
from tests.webapp.store.observed import code, rows
from webapp.keeping.retention import Retention
from webapp.services import Services
from webapp.store import shares
from webapp.store.clock import now
from webapp.store.schema import share

DAY = timedelta(days=1)


def finished(services: Services, head: Phantom, folder: Path) -> tuple[str, str]:
    """Return the ids of a finished run of "a" and of its scan."""
    scan, mask = load(services, head, folder)
    services.dispatcher.start()
    job_id = services.dispatcher.submit("a", "inpaint", {"t1": scan.id, "mask": mask.id}, {"method": "shell"})
    return wait_for(services, job_id).id, scan.id


def test_a_link_opens_one_run_until_it_is_ended(services: Services, head: Phantom, tmp_path: Path) -> None:
    job, _ = finished(services, head, tmp_path)
    made, key = services.shares.add(job, "a", now() + DAY)
    other, _ = services.shares.add(job, "a", now() + 2 * DAY)
    assert len(key) == 43 and services.shares.opened(key) == made and made.job == job
    assert services.shares.of("a") == (other, made) and services.shares.of("b") == ()
    for wrong in (made.id, key[:-1], "", "x" * 43):
        assert code(lambda wrong=wrong: services.shares.opened(wrong)) == "link_over"  # type: ignore[misc]
    assert code(lambda: services.shares.end(made.id, "b")) == "not_found"
    services.shares.end(made.id, "a")
    assert code(lambda: services.shares.opened(key)) == "link_over" and services.shares.of("a") == (other,)


def test_the_database_holds_no_key(services: Services, head: Phantom, tmp_path: Path) -> None:
    job, _ = finished(services, head, tmp_path)
    _, key = services.shares.add(job, "a", now() + DAY)
    files = list(services.settings.data.glob("counterscan.db*"))
    assert files and all(key.encode() not in file.read_bytes() for file in files)


def test_only_a_finished_run_of_ones_own_is_shared_and_so_often(
    services: Services, head: Phantom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan, mask = load(services, head, tmp_path)
    job = services.dispatcher.submit("a", "inpaint", {"t1": scan.id, "mask": mask.id}, {"method": "shell"})
    assert code(lambda: services.shares.add(job, "a", now() + DAY)) == "not_ready"
    assert code(lambda: services.shares.add(job, "b", now() + DAY)) == "not_found"
    services.dispatcher.start()
    wait_for(services, job)
    monkeypatch.setattr(shares, "MOST", 2)
    for _ in range(2):
        services.shares.add(job, "a", now() + DAY)
    assert code(lambda: services.shares.add(job, "a", now() + DAY)) == "too_many_links"


def test_an_old_link_opens_nothing_and_is_forgotten(services: Services, head: Phantom, tmp_path: Path) -> None:
    job, _ = finished(services, head, tmp_path)
    made, key = services.shares.add(job, "a", now() + DAY)
    with services.repo.engine.begin() as connection:
        connection.execute(update(share).where(share.c.id == made.id).values(ends=now() - timedelta(seconds=1)))
    assert code(lambda: services.shares.opened(key)) == "link_over" and services.shares.of("a") == ()
    assert rows(services, share) == 1
    Retention(services).sweep()
    assert rows(services, share) == 0


@pytest.mark.parametrize("by", ["run", "scan", "visitor", "all", "age"])
def test_a_link_goes_with_its_run(services: Services, head: Phantom, tmp_path: Path, by: str) -> None:
    job, scan = finished(services, head, tmp_path)
    _, key = services.shares.add(job, "a", now() + 30 * DAY)
    erasure = services.erasure
    ways: dict[str, Callable[[], object]] = {
        "run": lambda: erasure.delete_job(job, "a"),
        "scan": lambda: erasure.delete_scan(scan, "a"),
        "visitor": lambda: erasure.delete_session("a"),
        "all": erasure.delete_all,
        "age": lambda: erasure.delete_old(now() + DAY, now()),
    }
    ways[by]()
    assert code(lambda: services.shares.opened(key)) == "link_over" and rows(services, share) == 0
