from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError
from starlette.requests import Request

from core.errors import UserError
from tests.webapp.door.asgi import Inner, ask
from webapp.door.sessions import COOKIE, KEY, Sessions, session_id, session_of

VALUE = "v" * 43
OURS = {"cookie": f"{COOKIE}={VALUE}"}


def door(inner: Inner, touched: list[str] | None = None) -> Sessions:
    return Sessions(inner, 180, [].append if touched is None else touched.append)


def test_the_first_visit_of_a_page_gets_a_session() -> None:
    inner = Inner()
    for path in ("/", "/rate/key"):
        answer = ask(door(inner), path)
        name, _, rest = answer.headers["set-cookie"].partition("=")
        value, *parts = rest.split("; ")
        assert name == COOKIE and len(value) == 43
        assert set(parts) == {"Path=/", f"Max-Age={180 * 86400}", "HttpOnly", "SameSite=Strict"}
        assert inner.seen[-1][0][KEY] == session_id(value)


def test_other_addresses_give_no_session() -> None:
    inner = Inner()
    answer = ask(door(inner), "/vol/a/b")
    assert "set-cookie" not in answer.headers and inner.seen[0][0][KEY] is None


def test_the_cookie_opens_its_session() -> None:
    inner = Inner()
    ask(door(inner), "/vol/a/b", headers=OURS)
    assert inner.seen[0][0][KEY] == session_id(VALUE)
    assert VALUE not in session_id(VALUE) and session_id(VALUE) != session_id("w" * 43)


def test_a_visit_by_a_link_elsewhere_loads_the_page_again() -> None:
    inner = Inner()
    answer = ask(door(inner), "/", headers={"sec-fetch-site": "cross-site"})
    assert b'http-equiv="refresh"' in answer.body
    assert "set-cookie" not in answer.headers and inner.seen == []


@pytest.mark.parametrize("cookie", ["", "short", "x" * 44, "../" * 14 + "x", '"' + "x" * 43, "x" * 42 + " "])
def test_a_cookie_that_is_not_ours_counts_as_none(cookie: str) -> None:
    inner = Inner()
    ask(door(inner), "/vol/a/b", headers={"cookie": f"{COOKIE}={cookie}"})
    assert inner.seen[0][0][KEY] is None


def test_a_change_needs_a_session_and_is_a_visit() -> None:
    inner, touched = Inner(), list[str]()
    made = door(inner, touched)
    refused = ask(made, "/mask/1", "POST")
    assert (refused.status, refused.code, inner.seen) == (403, "no_session", [])
    assert [ask(made, "/mask/1", "POST", headers=OURS).status for _ in range(3)] == [200, 200, 200]
    assert touched == [session_id(VALUE)]


def test_a_busy_database_puts_a_change_off() -> None:
    def busy(session: str) -> None:
        raise OperationalError("UPDATE", {}, Exception("locked"))

    inner = Inner()
    answer = ask(Sessions(inner, 180, busy), "/mask/1", "POST", headers=OURS)
    assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "busy", "5")
    assert inner.seen == []


def test_a_request_without_a_session_is_a_sentence() -> None:
    with pytest.raises(UserError) as refused:
        session_of(Request({"type": "http", KEY: None}))
    assert refused.value.code == "no_session"
