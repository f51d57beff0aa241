from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from core.errors import UserError
from core.events import Failed
from core.result import Result
from webapp.store.database import connect, migrate
from webapp.store.queue import Queue
from webapp.store.records import NewArtifact
from webapp.store.repository import Repo

LEASE = 60.0


@pytest.fixture(params=["sqlite", "postgresql"])
def repo(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Repo]:
    """An empty database; PostgreSQL where COUNTERSCAN_TEST_POSTGRES names one that may be emptied."""
    url = f"sqlite:///{tmp_path}/test.db"
    if request.param == "postgresql":
        url = os.environ.get("COUNTERSCAN_TEST_POSTGRES", "")
        if not url:
            pytest.skip("COUNTERSCAN_TEST_POSTGRES is not set")
    engine = connect(url)
    if request.param == "postgresql":
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    migrate(engine)
    yield Repo(engine)
    engine.dispose()


@pytest.fixture
def queue(repo: Repo) -> Queue:
    """A queue where a session may run one job at a time."""
    return Queue(repo.engine, running_per_session=1)


def add(queue: Queue, session: str = "a") -> str:
    return queue.add(session, "inpaint", {"t1": "x"}, {"seed": 1}, own=50, total=100)


def test_a_claim_carries_the_job(queue: Queue) -> None:
    job_id = add(queue)
    claim = queue.claim("me", 0.0, LEASE)
    assert claim is not None
    assert (claim.id, claim.inputs, claim.params, claim.attempt) == (job_id, {"t1": "x"}, {"seed": 1}, 1)
    assert queue.claim("me", 0.0, LEASE) is None


def test_sessions_take_turns(repo: Repo) -> None:
    queue = Queue(repo.engine, running_per_session=9)
    for session in "aaabbc":
        add(queue, session)
    claims = [queue.claim("me", 0.0, LEASE) for _ in range(6)]
    assert [claim.session for claim in claims if claim] == ["a", "b", "c", "a", "b", "a"]


def test_one_session_runs_one_job_at_a_time(queue: Queue) -> None:
    for session in "aab":
        add(queue, session)
    first, second = queue.claim("me", 0.0, LEASE), queue.claim("me", 0.0, LEASE)
    assert first and second and (first.session, second.session) == ("a", "b")
    assert queue.claim("me", 0.0, LEASE) is None
    queue.finish(first, [], Result(), 1.0)
    third = queue.claim("me", 0.0, LEASE)
    assert third and third.session == "a"


def test_many_threads_never_claim_a_job_twice(repo: Repo) -> None:
    queue = Queue(repo.engine, running_per_session=1000)
    wanted = {add(queue, f"s{n % 7}") for n in range(40)}
    taken: list[str] = []

    def work() -> None:
        misses = 0
        while misses < 3:
            claim = queue.claim(threading.current_thread().name, 0.0, LEASE)
            misses += claim is None
            taken.extend([claim.id] if claim else [])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) and set(taken) == wanted


def test_a_lost_job_is_tried_once_more(repo: Repo, queue: Queue) -> None:
    job_id = add(queue)
    for attempt, state in ((1, "queued"), (2, "failed")):
        claim = queue.claim("me", 0.0, LEASE)
        assert claim and claim.attempt == attempt
        queue.lose(claim)
        assert repo.job(job_id, "a").state == state
    error = repo.job(job_id, "a").error
    assert error and error.code == "worker_lost"
    assert queue.claim("me", 0.0, LEASE) is None


def test_an_expired_lease_is_taken_over_and_the_old_owner_has_no_say(repo: Repo, queue: Queue) -> None:
    job_id = add(queue)
    old = queue.claim("old", 0.0, LEASE)
    assert old
    queue.reclaim(LEASE - 1)
    assert queue.claim("new", LEASE - 1, LEASE) is None
    queue.reclaim(LEASE + 1)
    new = queue.claim("new", LEASE + 1, LEASE)
    assert new and new.attempt == 2
    assert not queue.progress(old, 0.9, "old", 70.0, LEASE)
    assert not queue.finish(old, [NewArtifact("result", "Result", "old", "00", 1)], Result(), 1.0)
    assert not queue.fail(old, Failed("x", "y", "z"), 1.0)
    queue.lose(old)
    assert (repo.job(job_id, "a").state, repo.job(job_id, "a").fraction) == ("running", 0.0)
    assert queue.finish(new, [NewArtifact("result", "Result", "new", "00", 1)], Result(), 1.0)
    assert [artifact.blob for artifact in repo.job(job_id, "a").artifacts] == ["new"]


def test_renewing_and_progress_keep_a_lease(queue: Queue) -> None:
    add(queue)
    claim = queue.claim("me", 0.0, LEASE)
    assert claim
    queue.renew("me", 50.0, LEASE)
    queue.reclaim(100.0)
    assert queue.progress(claim, 0.1, "still here", 100.0, LEASE)
    queue.reclaim(150.0)
    assert queue.progress(claim, 0.2, "still here", 150.0, LEASE)


def test_everything_of_a_dead_server_is_taken_back(repo: Repo, queue: Queue) -> None:
    job_id = add(queue)
    queue.claim("dead", 0.0, LEASE)
    queue.reclaim(1.0, everything=True)
    assert repo.job(job_id, "a").state == "queued"


def test_a_release_costs_no_attempt(repo: Repo, queue: Queue) -> None:
    add(queue)
    for _ in range(4):
        claim = queue.claim("me", 0.0, LEASE)
        assert claim and claim.attempt == 1
        queue.release("me")


def test_cancel(repo: Repo, queue: Queue) -> None:
    waiting, running = add(queue, "a"), add(queue, "b")
    queue.cancel(waiting, "a")
    claim = queue.claim("me", 0.0, LEASE)
    assert claim and claim.id == running
    assert queue.cancel(running, "b") == "running"
    assert not queue.progress(claim, 0.5, "", 1.0, LEASE)
    assert not queue.finish(claim, [NewArtifact("result", "Result", "blob", "00", 1)], Result(), 1.0)
    assert repo.job(running, "b").state == repo.job(waiting, "a").state == "cancelled"
    assert repo.job(running, "b").artifacts == ()
    with pytest.raises(UserError):
        queue.cancel(waiting, "b")


def test_the_queue_has_bounds(queue: Queue) -> None:
    for session in "aab":
        queue.add(session, "inpaint", {}, {}, own=2, total=3)
    for session, own, total in (("a", 2, 9), ("c", 2, 3)):
        with pytest.raises(UserError) as refused:
            queue.add(session, "inpaint", {}, {}, own=own, total=total)
        assert refused.value.code == "queue_full"
