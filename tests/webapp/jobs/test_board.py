from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import event

from core.errors import UserError
from tests.hand_clock import HandClock
from tests.phantom import Phantom
from tests.webapp.fakes import load
from webapp.jobs.board import LENT, LIFE, Board
from webapp.services import Services
from webapp.store.records import JobRecord, Standing


@pytest.fixture
def board(services: Services) -> Board:
    made = services.dispatcher.board
    made._clock = HandClock()
    return made


def submitted(services: Services, head: Phantom, folder: Path, session: str = "a") -> str:
    scan, mask = load(services, head, folder, session)
    return services.dispatcher.submit(session, "inpaint", {"t1": scan.id, "mask": mask.id}, {"method": "shell"})


def standing(job: JobRecord) -> Standing:
    return Standing(job.id, job.session, job.state, job.fraction, job.text, job.started, job.position)


def test_a_job_stands_as_its_row_does_from_the_queue_to_the_end(
    services: Services, board: Board, head: Phantom, tmp_path: Path
) -> None:
    first, second = (submitted(services, head, tmp_path, session) for session in "ab")

    def check() -> tuple[str, ...]:
        found = (board.find(first, "a"), board.find(second, "b"))
        assert found == (standing(services.repo.job(first, "a")), standing(services.repo.job(second, "b")))
        return tuple(one.state for one in found)

    assert check() == ("queued", "queued")
    steps = services.dispatcher.next_job()
    assert steps is not None
    next(steps)
    # the queue of this server has changed by a claim, which is seen at the next look
    board._clock.forward(LIFE)  # type: ignore[attr-defined]
    assert check() == ("running", "queued")
    list(steps)
    assert check() == ("done", "queued")
    services.dispatcher.cancel(second, "b")
    assert check() == ("done", "cancelled")
    assert board.length() == 0


def test_nobody_sees_how_the_job_of_somebody_else_stands(
    services: Services, board: Board, head: Phantom, tmp_path: Path
) -> None:
    job = submitted(services, head, tmp_path)
    assert board.find(job, "a").state == "queued"
    assert board.recall(job, "b") is None
    for session, name in (("b", job), ("a", "0" * 32)):
        with pytest.raises(UserError) as refused:
            board.find(name, session)
        assert refused.value.code == "not_found"


def test_a_look_serves_all_pages_until_it_is_old(
    services: Services, board: Board, head: Phantom, tmp_path: Path
) -> None:
    jobs = {session: submitted(services, head, tmp_path, session) for session in "abc"}
    assert board.recall(jobs["a"], "a") is None
    assert board.find(jobs["a"], "a").position == 1
    statements: list[str] = []
    event.listen(services.repo.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    found = [board.recall(job, session) for session, job in jobs.items() for _ in range(50)]
    assert None not in found and statements == []
    board._clock.forward(LIFE)  # type: ignore[attr-defined]
    # one page looks anew, and the others need not wait for it
    assert board.recall(jobs["a"], "a") is None
    assert [board.recall(job, session) for session, job in jobs.items()] == found[::50]
    board._clock.forward(LENT)  # type: ignore[attr-defined]
    assert board.recall(jobs["b"], "b") is None


def test_what_is_known_to_have_changed_is_not_shown_as_it_was(
    services: Services, board: Board, head: Phantom, tmp_path: Path
) -> None:
    jobs = {session: submitted(services, head, tmp_path, session) for session in "ab"}
    board.find(jobs["a"], "a")
    board._clock.forward(LIFE)  # type: ignore[attr-defined]
    assert board.recall(jobs["a"], "a") is None
    services.dispatcher.cancel(jobs["b"], "b")
    assert board.recall(jobs["a"], "a") is None and board.recall(jobs["b"], "b") is None


def test_a_change_while_the_database_is_read_is_not_forgotten(
    services: Services, board: Board, head: Phantom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submitted(services, head, tmp_path)
    read = services.dispatcher.queue.standings

    def late() -> tuple[Standing, ...]:
        found = read()
        services.dispatcher.cancel(job, "a")
        return found

    monkeypatch.setattr(services.dispatcher.queue, "standings", late)
    assert board.find(job, "a").state == "queued"
    monkeypatch.undo()
    assert board.find(job, "a").state == "cancelled"
