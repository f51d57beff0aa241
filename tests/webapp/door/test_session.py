from __future__ import annotations

from dataclasses import dataclass

import pytest
from sqlalchemy.exc import OperationalError
from starlette.requests import Request

from core.errors import UserError
from tests.webapp.door.asgi import Inner, ask
from webapp.door.session import COOKIE, KEY, SECURE_COOKIE, Sessions, cookie_of, session_id, session_of

VALUE = "v" * 43
OURS = {"cookie": f"{COOKIE}={VALUE}"}


@dataclass(frozen=True)
class Noted:
    """Keeps who was here."""

    sessions: list[str]

    def touch(self, session_id: str) -> None:
        """Note a visit."""
        self.sessions.append(session_id)


class Busy:
    """A database that cannot be written to."""

    def touch(self, session_id: str) -> None:
        """Refuse."""
        raise OperationalError("UPDATE", {}, Exception("locked"))


def door(inner: Inner, touched: list[str] | None = None) -> Sessions:
    return Sessions(inner, 180, Noted(list[str]() if touched is None else touched))


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


@pytest.mark.parametrize("path", ["/", "/rate/key"])
def test_every_visit_of_a_page_renews_the_cookie(path: str) -> None:
    inner = Inner()
    answer = ask(door(inner), path, headers={**OURS, "sec-fetch-site": "cross-site"})
    assert answer.headers["set-cookie"].startswith(f"{COOKIE}={VALUE}; Path=/; Max-Age={180 * 86400};")
    assert answer.headers["cache-control"] == "private, no-cache"
    assert inner.seen[0][0][KEY] == session_id(VALUE)
    assert "set-cookie" not in ask(door(inner), "/vol/a/b", headers=OURS).headers


@pytest.mark.parametrize("other", ['prefs={"a":1}', "flag", 'a="b', "x[y]=1", "=;=", "é=ü", "a=b=c", "a,b=c"])
def test_cookies_of_other_applications_do_no_harm(other: str) -> None:
    inner = Inner()
    for cookie in (f"{other}; {OURS['cookie']}", f"{OURS['cookie']}; {other}", f"{other};{OURS['cookie']}"):
        ask(door(inner), "/vol/a/b", headers={"cookie": cookie})
        assert inner.seen[-1][0][KEY] == session_id(VALUE)


def test_several_headers_of_cookies_are_read() -> None:
    scope = {"type": "http", "scheme": "http", "headers": [(b"cookie", b"a=1"), (b"cookie", OURS["cookie"].encode())]}
    assert cookie_of(scope) == VALUE


def test_https_has_a_cookie_of_this_host_alone() -> None:
    inner = Inner()
    made = door(inner)
    cookie = ask(made, "/", scheme="https").headers["set-cookie"]
    assert cookie.startswith(f"{SECURE_COOKIE}=") and SECURE_COOKIE.startswith("__Host-")
    # what the prefix demands: no Domain, the whole host, Secure
    assert {"Path=/", "Secure"} <= set(cookie.split("; ")) and "domain" not in cookie.lower()
    for scheme, name, known in (
        ("https", SECURE_COOKIE, True),
        ("https", COOKIE, False),
        ("http", COOKIE, True),
        ("http", SECURE_COOKIE, False),
    ):
        ask(made, "/vol/a/b", headers={"cookie": f"{name}={VALUE}"}, scheme=scheme)
        assert (inner.seen[-1][0][KEY] is not None) is known


def test_a_change_needs_a_session_and_is_a_visit() -> None:
    inner, touched = Inner(), list[str]()
    made = door(inner, touched)
    refused = ask(made, "/mask/1", "POST")
    assert (refused.status, refused.code, inner.seen) == (403, "no_session", [])
    assert [ask(made, "/mask/1", "POST", headers=OURS).status for _ in range(3)] == [200, 200, 200]
    assert touched == [session_id(VALUE)]


def test_a_busy_database_puts_a_change_off() -> None:
    inner = Inner()
    answer = ask(Sessions(inner, 180, Busy()), "/mask/1", "POST", headers=OURS)
    assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "busy", "5")
    assert inner.seen == []


def test_a_request_without_a_session_is_a_sentence() -> None:
    with pytest.raises(UserError) as refused:
        session_of(Request({"type": "http", KEY: None}))
    assert refused.value.code == "no_session"
