"""Batches in the database: their scans, bounds and deletion; whose they are."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from core.errors import UserError
from core.events import Failed
from tests.hand_clock import HandClock
from webapp.store.batches import SILENCE, Batches
from webapp.store.queue import Queue
from webapp.store.repository import Repo


def join(queue: Queue, place: tuple[str, int], session: str = "a") -> str:
    return queue.add(session, "inpaint", {}, {}, own=1, total=1, batch=place)


def test_a_scan_becomes_a_job_once(database: Engine) -> None:
    batches, queue = Batches(database), Queue(database, running_per_session=1)
    batch_id = batches.add("a", "inpaint", "scans.zip", ["x", "y", "z"], 10)
    job_id = join(queue, (batch_id, 0))
    with pytest.raises(UserError):
        join(queue, (batch_id, 0))
    batches.fail(batch_id, 1, UserError("bad", "No.", "Else."))
    batches.fail(batch_id, 0, UserError("bad", "No.", "Else."))
    found = batches.one(batch_id, "a")
    assert [(one.name, one.job) for one in found.scans] == [("x", job_id), ("y", ""), ("z", "")]
    assert [one.error and one.error.args for one in found.scans] == [None, ("bad", "No.", "Else."), None]
    assert [batches.waits(batch_id, number) for number in range(3)] == [False, False, True]
    # nothing of the refused job is left, and a batch leaves the places of single jobs free
    assert len(queue.standings()) == 1 and queue.add("a", "inpaint", {}, {}, own=1, total=1)
    assert not Repo(database).jobs_named([job_id], "b") and job_id in Repo(database).jobs_named([job_id], "a")
    assert [one.id for one in Repo(database).jobs("a")] != [job_id]


def test_another_visitor_finds_no_batch(database: Engine) -> None:
    batches = Batches(database)
    batch_id = batches.add("a", "inpaint", "scans.zip", ["x"], 10)
    assert batches.of("b") == () and [one.id for one in batches.of("a")] == [batch_id]
    for work in (batches.one, batches.cancel):
        with pytest.raises(UserError, match="not_found"):
            work(batch_id, "b")


def test_a_scan_that_fails_is_tried_once_more_after_all_others(database: Engine) -> None:
    batches, queue = Batches(database), Queue(database, running_per_session=1)
    batch_id = batches.add("a", "inpaint", "scans.zip", ["x", "y", "z"], 10)
    first, second = (join(queue, (batch_id, number)) for number in range(2))

    def fail(why: str) -> str:
        claim = queue.claim("here", 0.0, 60.0)
        assert claim is not None
        assert queue.fail(claim, Failed(why, "No.", "Else."), 1.0) and not queue.fail(claim, Failed("x", "", ""), 1.0)
        return claim.id

    assert fail("once") == first
    assert Repo(database).job(first, "a").state == "queued" and Repo(database).job(first, "a").position == 2
    # read later, and before the first again
    third = join(queue, (batch_id, 2))
    single = queue.add("a", "inpaint", {}, {}, own=1, total=1)
    assert [fail("other") for _ in range(3)] == [single, second, third]
    assert [fail("twice") for _ in range(3)] == [first, second, third] and queue.claim("here", 0.0, 60.0) is None
    assert [Repo(database).job(one, "a").state for one in (single, first)] == ["failed", "failed"]
    errors = [one.first_error for one in batches.one(batch_id, "a").scans]
    assert [one and one.args for one in errors] == [(code, "No.", "Else.") for code in ("once", "other", "other")]
    error = Repo(database).job(first, "a").error
    assert error is not None and error.code == "twice"


def test_a_second_try_can_be_cancelled_and_starts_as_often_as_a_first(database: Engine) -> None:
    batches, queue = Batches(database), Queue(database, running_per_session=1)
    batch_id = batches.add("a", "inpaint", "scans.zip", ["x"], 10)
    job_id = join(queue, (batch_id, 0))
    first = queue.claim("here", 0.0, 60.0)
    assert first is not None and queue.fail(first, Failed("bad", "No.", "Else."), 1.0)
    claim = queue.claim("here", 0.0, 60.0)
    assert claim is not None and (first.attempt, claim.attempt) == (1, 1)
    assert batches.cancel(batch_id, "a") == (job_id,) and queue.cancel(job_id, "a") == "running"
    assert not queue.fail(claim, Failed("bad", "No.", "Else."), 1.0)
    assert Repo(database).job(job_id, "a").state == "cancelled"


def test_waiting_scans_have_a_bound(database: Engine) -> None:
    batches, queue = Batches(database), Queue(database, running_per_session=1)
    batch_id = batches.add("a", "inpaint", "one.zip", ["x", "y"], 3)
    with pytest.raises(UserError) as refused:
        batches.add("a", "inpaint", "two.zip", ["x", "y"], 3)
    assert refused.value.code == "queue_full"
    batches.add("b", "inpaint", "theirs.zip", ["x", "y"], 3)
    join(queue, (batch_id, 0))
    for _ in range(2):
        claim = queue.claim("here", 0.0, 60.0)
        assert claim is not None
        queue.fail(claim, Failed("bad", "No.", "Else."), 1.0)
    batches.add("a", "inpaint", "two.zip", ["x", "y"], 3)


def test_a_cancelled_batch_takes_no_more_jobs(database: Engine) -> None:
    batches, queue = Batches(database), Queue(database, running_per_session=1)
    batch_id = batches.add("a", "inpaint", "scans.zip", ["x", "y"], 10)
    job_id = join(queue, (batch_id, 0))
    assert batches.cancel(batch_id, "a") == (job_id,)
    with pytest.raises(UserError) as refused:
        join(queue, (batch_id, 1))
    assert refused.value.code == "cancelled" and not batches.waits(batch_id, 1)


def test_scans_that_nobody_reads_any_more_are_shown_as_such(database: Engine) -> None:
    clock = HandClock()
    batches = Batches(database, clock.time)
    batch_id = batches.add("a", "inpaint", "scans.zip", ["x"], 10)
    clock.forward(SILENCE)
    assert batches.one(batch_id, "a").scans[0].error is None
    batches.touch(batch_id)
    clock.forward(SILENCE + 1)
    error = batches.one(batch_id, "a").scans[0].error
    assert error is not None and error.code == "not_read"


def test_what_is_waited_for_comes_before_the_visitor_s_own_batch(database: Engine) -> None:
    batches, queue = Batches(database), Queue(database, running_per_session=1)
    batch_id = batches.add("a", "inpaint", "scans.zip", ["x", "y"], 10)
    first, second = (join(queue, (batch_id, number)) for number in range(2))
    single = queue.add("a", "inpaint", {}, {}, own=1, total=1)
    other = queue.add("b", "inpaint", {}, {}, own=1, total=2)
    places = [Repo(database).job(one, who).position for one, who in ((single, "a"), (other, "b"), (first, "a"))]
    assert places == [1, 2, 3]
    order = []
    while claim := queue.claim("here", 0.0, 60.0):
        order.append(claim.id)
        queue.fail(claim, Failed("bad", "No.", "Else."), 1.0)
    assert order == [single, other, first, second, first, second]
