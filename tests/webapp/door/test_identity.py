from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from core.errors import UserError
from tests.hand_clock import HandClock
from tests.webapp.door.asgi import Inner, ask
from tests.webapp.fakes import FakeEngine
from webapp.app import build_services
from webapp.door.addresses import ACCESS
from webapp.door.identity import CACHE_SECONDS, COOKIE, LOCAL, Identity
from webapp.door.peer import PEER, Peer, address_of, is_within
from webapp.door.visitor import Visitor
from webapp.services import Services
from webapp.settings import Settings
from webapp.store.account_records import BrowserRecord
from webapp.store.clock import now

PROXY: dict[str, Any] = {"proxy_header": "X-Remote-User", "proxy_addresses": "10.0.0.1, fd00::/8"}


def made(tmp_path: Path, **changes: Any) -> Services:
    return build_services(Settings(data=tmp_path / "data", warm=False, disk_reserve_mb=1, **changes), FakeEngine)


def scope(peer: str = "10.0.0.1", cookie: str = "", *headers: tuple[str, str]) -> dict[str, Any]:
    sent = [*headers, ("cookie", f"{COOKIE}={cookie}")]
    encoded = [(name.lower().encode(), value.encode()) for name, value in sent]
    return {"type": "http", "scheme": "http", "headers": encoded, PEER: peer}


def test_roles_without_an_account(tmp_path: Path) -> None:
    for changes, role in (({}, "manager"), ({"public_demo": True}, "visitor"), ({"accounts": True}, "rater")):
        identity = Identity(made(tmp_path, **changes))
        admitted = identity.admit()
        assert (admitted.visitor.role, admitted.visitor.name) == (role, "")
        assert identity.of(scope(cookie=admitted.cookie)) == admitted.visitor
        assert identity.of(scope()) is None


def test_an_account_has_its_role_and_name(tmp_path: Path) -> None:
    services = made(tmp_path, accounts=True)
    identity = Identity(services)
    admitted = identity.admit(services.accounts.add("ada", "manager", None))
    assert (admitted.visitor.role, admitted.visitor.name) == ("manager", "ada")


def test_a_header_counts_from_the_proxy_alone(tmp_path: Path) -> None:
    services = made(tmp_path, **PROXY)
    identity = Identity(services)
    header = ("X-Remote-User", " Ada ")
    visitor = identity.of(scope("10.0.0.1", "", header))
    assert visitor is not None and (visitor.name, visitor.role, visitor.browser) == ("ada", "visitor", None)
    assert identity.of(scope("fd00::1", "", header)) == visitor
    for peer in ("10.0.0.2", "127.0.0.1", "testclient", "", "fe80::1"):
        assert identity.of(scope(peer, "", header)) is None, peer
    # of two headers one may be the client's own
    assert identity.of(scope("10.0.0.1", "", ("x-remote-user", "root"), header)) is None
    assert identity.of(scope("10.0.0.1", "", ("X-Remote-User", ""))) is None
    assert [one.name for one in services.accounts.all()] == ["ada"]


def test_a_header_has_letters_of_every_script(tmp_path: Path) -> None:
    identity = Identity(made(tmp_path, **PROXY))
    for name in ("jürgen", "Ада", "山田"):
        visitor = identity.of(scope("10.0.0.1", "", ("X-Remote-User", name)))
        assert visitor is not None and visitor.name == name.lower()
    # an older proxy writes Latin-1
    sent = scope("10.0.0.1", "")
    sent["headers"].append((b"x-remote-user", "jürgen".encode("latin-1")))
    visitor = identity.of(sent)
    assert visitor is not None and visitor.name == "jürgen"
    # what looks like the name of another is refused
    with pytest.raises(UserError) as refused:
        identity.of(scope("10.0.0.1", "", ("X-Remote-User", "\u0430da")))
    assert refused.value.code == "bad_name"


def test_without_the_setting_a_header_is_nothing(tmp_path: Path) -> None:
    identity = Identity(made(tmp_path, accounts=True))
    assert identity.of(scope("127.0.0.1", "", ("X-Remote-User", "ada"))) is None


def test_whom_a_proxy_names_may_have_to_be_known(tmp_path: Path) -> None:
    services = made(tmp_path, **PROXY, new_accounts="none")
    identity, header = Identity(services), ("X-Remote-User", "ada")
    with pytest.raises(UserError) as refused:
        identity.of(scope("10.0.0.1", "", header))
    assert refused.value.code == "no_account"
    services.accounts.add("ada", "admin", None)
    visitor = identity.of(scope("10.0.0.1", "", header))
    assert visitor is not None and visitor.role == "admin"


def test_the_forwarded_address_does_not_make_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a client writes of itself changes for whom it is counted, never who is at the other end."""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "127.0.0.1")
    inner = Inner()
    ask(Peer(inner), headers={"x-forwarded-for": "10.0.0.1"})
    assert inner.seen[0][0][PEER] == "" and not is_within(inner.seen[0][0], Settings(**PROXY).trusted_proxies)


@pytest.mark.parametrize(
    ("host", "counted"),
    [("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("testclient", "testclient"), ("", "")],
)
def test_an_address_is_counted_by_line(host: str, counted: str) -> None:
    assert address_of({"client": (host, 1)}) == counted
    assert address_of({}) == ""


def test_a_sign_out_counts_at_once_here_and_soon_elsewhere(tmp_path: Path) -> None:
    services, clock = made(tmp_path, accounts=True), HandClock()
    account = services.accounts.add("ada", "visitor", None)
    here, elsewhere = Identity(services, clock.monotonic), Identity(services, clock.monotonic)
    one, two = here.admit(account), here.admit(account)
    for identity in (here, elsewhere):
        assert identity.of(scope(cookie=one.cookie)) and identity.of(scope(cookie=two.cookie))
    here.sign_out(one.visitor)
    assert here.of(scope(cookie=one.cookie)) is None and here.of(scope(cookie=two.cookie)) is not None
    assert elsewhere.of(scope(cookie=one.cookie)) is not None
    clock.forward(CACHE_SECONDS)
    assert elsewhere.of(scope(cookie=one.cookie)) is None
    here.sign_out_everywhere(two.visitor)
    assert here.of(scope(cookie=two.cookie)) is None


def test_what_was_looked_up_a_moment_ago_needs_no_database(tmp_path: Path) -> None:
    services, clock = made(tmp_path, accounts=True), HandClock()
    identity = Identity(services, clock.monotonic)
    admitted = identity.admit(services.accounts.add("ada", "visitor", None))

    def asked(*headers: tuple[str, str], query: bytes = b"") -> dict[str, Any]:
        return {**scope("10.0.0.1", admitted.cookie, *headers), "query_string": query}

    assert identity.recall(asked()) is None
    assert identity.of(asked()) == identity.recall(asked()) == admitted.visitor
    # what may be a program's or names a token, and who brings no cookie, is looked at closely
    for other in (
        asked(("authorization", "Bearer x")),
        asked(query=b"token=x"),
        {**asked(), ACCESS: "program"},
        {**scope(), "query_string": b""},
        {**scope(cookie="f" * 43), "query_string": b""},
    ):
        assert identity.recall(other) is None
    identity.sign_out(admitted.visitor)
    assert identity.recall(asked()) is None
    again = identity.admit(services.accounts.find("ada"))
    admitted = again
    assert identity.of(asked()) == identity.recall(asked())
    clock.forward(CACHE_SECONDS)
    assert identity.recall(asked()) is None
    by_proxy = Identity(made(tmp_path, **PROXY), clock.monotonic)
    assert by_proxy.of(asked()) and by_proxy.recall(asked()) is None


def test_another_role_counts_soon(tmp_path: Path) -> None:
    services, clock = made(tmp_path, accounts=True), HandClock()
    identity = Identity(services, clock.monotonic)
    admitted = identity.admit(services.accounts.add("ada", "admin", None))
    assert identity.of(scope(cookie=admitted.cookie)) == admitted.visitor
    services.accounts.set_role("ada", "rater")
    clock.forward(CACHE_SECONDS)
    now = identity.of(scope(cookie=admitted.cookie))
    assert now is not None and now.role == "rater"


def test_what_was_looked_up_before_a_sign_out_is_not_remembered_after_it(tmp_path: Path) -> None:
    services = made(tmp_path, accounts=True)
    identity = Identity(services)
    admitted = identity.admit(services.accounts.add("ada", "visitor", None))
    looked, ended = threading.Event(), threading.Event()
    opened = identity._opened

    def slowly(cookie: str) -> Visitor | None:
        found = opened(cookie)
        looked.set()
        ended.wait()
        return found

    identity._opened = slowly  # type: ignore[method-assign]
    thread = threading.Thread(target=identity.of, args=(scope(cookie=admitted.cookie),))
    thread.start()
    looked.wait()
    identity.sign_out(admitted.visitor)
    ended.set()
    thread.join()
    identity._opened = opened  # type: ignore[method-assign]
    assert identity.of(scope(cookie=admitted.cookie)) is None


def test_visits_are_written_down(tmp_path: Path) -> None:
    services = made(tmp_path, **PROXY)
    identity = Identity(services)
    admitted = identity.admit()
    named = identity.of(scope("10.0.0.1", "", ("X-Remote-User", "ada")))
    assert named is not None
    with services.repo.engine.begin() as connection:
        connection.execute(text("UPDATE session SET last_seen = '2020-01-01'"))
        connection.execute(text("UPDATE browser SET last_seen = '2020-01-01'"))
    identity.touch(named)
    identity.touch(admitted.visitor)
    with services.repo.engine.begin() as connection:
        seen = [*connection.scalars(text("SELECT last_seen FROM session UNION ALL SELECT last_seen FROM browser"))]
    assert len(seen) == 3 and not any(moment.startswith("2020") for moment in seen)


def test_invitations_need_an_account_where_the_setting_is_so(tmp_path: Path) -> None:
    services = made(tmp_path, accounts=True, invitations="account")
    identity = Identity(services)
    assert not identity.invited("key")
    browser: BrowserRecord | None = identity.admit().visitor.browser
    assert browser is not None
    _, cookie = services.browsers.admit()
    # a browser of before that setting is nobody
    assert identity.of(scope(cookie=cookie)) is None


def sent(token: str, access: str = "program", *headers: tuple[str, str]) -> dict[str, Any]:
    """Return a request of a program on this machine."""
    found = scope("127.0.0.1", "", ("host", "127.0.0.1:7860"), *headers)
    brought = [(b"authorization", f"Bearer {token}".encode())] if token else []
    kept = [header for header in found["headers"] if header[0] != b"cookie"]
    client = ("127.0.0.1", 1)
    return {**found, "headers": [*kept, *brought], "query_string": b"", ACCESS: access, "client": client}


def refusal(identity: Identity, request: dict[str, Any]) -> str:
    with pytest.raises(UserError) as caught:
        identity.of(request)
    return caught.value.code


def test_a_token_is_its_account_as_it_stands_now(tmp_path: Path) -> None:
    services, clock = made(tmp_path, accounts=True), HandClock()
    identity = Identity(services, clock.monotonic)
    ada = services.accounts.add("ada", "manager", None)
    record, token = services.tokens.add(ada.session, ada, "", now() + timedelta(days=1))
    for access in ("program", "work"):
        assert identity.of(sent(token, access)) == Visitor(ada.session, "manager", "ada", token=record.id)
    # nothing but addresses for programs, and none that ends in an account's own page
    for access in ("person", "page", "admin", "open", "rate"):
        assert identity.of(sent(token, access)) is None
    services.accounts.set_role("ada", "rater")
    clock.forward(CACHE_SECONDS)
    seen = identity.of(sent(token))
    assert seen is not None and seen.role == "rater"
    identity.touch(seen)
    assert services.tokens.of(ada.session)[0].last_seen is not None
    services.accounts.disable("ada")
    clock.forward(CACHE_SECONDS)
    assert refusal(identity, sent(token)) == "bad_token"


def test_a_token_ends_with_its_visitor(tmp_path: Path) -> None:
    services = made(tmp_path, public_demo=True)
    identity = Identity(services)
    session = identity.admit().visitor.session
    _, token = services.tokens.add(session, None, "", now() + timedelta(days=1))
    seen = identity.of(sent(token))
    assert seen is not None and (seen.session, seen.role) == (session, "visitor")
    services.browsers.close(session)
    identity.forget(session)
    assert refusal(identity, sent(token)) == "visit_ended"


def test_programs_of_ones_own_machine_need_no_token(tmp_path: Path) -> None:
    identity = Identity(made(tmp_path / "alone"))
    for access in ("program", "work"):
        assert identity.of(sent("", access)) == Visitor(LOCAL, "manager")
    # a browser, a proxy, another machine, another name
    for header in (("origin", "http://127.0.0.1:7860"), ("sec-fetch-site", "none"), ("x-forwarded-for", "10.0.0.1")):
        assert refusal(identity, sent("", "program", header)) == "token_needed"
    assert refusal(identity, {**sent(""), "client": ("10.0.0.1", 1)}) == "token_needed"
    assert refusal(identity, {**sent(""), PEER: "10.0.0.1"}) == "token_needed"
    renamed = [(name, b"scans.example.org" if name == b"host" else value) for name, value in sent("")["headers"]]
    assert refusal(identity, {**sent(""), "headers": renamed}) == "token_needed"
    for number, changes in enumerate(({"accounts": True}, {"public_demo": True}, {"allow_remote": True}, PROXY)):
        other = Identity(made(tmp_path / str(number), **changes))
        assert refusal(other, sent("")) == "token_needed" and other.of(sent("", "work")) is None
    assert refusal(Identity(made(tmp_path / "off", api=False)), sent("")) == "closed"
    tools = {**sent(""), "path": "/mcp/"}
    assert refusal(identity, tools) == "closed"
    assert Identity(made(tmp_path / "tools", mcp=True)).of(tools) == Visitor(LOCAL, "manager")
