from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from core.errors import UserError
from tests.waiting import LONGEST
from tests.webapp.fakes import ORIGIN, FakeEngine, services_of, stub_page
from webapp.account import sign_in as pages
from webapp.account.sign_in import safe_next
from webapp.app import create_app
from webapp.door.identity import COOKIE
from webapp.settings import Settings

PASSWORD = "correct horse"  # noqa: S105
PERSON = {"accept": "text/html", "sec-fetch-mode": "navigate", "sec-fetch-site": "same-origin"}

ADDRESSES = count(1)

Browser = Callable[[], TestClient]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ASGIApp]:
    """A running server with accounts."""
    folder = tmp_path_factory.mktemp("accounts") / "data"
    server = create_app(
        Settings(data=folder, warm=False, disk_reserve_mb=1, accounts=True), page=stub_page, engine=FakeEngine
    )
    services_of(server).accounts.add("ada", "visitor", PASSWORD)
    with TestClient(server, base_url=ORIGIN):
        yield server


@pytest.fixture
def visiting(guarded: ASGIApp) -> Browser:
    """Makes browsers, each with its own cookies, at an address that no other test has."""
    address = (f"192.0.2.{next(ADDRESSES)}", 50_000)

    def made() -> TestClient:
        headers = {"origin": ORIGIN, **PERSON}
        return TestClient(guarded, base_url=ORIGIN, headers=headers, follow_redirects=False, client=address)

    return made


def sign_in(client: TestClient, password: str = PASSWORD, name: str = "ada", next: str = "/") -> int:
    return client.post("/sign-in", data={"name": name, "password": password, "next": next}).status_code


def test_a_person_signs_in_and_goes_on(visiting: Browser) -> None:
    client = visiting()
    asked = client.get("/?job=1")
    assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in?next=%2F%3Fjob%3D1")
    page = client.get(asked.headers["location"])
    assert page.status_code == 200 and 'name="next" value="/?job=1"' in page.text
    assert "<script" not in page.text and "form-action 'self'" in page.headers["content-security-policy"]
    answer = client.post("/sign-in", data={"name": " ADA ", "password": PASSWORD, "next": "/?job=1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/?job=1")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(answer.headers.get_list("set-cookie")[0].split("; "))
    assert client.get("/").status_code == 200
    assert "ada" in client.get("/account").text


def test_a_wrong_password_opens_nothing(visiting: Browser) -> None:
    client = visiting()
    for name, password in (("ada", "wrong password"), ("nobody", PASSWORD), ("ada", ""), ("", "")):
        answer = client.post("/sign-in", data={"name": name, "password": password})
        assert answer.status_code == 401 and "set-cookie" not in answer.headers
        assert "The name or the password is wrong." in answer.text
    assert client.get("/").status_code == 303


def test_what_a_visitor_typed_is_shown_as_text(visiting: Browser) -> None:
    answer = visiting().post("/sign-in", data={"name": '"><b>${1}', "password": "x", "next": '/"><b>'})
    assert "<b>" not in answer.text and "&lt;b&gt;" in answer.text


def test_a_visit_begins_with_a_new_cookie(visiting: Browser) -> None:
    client = visiting()
    client.cookies.set(COOKIE, "f" * 43)
    assert sign_in(client) == 303
    values = {cookie.value for cookie in client.cookies.jar if cookie.name == COOKIE} - {"f" * 43}
    other = visiting()
    assert sign_in(other) == 303
    assert len(values) == 1 and other.cookies[COOKIE] not in values


def test_a_second_visit_of_a_browser_ends_the_first(guarded: ASGIApp, visiting: Browser) -> None:
    services_of(guarded).accounts.add("eve", "visitor", PASSWORD)
    client, thief = visiting(), visiting()
    assert sign_in(client) == 303
    thief.cookies.set(COOKIE, client.cookies[COOKIE])
    assert thief.get("/").status_code == 200
    assert sign_in(client, name="eve") == 303
    assert (thief.get("/").status_code, client.get("/").status_code) == (303, 200)


def test_a_browser_that_was_here_is_not_locked_out_by_others(guarded: ASGIApp, visiting: Browser) -> None:
    services_of(guarded).accounts.add("dora", "visitor", PASSWORD)
    owner, other = visiting(), visiting()
    answer = owner.post("/sign-in", data={"name": "dora", "password": PASSWORD, "next": "/"})
    known = next(one for one in answer.headers.get_list("set-cookie") if one.startswith(pages.KNOWN_COOKIE))
    assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(known.split("; "))
    assert owner.post("/account/sign-out").status_code == 303
    accounts = services_of(guarded).accounts
    for _ in range(6):
        with pytest.raises(UserError):
            accounts.sign_in("dora", "wrong password")
    assert sign_in(other, name="dora") == 429
    assert sign_in(owner, name="dora") == 303


def test_signing_out_ends_one_visit_or_all(visiting: Browser) -> None:
    one, two, three = visiting(), visiting(), visiting()
    assert [sign_in(client) for client in (one, two, three)] == [303] * 3
    kept = {COOKIE: one.cookies[COOKIE]}
    assert one.post("/account/sign-out").status_code == 303
    assert [client.get("/").status_code for client in (one, two, three)] == [303, 200, 200]
    # the cookie itself is worth nothing any more
    again = visiting()
    again.cookies.update(kept)
    assert again.get("/").status_code == 303
    assert two.post("/account/sign-out-everywhere").status_code == 303
    assert [client.get("/").status_code for client in (two, three)] == [303, 303]


def test_signing_out_everywhere_cuts_open_streams(visiting: Browser) -> None:
    one, two = visiting(), visiting()
    assert [sign_in(client) for client in (one, two)] == [303] * 2
    with ThreadPoolExecutor(1) as pool:
        stream = pool.submit(one.get, "/gradio_api/heartbeat/page")
        assert not wait((stream,), 0.5).done
        assert two.post("/account/sign-out-everywhere").status_code == 303
        assert stream.result(LONGEST).status_code == 200


@pytest.mark.parametrize("path", ["/account/sign-out", "/account/sign-out-everywhere", "/sign-in"])
def test_another_site_signs_nobody_in_or_out(visiting: Browser, path: str) -> None:
    client = visiting()
    assert sign_in(client) == 303
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        refused = client.post(path, data={"name": "ada", "password": PASSWORD}, headers={**headers, "accept": "*/*"})
        assert (refused.status_code, refused.json()["code"]) == (403, "cross_origin")
    assert client.get("/").status_code == 200


def test_a_disabled_account_is_out_at_once_and_a_role_counts(guarded: ASGIApp, visiting: Browser) -> None:
    accounts = services_of(guarded).accounts
    accounts.add("rita", "rater", PASSWORD)
    client = visiting()
    assert sign_in(client, name="rita") == 303
    refused = client.get("/")
    assert refused.status_code == 403 and "Your role does not allow you" in refused.text
    accounts.disable("rita")
    assert sign_in(client, name="rita") == 401


def test_one_address_may_try_so_often(visiting: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    client = visiting()
    answers = [sign_in(client, "wrong password", f"name{number}") for number in range(pages.TRIES + 2)]
    assert set(answers) == {401, 429} and answers[-1] == 429


def test_a_form_of_another_kind_is_refused(visiting: Browser) -> None:
    client = visiting()
    assert client.post("/sign-in", json={"name": "ada", "password": PASSWORD}).status_code == 422
    assert client.post("/sign-in", data={"name": "ada"}, files={"password": b"x"}).status_code == 422


def test_an_open_server_signs_nobody_out(browser: Browser) -> None:
    client = browser()
    assert client.get("/").status_code == 200
    refused = client.post("/account/sign-out-everywhere")
    assert (refused.status_code, refused.json()["code"]) == (403, "no_account")
    assert "This browser" in client.get("/account").text
    assert client.get("/sign-in").status_code == 200


@pytest.mark.parametrize(
    "wanted",
    ["", "//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example", "javascript:x", "/é"],
)
def test_nobody_is_sent_elsewhere(wanted: str) -> None:
    assert safe_next(wanted) == "/"


@given(st.text(max_size=30))
def test_the_address_to_go_on_to_is_on_this_server(text: str) -> None:
    for wanted in (text, "/" + text):
        following = safe_next(wanted)
        assert following in ("/", wanted)
        assert following.startswith("/") and not following.startswith(("//", "/\\"))
        assert following.isascii() and following.isprintable()


def test_the_style_is_part_of_the_page(visiting: Browser, tmp_path: Path) -> None:
    text = visiting().get("/sign-in").text
    assert "<style>" in text and "/ui/" not in text and "--accent" in text
