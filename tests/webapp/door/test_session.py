from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest
from sqlalchemy.exc import OperationalError
from starlette.requests import Request
from starlette.types import ASGIApp, Scope

from core.errors import UserError
from tests.webapp.door.asgi import Inner, ask
from webapp.door.addresses import Addresses
from webapp.door.identity import COOKIE, SECURE_COOKIE, Admitted, Identity, cookie_of
from webapp.door.session import Sessions
from webapp.door.visitor import KEY, VISITOR, Visitor, require, session_of, visitor_of
from webapp.roles import Role
from webapp.store.account_records import AccountRecord, BrowserRecord
from webapp.store.clock import now

VALUE = "v" * 43
OURS = {"cookie": f"{COOKIE}={VALUE}"}
PERSON = {"accept": "text/html", "sec-fetch-mode": "navigate"}


@dataclass
class Known(Identity):
    """Knows one browser, by the cookie VALUE, and lets others in; keeps who was here."""

    role: Role = "visitor"
    name: str = ""
    keys: Iterable[str] = ()
    busy: bool = False
    unknown: bool = False
    noted: list[str] = field(default_factory=list)
    admitted: int = 0

    def recall(self, scope: Scope) -> Visitor | None:
        """Return nobody: everybody is looked up."""
        return None

    def of(self, scope: Scope) -> Visitor | None:
        """Return the visitor of the one cookie."""
        if self.unknown:
            raise UserError("no_account", "Nobody.", "Ask.")
        cookie = cookie_of(scope)
        return self._visitor_of("known") if cookie == VALUE else None

    def admit(self, who: AccountRecord | None = None) -> Admitted:
        """Let a new visitor in."""
        self._require_time()
        self.admitted += 1
        return Admitted(self._visitor_of(f"new{self.admitted}"), f"{self.admitted:043}")

    def invited(self, key: str) -> bool:
        """Return whether it is one of the keys."""
        return key in self.keys

    def touch(self, visitor: Visitor) -> None:
        """Note a visit."""
        self._require_time()
        self.noted.append(visitor.session)

    def _visitor_of(self, session: str) -> Visitor:
        return Visitor(session, self.role, self.name, BrowserRecord(session, session, None, now(), now()))

    def _require_time(self) -> None:
        if self.busy:
            raise OperationalError("UPDATE", {}, Exception("locked"))


def door(
    inner: Inner, known: Known | None = None, *, has_login: bool = False, per_hour: int = 100, framed: bool = False
) -> ASGIApp:
    sessions = Sessions(inner, known or Known(), has_login=has_login, days=180, per_hour=per_hour, framed=framed)
    return Addresses(sessions)


def test_the_first_visit_of_a_page_gets_a_session() -> None:
    inner, known = Inner(), Known()
    for number, path in enumerate(("/", "/rate/key"), 1):
        answer = ask(door(inner, known), path)
        name, _, rest = answer.headers["set-cookie"].partition("=")
        value, *parts = rest.split("; ")
        assert name == COOKIE and value == f"{number:043}"
        assert set(parts) == {"Path=/", f"Max-Age={180 * 86400}", "HttpOnly", "SameSite=Strict"}
        assert inner.seen[-1][0][KEY] == f"new{number}"


def test_other_addresses_give_no_session() -> None:
    inner = Inner()
    answer = ask(door(inner), "/vol/a/b")
    assert "set-cookie" not in answer.headers and inner.seen[0][0][KEY] is None


def test_the_cookie_opens_its_session() -> None:
    inner = Inner()
    ask(door(inner), "/vol/a/b", headers=OURS)
    assert inner.seen[0][0][KEY] == "known"


@pytest.mark.parametrize("cookie", ["", f"{SECURE_COOKIE}={VALUE}"])
@pytest.mark.parametrize(
    ("framed", "into", "scheme", "kind"),
    [
        (True, "iframe", "https", "SameSite=None; Partitioned; Secure"),
        (True, "document", "https", "SameSite=Strict; Secure"),
        (False, "iframe", "https", "SameSite=Strict; Secure"),
        # without HTTPS no browser keeps such a cookie
        (True, "iframe", "http", "SameSite=Strict"),
    ],
)
def test_in_a_frame_of_a_site_that_may_show_it_the_cookie_is_one_for_such_frames(
    framed: bool, into: str, scheme: str, kind: str, cookie: str
) -> None:
    headers = {"sec-fetch-dest": into, "sec-fetch-site": "same-origin", **({"cookie": cookie} if cookie else {})}
    given = ask(door(Inner(), framed=framed), "/", headers=headers, scheme=scheme).headers["set-cookie"]
    assert given.endswith(f"; HttpOnly; {kind}")


def test_who_asks_for_the_head_of_a_page_begins_no_visit() -> None:
    inner, known = Inner(), Known()
    assert "set-cookie" not in ask(door(inner, known), "/", "HEAD").headers
    assert (known.admitted, inner.seen[0][0][KEY]) == (0, None)
    answer = ask(door(inner, known, has_login=True), "/", "HEAD")
    assert (answer.status, answer.code, len(inner.seen)) == (401, "sign_in", 1)


def test_a_visit_by_a_link_elsewhere_loads_the_page_again() -> None:
    for has_login in (False, True):
        inner = Inner()
        answer = ask(door(inner, has_login=has_login), "/", headers={"sec-fetch-site": "cross-site", **PERSON})
        assert b'http-equiv="refresh"' in answer.body
        assert "set-cookie" not in answer.headers and inner.seen == []


@pytest.mark.parametrize("cookie", ["", "short", "x" * 43, "x" * 44, "../" * 14 + "x", '"' + "x" * 43, "x" * 42 + " "])
def test_a_cookie_that_is_not_ours_counts_as_none(cookie: str) -> None:
    inner = Inner()
    ask(door(inner), "/vol/a/b", headers={"cookie": f"{COOKIE}={cookie}"})
    assert inner.seen[0][0][KEY] is None
    given = ask(door(inner), "/", headers={"cookie": f"{COOKIE}={cookie}"}).headers["set-cookie"]
    assert given.startswith(f"{COOKIE}={1:043};")


@pytest.mark.parametrize("path", ["/", "/rate/key"])
def test_every_visit_of_a_page_renews_the_cookie(path: str) -> None:
    inner = Inner()
    answer = ask(door(inner), path, headers={**OURS, "sec-fetch-site": "cross-site"})
    assert answer.headers["set-cookie"].startswith(f"{COOKIE}={VALUE}; Path=/; Max-Age={180 * 86400};")
    assert answer.headers["cache-control"] == "private, no-cache"
    assert inner.seen[0][0][KEY] == "known"
    assert "set-cookie" not in ask(door(inner), "/vol/a/b", headers=OURS).headers


@pytest.mark.parametrize("other", ['prefs={"a":1}', "flag", 'a="b', "x[y]=1", "=;=", "é=ü", "a=b=c", "a,b=c"])
def test_cookies_of_other_applications_do_no_harm(other: str) -> None:
    inner = Inner()
    for cookie in (f"{other}; {OURS['cookie']}", f"{OURS['cookie']}; {other}", f"{other};{OURS['cookie']}"):
        ask(door(inner), "/vol/a/b", headers={"cookie": cookie})
        assert inner.seen[-1][0][KEY] == "known"


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
    inner, known = Inner(), Known()
    made = door(inner, known)
    refused = ask(made, "/mask/1", "POST")
    assert (refused.status, refused.code, inner.seen) == (403, "no_session", [])
    assert [ask(made, "/mask/1", "POST", headers=OURS).status for _ in range(3)] == [200, 200, 200]
    assert known.noted == ["known"]


def test_a_busy_database_puts_a_change_and_a_first_visit_off() -> None:
    inner = Inner()
    for method, path, headers in (("POST", "/mask/1", OURS), ("GET", "/", {})):
        answer = ask(door(inner, Known(busy=True)), path, method, headers=headers)
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "busy", "5")
    assert inner.seen == []
    # of whom the server knows already, only the visit is not written down
    assert ask(door(inner, Known(busy=True)), "/", headers=OURS).status == 200


def test_one_address_begins_so_many_sessions() -> None:
    made = door(Inner(), per_hour=2)
    assert [ask(made, "/").status for _ in range(3)] == [200, 200, 429]
    refused = ask(made, "/")
    assert refused.code == "too_many_sessions" and 3000 < int(refused.headers["retry-after"]) <= 3600
    assert ask(made, "/", headers=OURS).status == 200


@pytest.mark.parametrize(
    ("role", "allowed"),
    [("rater", "static rate"), ("visitor", "static rate page work"), ("admin", "static rate page work")],
)
def test_a_role_may_do_what_the_table_gives_it(role: Role, allowed: str) -> None:
    paths = {"static": "/ui/viewer/x.js", "rate": "/rate/k/state", "page": "/", "work": "/vol/a/b"}
    for access, path in paths.items():
        answer = ask(door(Inner(), Known(role=role, name="somebody"), has_login=True), path, headers=OURS)
        assert answer.status == (200 if access in allowed.split() else 403), path
        assert answer.status == 200 or answer.code == "not_allowed"


@pytest.mark.parametrize(
    "path", ["/", "/vol/a/b", "/ui/viewer/x.js", "/config", "/rate/k", "/rate/k/state", "/account"]
)
def test_with_log_in_nobody_unknown_gets_anything(path: str) -> None:
    inner = Inner()
    made = door(inner, has_login=True)
    person = ask(made, path, query="a=b", headers=PERSON)
    assert person.status == 303
    assert person.headers["location"] == f"/sign-in?next={path.replace('/', '%2F')}%3Fa%3Db"
    script = ask(made, path, headers={"sec-fetch-mode": "cors"})
    assert (script.status, script.code) == (401, "sign_in")
    assert "set-cookie" not in script.headers and inner.seen == []


def test_with_log_in_the_login_page_and_health_are_open() -> None:
    for path in ("/sign-in", "/healthz", "/readyz"):
        assert ask(door(Inner(), has_login=True), path).status == 200
    assert ask(door(Inner(), has_login=True), "/sign-in", "POST").status == 200


def test_an_invitation_is_a_way_in_to_rating_alone() -> None:
    inner, known = Inner(), Known(role="rater", keys=("key",))
    made = door(inner, known, has_login=True)
    assert ask(made, "/rate/other", headers=PERSON).status == 303
    assert ask(made, "/rate/key", headers=PERSON).headers["set-cookie"].startswith(f"{COOKIE}={1:043};")
    assert ask(made, "/rate/key/state", headers=OURS).status == 200
    # a rater may have an account to sign in with
    assert ask(made, "/", headers={**OURS, **PERSON}).status == 303
    assert ask(made, "/vol/a/b", headers=OURS).status == 401


def test_whom_a_proxy_names_and_nobody_knows_is_refused() -> None:
    inner = Inner()
    refused = ask(door(inner, Known(unknown=True)), "/")
    assert (refused.status, refused.code, inner.seen) == (403, "no_account", [])


def test_a_refusal_is_a_page_for_a_person() -> None:
    answer = ask(door(Inner(), per_hour=1), "/metrics2", headers=PERSON)
    assert answer.headers["content-type"].startswith("text/html")
    assert b"This address is closed." in answer.body and b"<script" not in answer.body


def test_a_request_without_a_session_is_a_sentence() -> None:
    with pytest.raises(UserError) as refused:
        session_of(Request({"type": "http", KEY: None}))
    assert refused.value.code == "no_session"


def test_what_a_role_may_not_do_is_a_sentence() -> None:
    visitor = Visitor("s", "visitor")
    request = Request({"type": "http", KEY: "s", VISITOR: visitor})
    assert visitor_of(request) == visitor and require(request, "visitor") == "s"
    with pytest.raises(UserError) as refused:
        require(request, "manager")
    assert refused.value.code == "not_allowed" and "reader studies" in refused.value.message
