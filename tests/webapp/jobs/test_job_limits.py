from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from core.errors import UserError
from tests.hand_clock import HandClock
from tests.webapp.fakes import Days, services_of
from webapp.jobs import job_limits
from webapp.jobs.job_limits import JobLimits, Whereabouts
from webapp.rates import DAY, OF_ADDRESS

EACH, TOTAL = 2, 100


def started(limits: JobLimits, session: str) -> str:
    """Start a job and return "", or the message of what refuses it."""
    try:
        limits.require_room(session)
    except UserError as error:
        assert (error.code, "Come back in" in error.hint) == ("job_limit", True)
        return error.message
    limits.take(session)
    return ""


def test_many_visitors_of_one_address_start_together_what_five_may() -> None:
    clock, places = HandClock(), Whereabouts()
    limits = JobLimits(EACH, TOTAL, Days(), places, clock.time)
    sessions = [f"s{number}" for number in range(OF_ADDRESS + 1)]
    for session in sessions:
        places.note(session, "192.0.2.7")
    places.note("elsewhere", "192.0.2.8")
    assert [started(limits, one) for one in sessions[:-1] for _ in range(EACH)] == [""] * (EACH * OF_ADDRESS)
    assert "your address" in started(limits, sessions[-1])
    # who comes from elsewhere, and who has sent nothing yet, is not meant
    assert started(limits, "elsewhere") == started(limits, "unknown") == ""
    clock.forward(DAY)
    assert started(limits, sessions[-1]) == ""


def test_a_visitor_has_no_more_by_moving() -> None:
    places = Whereabouts()
    limits = JobLimits(EACH, TOTAL, Days(), places, HandClock().time)
    for number in range(EACH):
        places.note("a", f"192.0.2.{number}")
        assert started(limits, "a") == ""
    places.note("a", "192.0.2.99")
    assert "address" not in started(limits, "a") != ""


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["x", "y"])), max_size=60))
def test_nobody_gets_more_than_any_limit(tries: list[tuple[str, str]]) -> None:
    places = Whereabouts()
    limits = JobLimits(EACH, 12, Days(), places, HandClock().time)
    done = []
    for session, address in tries:
        places.note(session, address)
        if not started(limits, session):
            done.append((session, address))
    assert len(done) <= 12
    assert all(sum(one == session for one, _ in done) <= EACH for session in "abcdefgh")
    assert all(sum(one == address for _, one in done) <= OF_ADDRESS * EACH for address in "xy")


def test_a_job_is_counted_though_the_database_is_busy() -> None:
    class Busy(Days):
        def add(self, amounts: object) -> None:
            raise OperationalError("", {}, Exception("locked"))

    limits = JobLimits(1, TOTAL, Busy(), Whereabouts(), HandClock().time)
    assert started(limits, "a") == ""
    assert started(limits, "a") != ""


def test_the_oldest_addresses_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_limits, "REMEMBERED", 2)
    places = Whereabouts()
    for session in ("a", "b", "a", "c"):
        places.note(session, "x")
    assert [places.of(one) for one in "abc"] == ["x", "", "x"]


def test_the_door_notes_from_where_a_change_comes(server: ASGIApp, browser: Callable[[], TestClient]) -> None:
    services, client = services_of(server), browser()
    client.get("/")
    session = services.browsers.find(client.cookies["counterscan_session"])
    assert session and services.dispatcher.whereabouts.of(session.session) == ""
    client.post("/gradio_api/reset", json={"event_id": "x"})
    assert services.dispatcher.whereabouts.of(session.session) == "testclient"
