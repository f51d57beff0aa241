from __future__ import annotations

import shutil
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from core.errors import UserError
from core.events import Failed
from core.result import Result
from tests.databases import fresh
from webapp.store.database import connect
from webapp.store.queue import SERVER_LOSSES, Queue
from webapp.store.records import NewArtifact, NewScan
from webapp.store.repository import Repo

LEASE = 60.0
SCAN = NewScan("a", "volume", "t1.nii.gz", "blob-1", "00", 10, (2, 3, 4), (1.0, 1.0, 2.0), "RAS", {}, ())


@pytest.fixture
def repo(database: Engine) -> Repo:
    """An empty database."""
    return Repo(database)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an empty database, to copy."""
    path = tmp_path_factory.mktemp("template") / "test.db"
    engine = connect(f"sqlite:///{path}")
    fresh(engine)
    engine.dispose()
    return path


@pytest.fixture
def queue(repo: Repo) -> Queue:
    """A queue where a session may run one job at a time."""
    return Queue(repo.engine, running_per_session=1)


def add(queue: Queue, session: str = "a") -> str:
    return queue.add(session, "inpaint", {}, {"seed": 1}, own=50, total=100)


def test_a_claim_carries_the_job(repo: Repo, queue: Queue) -> None:
    t1 = repo.add_scan(SCAN).id
    job_id = queue.add("a", "inpaint", {"t1": t1}, {"seed": 1}, own=50, total=100)
    claim = queue.claim("me", 0.0, LEASE)
    assert claim is not None
    assert (claim.id, claim.inputs, claim.params, claim.attempt) == (job_id, {"t1": t1}, {"seed": 1}, 1)
    assert queue.claim("me", 0.0, LEASE) is None


@pytest.mark.parametrize(("session", "more"), [("a", {"t2": "0" * 32}), ("b", {})])
def test_no_job_is_queued_on_a_scan_that_is_gone_or_anothers(
    repo: Repo, queue: Queue, session: str, more: dict[str, str]
) -> None:
    kept = repo.add_scan(SCAN).id
    with pytest.raises(UserError) as caught:
        queue.add(session, "inpaint", {"t1": kept, **more}, {}, own=50, total=100)
    assert caught.value.code == "not_found" and queue.standings() == ()


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


def test_a_job_whose_process_died_is_tried_once_more(repo: Repo, queue: Queue) -> None:
    job_id = add(queue)
    for attempt, state in ((1, "queued"), (2, "failed")):
        claim = queue.claim("me", 0.0, LEASE)
        assert claim and claim.attempt == attempt
        assert queue.lose(claim)
        assert repo.job(job_id, "a").state == state
        assert not queue.lose(claim)
    error = repo.job(job_id, "a").error
    assert error and error.code == "worker_lost"
    assert queue.claim("me", 0.0, LEASE) is None


def test_the_end_of_a_server_is_no_death_of_the_process(repo: Repo, queue: Queue) -> None:
    job_id = add(queue)
    for clock in (100.0, 200.0, 300.0):
        assert queue.claim("me", clock, LEASE)
        queue.reclaim(clock + LEASE + 1)
        assert repo.job(job_id, "a").state == "queued"
    claim = queue.claim("me", 400.0, LEASE)
    assert claim and queue.lose(claim)
    assert repo.job(job_id, "a").state == "queued"
    claim = queue.claim("me", 500.0, LEASE)
    assert claim and queue.lose(claim)
    error = repo.job(job_id, "a").error
    assert error and error.code == "worker_lost"


def test_a_job_that_no_server_survives_ends(repo: Repo, queue: Queue) -> None:
    job_id = add(queue)
    for start in range(1, SERVER_LOSSES + 1):
        assert repo.job(job_id, "a").state == "queued"
        claim = queue.claim("me", 0.0, LEASE)
        assert claim and claim.attempt == start
        queue.reclaim(1.0, "me")
    job = repo.job(job_id, "a")
    assert job.error and (job.state, job.error.code) == ("failed", "server_lost")
    assert str(SERVER_LOSSES) in job.error.message


def test_an_expired_lease_is_taken_over_and_the_old_claim_counts_no_more(repo: Repo, queue: Queue) -> None:
    job_id = add(queue)
    old = queue.claim("me", 0.0, LEASE)
    assert old
    queue.reclaim(LEASE - 1)
    assert queue.claim("me", LEASE - 1, LEASE) is None
    queue.reclaim(LEASE + 1)
    new = queue.claim("me", LEASE + 1, LEASE)
    assert new and new.attempt == 2 and len({old.owner, new.owner, old.run, new.run}) == 4
    assert not queue.progress(old, 0.9, "old", 70.0, LEASE)
    assert not queue.finish(old, [NewArtifact("result", "Result", "old", "00", 1)], Result(), 1.0)
    assert not queue.fail(old, Failed("x", "y", "z"), 1.0)
    assert not queue.lose(old) and not queue.release(old)
    assert queue.renew([old, new], 70.0, LEASE) == (old,)
    assert (repo.job(job_id, "a").state, repo.job(job_id, "a").fraction) == ("running", 0.0)
    assert queue.finish(new, [NewArtifact("result", "Result", "new", "00", 1)], Result(), 1.0)
    assert [artifact.blob for artifact in repo.job(job_id, "a").artifacts] == ["new"]


def test_renewing_and_progress_keep_a_lease(queue: Queue) -> None:
    add(queue)
    claim = queue.claim("me", 0.0, LEASE)
    assert claim
    assert queue.renew([claim], 50.0, LEASE) == ()
    queue.reclaim(100.0)
    assert queue.progress(claim, 0.1, "still here", 100.0, LEASE)
    queue.reclaim(150.0)
    assert queue.progress(claim, 0.2, "still here", 150.0, LEASE)


def test_a_claim_that_nobody_renews_runs_out_though_its_server_lives(repo: Repo, queue: Queue) -> None:
    lost, held = add(queue, "a"), add(queue, "b")
    first, second = (queue.claim("me", 0.0, LEASE) for _ in range(2))
    assert first and second and (first.id, second.id) == (lost, held)
    queue.renew([second], LEASE - 1, LEASE)
    queue.reclaim(LEASE + 1)
    assert (repo.job(lost, "a").state, repo.job(held, "b").state) == ("queued", "running")


def test_what_was_claimed_in_a_folder_without_servers_is_taken_back(repo: Repo, queue: Queue) -> None:
    here, elsewhere = add(queue, "a"), add(queue, "b")
    assert queue.claim("here", 0.0, LEASE) and queue.claim("here2", 0.0, LEASE)
    queue.reclaim(1.0, "here")
    assert (repo.job(here, "a").state, repo.job(elsewhere, "b").state) == ("queued", "running")


def test_a_release_costs_no_start(queue: Queue) -> None:
    add(queue)
    for _ in range(4):
        claim = queue.claim("me", 0.0, LEASE)
        assert claim and claim.attempt == 1
        assert queue.release(claim)


def test_a_result_recorded_again_after_a_lost_answer_is_still_recorded(repo: Repo, queue: Queue) -> None:
    job_id = add(queue)
    claim = queue.claim("me", 0.0, LEASE)
    assert claim
    artifacts = [NewArtifact(name, name, f"blob-{name}", "00", 1) for name in ("result", "run")]
    assert queue.finish(claim, artifacts, Result(), 1.0)
    assert queue.finish(claim, artifacts, Result(), 1.0)
    assert not queue.finish(claim, [replace(one, blob="other") for one in artifacts], Result(), 1.0)
    assert len(repo.job(job_id, "a").artifacts) == 2


def test_the_jobs_that_wait_or_run_are_read_from_an_index(repo: Repo, queue: Queue) -> None:
    for session in "aab":
        add(queue, session)
    claim = queue.claim("me", 0.0, LEASE)
    assert claim and len(queue.standings()) == 3
    queue.finish(claim, [], Result(), 1.0)
    statements: list[str] = []
    event.listen(repo.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert len(queue.standings()) == 2
    counting = [statement for statement in statements if statement.startswith("SELECT")]
    # the jobs, and their places
    assert len(counting) == 2
    if repo.engine.dialect.name == "sqlite":
        with repo.engine.begin() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {counting[0]}", ("queued", "running")).all()
        assert [row.detail for row in plan] == ["SEARCH job USING INDEX ix_job_state (state=?)"]


@given(
    jobs=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["ended", "running", "waiting"])), max_size=9),
    limit=st.integers(1, 3),
)
def test_places_are_the_order_of_claims(template: Path, jobs: list[tuple[str, str]], limit: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(template, f"{folder}/test.db")
        engine = connect(f"sqlite:///{folder}/test.db")
        repo, queue = Repo(engine, limit), Queue(engine, running_per_session=limit)
        # what went before: jobs that ended, and some that run, as far as the limit lets them
        for session, state in jobs:
            if state != "waiting":
                add(queue, session)
                claim = queue.claim("me", 0.0, LEASE)
                if claim and state == "ended":
                    queue.finish(claim, [], Result(), 1.0)
        for session, state in jobs:
            if state == "waiting":
                add(queue, session)
        for turn in range(20):
            records = [record for session in "abc" for record in repo.jobs(session)]
            waiting = {record.id: record.position for record in records if record.state == "queued"}
            assert sorted(place or 0 for place in waiting.values()) == list(range(1, len(waiting) + 1))
            claim = queue.claim("me", 0.0, LEASE)
            if claim is None:
                break
            assert waiting[claim.id] == 1
            if turn % 2:
                queue.finish(claim, [], Result(), 1.0)
        engine.dispose()


def test_the_place_of_a_job_that_is_served_next_is_1(repo: Repo, queue: Queue) -> None:
    greedy = [add(queue, "a") for _ in range(4)]
    modest = add(queue, "b")
    assert [repo.job(job_id, "a").position for job_id in greedy] == [1, 3, 4, 5]
    assert repo.job(modest, "b").position == 2
    claim = queue.claim("me", 0.0, LEASE)
    assert claim and claim.id == greedy[0]
    assert repo.job(modest, "b").position == 1
    claim = queue.claim("me", 0.0, LEASE)
    assert claim and claim.id == modest


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
