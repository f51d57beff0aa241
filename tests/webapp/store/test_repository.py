from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import IntegrityError

from core.errors import UserError
from core.result import Artifact, Note, Result, Row
from webapp.store.queue import Queue
from webapp.store.records import NewArtifact, NewScan
from webapp.store.repository import Repo
from webapp.store.schema import job as jobs
from webapp.store.schema import rating

SCAN = NewScan("a", "volume", "t1.nii.gz", "blob-1", "00", 10, (2, 3, 4), (1.0, 1.0, 2.0), "RAS", {"x": 1}, ("odd",))
RESULT = Result(
    (Artifact("result", "result.nii.gz"),),
    (Row("shell", "Shell mean", {"psnr": 30.5, "consistency": (1.0, None, 2.0)}),),
    (Note("warning", "The mask touches the border"),),
)


@pytest.fixture
def repo(database: Engine) -> Repo:
    """An empty database."""
    return Repo(database)


@pytest.fixture
def job(repo: Repo) -> str:
    """A finished job of session a."""
    queue = Queue(repo.engine, running_per_session=1)
    job_id = queue.add("a", "inpaint", {}, {}, own=5, total=5)
    claim = queue.claim("me", 0.0, 60.0)
    assert claim is not None
    assert queue.finish(claim, [NewArtifact("result", "Result", "blob-r", "00", 1)], RESULT, 2.5)
    return job_id


def test_a_scan_comes_back_as_it_was(repo: Repo) -> None:
    added = repo.add_scan(SCAN)
    found = repo.scan(added.id, "a")
    assert found == added
    assert (found.shape, found.spacing, found.warnings, found.facts) == ((2, 3, 4), (1.0, 1.0, 2.0), ("odd",), {"x": 1})
    assert found.created.tzinfo is UTC
    assert abs(found.created - datetime.now(UTC)) < timedelta(seconds=10)
    assert len({found.id, found.token}) == 2


def test_jobs_that_are_not_over_are_known(repo: Repo, job: str) -> None:
    waiting = Queue(repo.engine, running_per_session=1).add("a", "inpaint", {}, {}, own=5, total=5)
    assert (repo.unfinished("a"), repo.unfinished("b")) == ((waiting,), ())


def test_finished_runs_of_a_task_are_timed_for_all(repo: Repo, job: str) -> None:
    (only,) = repo.timed("inpaint", 9)
    assert (only.seconds, dict(only.blobs)) == (2.5, {})
    assert repo.timed("superres", 9) == ()


def test_a_result_comes_back_as_it_was_less_the_places_of_its_files(repo: Repo, job: str) -> None:
    assert repo.job(job, "a").result == replace(RESULT, artifacts=())


def test_a_job_of_an_earlier_version_opens(repo: Repo, job: str) -> None:
    old = {"facts": {"notices": ["Odd."]}, "table": [{"method": "shell", "psnr": 30.5}], "seconds": 2.0}
    with repo.engine.begin() as connection:
        connection.execute(update(jobs).where(jobs.c.id == job).values(summary=old))
    (found,) = repo.jobs("a")
    assert found.result.notes == (Note("warning", "Odd."),)
    assert found.result.table == (Row("shell", "shell", {"psnr": 30.5}),)


def test_every_question_is_answered_only_to_the_owner(repo: Repo, job: str) -> None:
    scan = repo.add_scan(SCAN)
    result = repo.job(job, "a").artifacts[0]
    questions: list[Callable[[str], object]] = [
        lambda session: repo.scan(scan.id, session),
        lambda session: repo.job(job, session),
        lambda session: repo.artifact(result.id, session),
        lambda session: repo.blob_of(scan.token, session),
        lambda session: repo.blob_of(result.token, session),
        lambda session: repo.add_rating(job, session, "client-1", 1, 1, 1),
    ]
    for ask in questions:
        with pytest.raises(UserError) as refused:
            ask("b")
        assert refused.value.code == "not_found"
        assert ask("a")
    for ask in (repo.jobs, repo.scans, lambda session: repo.ratings(job, session)):
        assert ask("a") and not ask("b")


def test_a_rating_is_kept_once_per_client_id(repo: Repo, job: str) -> None:
    first = repo.add_rating(job, "a", "client-1", 5, 4, 3, "good")
    again = repo.add_rating(job, "a", "client-1", 1, 1, 1, "other")
    assert again == first == repo.ratings(job, "a")[0]
    assert len(repo.ratings(job, "a")) == 1


def test_a_later_rating_supersedes_and_the_earlier_stays(repo: Repo, job: str) -> None:
    first = repo.add_rating(job, "a", "client-1", 5, 4, 3)
    second = repo.add_rating(job, "a", "client-2", 1, 2, 3)
    assert repo.ratings(job, "a") == (first, second)
    with repo.engine.begin() as connection:
        assert connection.execute(select(rating.c.supersedes).order_by(rating.c.id)).scalars().all() == [None, first.id]


def test_one_rating_sent_by_many_threads_is_one_row(repo: Repo, job: str) -> None:
    threads = [threading.Thread(target=repo.add_rating, args=(job, "a", "client-1", 1 + n % 5, 1, 1)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(repo.ratings(job, "a")) == 1


@pytest.mark.parametrize("score", [0, 6, -1, None, "5", 2.5, True])
def test_scores_are_whole_numbers_from_1_to_5(repo: Repo, job: str, score: object) -> None:
    for place in range(3):
        scores: list[object] = [3, 3, 3]
        scores[place] = score
        with pytest.raises(UserError) as refused:
            repo.add_rating(job, "a", "client-1", *scores)  # type: ignore[arg-type]
        assert refused.value.code == "bad_rating"
    assert repo.ratings(job, "a") == ()


def test_a_comment_has_a_limit_and_a_rating_a_number(repo: Repo, job: str) -> None:
    for client_id, comment in (("client-1", "x" * 4001), ("", ""), ("x" * 65, "")):
        with pytest.raises(UserError) as refused:
            repo.add_rating(job, "a", client_id, 1, 1, 1, comment)
        assert refused.value.code == "bad_rating"


def test_the_database_itself_refuses_what_the_code_forgot(repo: Repo, job: str) -> None:
    row = {"answers": {}, "changes": 0, "circumstances": {}, "client_id": "client-1", "created": datetime.now(UTC)}
    for about in ({}, {"job": job}, {"session": "a"}, {"job": "none", "session": "a"}, {"showing": "none"}):
        with pytest.raises(IntegrityError), repo.engine.begin() as connection:
            connection.execute(rating.insert().values(**row, **about))


def test_touch_creates_a_session_once(repo: Repo) -> None:
    repo.touch("a")
    repo.touch("a")
    repo.add_scan(SCAN)
    assert len(repo.scans("a")) == 1


def test_blobs(repo: Repo, job: str) -> None:
    repo.add_scan(SCAN)
    repo.add_scan(replace(SCAN, role="mask", blob="blob-2"))
    assert repo.blobs() == {"blob-1", "blob-2", "blob-r"}


def test_positions_follow_the_turns_of_the_sessions(repo: Repo) -> None:
    queue = Queue(repo.engine, running_per_session=1)
    ids = [queue.add(session, "inpaint", {}, {}, own=5, total=9) for session in ("a", "b", "a")]
    assert [repo.job(job_id, session).position for job_id, session in zip(ids, "aba", strict=True)] == [1, 2, 3]
    later = queue.add("c", "inpaint", {}, {}, own=5, total=9)
    assert (repo.job(later, "c").position, repo.job(ids[2], "a").position) == (3, 4)
    assert [job.id for job in repo.jobs("a")] == [ids[2], ids[0]]
    assert len(repo.jobs("a", limit=1)) == 1
