"""What is tried with tokens: others' things, tokens that ended, wrong places for them, too much, other sites."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from tests.phantom import Phantom
from tests.webapp.api.programs import DAY, FILES, JOBS, Program, code, program
from tests.webapp.door.visits import Browser, session_in, visit
from tests.webapp.fakes import ORIGIN, FakeEngine, services_of, stub_page
from webapp.account import account_page
from webapp.app import create_app
from webapp.door import session as door_session
from webapp.settings import Settings
from webapp.store.clock import now
from webapp.store.schema import access_token

PASSWORD = "correct horse"  # noqa: S105
EVIL = "https://evil.example"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ASGIApp]:
    """A running server with accounts: a visitor, a rater and a manager."""
    folder = tmp_path_factory.mktemp("tokens") / "data"
    settings = Settings(data=folder, warm=False, disk_reserve_mb=1, accounts=True, max_upload_mb=8)
    server = create_app(settings, page=stub_page, engine=FakeEngine)
    for name, role in (("ada", "visitor"), ("rita", "rater"), ("max", "manager")):
        services_of(server).accounts.add(name, role, PASSWORD)  # type: ignore[arg-type]
    with TestClient(server, base_url=ORIGIN):
        yield server


def owned(one: Program, head: Phantom, folder: Path) -> dict[str, str]:
    """Let a program have a scan and a finished job, and return every address that names them."""
    scan, mask = head.write(folder)
    t1 = one.upload(scan)["id"]
    job = one.over(one.start({"t1": t1, "mask": one.upload(mask, kind="mask", belongs_to=t1)["id"]})["id"])
    return {"t1": t1, "job": job["id"], "result": job["results"][0]["address"]}


def test_what_is_anothers_answers_as_what_does_not_exist(server: ASGIApp, head: Phantom, tmp_path: Path) -> None:
    one, other = program(server), program(server)
    things = owned(one, head, tmp_path)
    nothing = "0" * 32
    asked = [
        ("GET", f"{FILES}/{{t1}}"), ("DELETE", f"{FILES}/{{t1}}"), ("GET", f"{JOBS}/{{job}}"),
        ("GET", f"{JOBS}/{{job}}/events"), ("POST", f"{JOBS}/{{job}}/cancel"), ("DELETE", f"{JOBS}/{{job}}"),
        ("GET", f"{JOBS}/{{job}}/results/result.nii.gz"),
    ]  # fmt: skip
    for method, template in asked:
        answers = [
            other.ask(method, template.format(t1=t1, job=job))
            for t1, job in ((things["t1"], things["job"]), (nothing, nothing))
        ]
        assert code(answers[0]) == (404, "not_found") and answers[0].content == answers[1].content, template
    started = other.ask("POST", JOBS, json={"task": "inpaint", "inputs": {"t1": things["t1"], "mask": things["t1"]}})
    masked = other.ask("POST", FILES, params={"kind": "mask", "belongs_to": things["t1"]}, files={"files": ("m", b"m")})
    assert code(started) == (404, "not_found") and masked.status_code in (404, 422)
    assert other.ask("GET", JOBS).json() == [] and one.ask("GET", things["result"]).status_code == 200


def test_a_token_and_its_browser_are_one_visitor(
    server: ASGIApp, browser: Browser, head: Phantom, tmp_path: Path
) -> None:
    person = visit(browser)
    one = program(server, session_in(services_of(server), person))
    owned(one, head, tmp_path)
    (job,) = services_of(server).repo.jobs(session_in(services_of(server), person))
    assert person.get(f"/files/{job.artifacts[0].id}").status_code == 200


def test_a_token_is_made_shown_once_and_ended_on_the_page(server: ASGIApp, browser: Browser) -> None:
    person = visit(browser)
    made = person.post("/account/tokens", data={"title": "my <script>", "days": "7"})
    assert made.status_code == 200 and made.headers["cache-control"] == "private, no-store"
    text = made.text.partition("<code>counterscan_")[2].partition("</code>")[0]
    one = Program(server, f"counterscan_{text}")
    assert one.ask("GET", JOBS).json() == []
    page = person.get("/account").text
    assert text not in page and "my &lt;script&gt;" in page and "<script" not in page
    ident = page.partition('name="token" value="')[2].partition('"')[0]
    stranger = visit(browser)
    assert code(stranger.post("/account/tokens/end", data={"token": ident})) == (404, "not_found")
    ended = person.post("/account/tokens/end", data={"token": ident}, follow_redirects=False)
    assert (ended.status_code, ended.headers["location"]) == (303, "/account")
    # at once, though it was seen a moment ago
    answer = one.ask("GET", JOBS)
    assert code(answer) == (401, "bad_token") and answer.headers["www-authenticate"] == "Bearer"
    assert services_of(server).tokens.of(session_in(services_of(server), person)) == ()


@pytest.mark.parametrize("days", ["0", "-1", "8", "1e3", "365.0", " 7", "", "day", "9" * 400])
def test_a_time_that_is_not_offered_is_refused_in_a_sentence(browser: Browser, days: str) -> None:
    """And not taken for the usual one: who asked for a day must not get a month."""
    person = visit(browser)
    for form in ({"title": "x", "days": days}, {"title": "x"}):
        refused = person.post("/account/tokens", data=form)
        assert code(refused) == (422, "bad_parameter") and "90" in refused.json()["hint"]
    assert 'name="token" value="' not in person.get("/account").text
    shown = person.post("/account/tokens", data={"days": days}, headers={"accept": "text/html"})
    assert shown.status_code == 422 and shown.headers["content-type"].startswith("text/html")
    assert "A token cannot end after that time." in shown.text


def test_tokens_that_ended_open_nothing(server: ASGIApp) -> None:
    services = services_of(server)
    made, text = services.tokens.add("x", None, "", now() + DAY)
    with services.repo.engine.begin() as connection:
        past = now() - timedelta(seconds=1)
        connection.execute(update(access_token).where(access_token.c.id == made.id).values(ends=past))
    assert code(Program(server, text).ask("GET", JOBS)) == (401, "bad_token")


@pytest.mark.parametrize("query", ["token={}", "access_token={}", "x=1&y=Bearer%20{}", "{}"])
def test_a_token_in_an_address_is_refused(server: ASGIApp, query: str) -> None:
    _, text = services_of(server).tokens.add("x", None, "", now() + DAY)
    for who in (Program(server, None), Program(server, text)):
        assert code(who.ask("GET", f"{JOBS}?{query.format(text)}")) == (401, "token_in_address")


def test_no_line_of_the_log_has_a_token(server: ASGIApp, browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    person = visit(browser)
    made = person.post("/account/tokens", data={"days": "7"}).text
    text = "counterscan_" + made.partition("<code>counterscan_")[2].partition("</code>")[0]
    one = Program(server, text)
    assert one.ask("GET", JOBS).status_code == 200
    for method, path in (("GET", f"{JOBS}?token={text}"), ("POST", JOBS), ("POST", FILES), ("GET", f"{JOBS}/{text}")):
        assert one.ask(method, path, content=text).status_code >= 400
    assert Program(server, f"{text[:-1]}-").ask("GET", JOBS).status_code == 401
    # without those of the client, which is not the server
    lines = [str(record.__dict__) for record in caplog.records if not record.name.startswith("httpx")]
    assert lines and text[12:-1] not in "".join(lines)


def test_headers_cannot_be_played_against_each_other(server: ASGIApp) -> None:
    _, text = services_of(server).tokens.add("x", None, "", now() + DAY)
    _, other = services_of(server).tokens.add("y", None, "", now() + DAY)
    client = TestClient(server, base_url=ORIGIN)
    good, bad = f"Bearer {text}", "Bearer counterscan_" + "x" * 43
    several: tuple[list[tuple[str, str]], ...] = (
        [("authorization", good), ("authorization", f"Bearer {other}")],
        [("authorization", bad), ("authorization", good)],
        [("authorization", "Basic eDp5"), ("authorization", good)],
        [("authorization", f"{good}, Bearer {other}")],
        [("authorization", f"{good} x")],
        [("authorization", bad)],
    )
    for headers in several:
        assert code(client.get(JOBS, headers=headers)) == (401, "bad_token"), headers
    for headers in (
        [], [("authorization", text)], [("authorization", f"Token {text}")], [("authorization", "Bearer eyJhbGciOi")],
        [("x-authorization", good)], [("authorization_", good)], [("x-forwarded-authorization", good)],
        [("proxy-authorization", good)], [("cookie", f"authorization={good}; counterscan_session={text[-43:]}")],
        [("x-forwarded-for", "127.0.0.1"), ("x-real-ip", "127.0.0.1")],
    ):  # fmt: skip
        assert code(client.get(JOBS, headers=headers)) == (401, "token_needed"), headers
    assert client.get(JOBS, headers=[("authorization", f"bEaReR   {text}")]).status_code == 200


def test_a_cookie_lends_a_program_nothing(server: ASGIApp, browser: Browser) -> None:
    person = visit(browser)
    for method, path in (
        ("GET", JOBS),
        ("POST", JOBS),
        ("POST", FILES),
        ("DELETE", f"{JOBS}/x"),
        ("GET", "/api/v1/tasks"),
    ):
        assert code(person.request(method, path)) == (401, "token_needed"), path


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": EVIL},
        {"sec-fetch-site": "cross-site"},
        {"origin": "null"},
        {"host": "evil.example"},
    ],
)
def test_another_site_can_do_nothing_with_a_token_either(server: ASGIApp, headers: dict[str, str]) -> None:
    one = program(server)
    for method, path in (("POST", JOBS), ("POST", FILES), ("DELETE", f"{JOBS}/x")):
        assert one.ask(method, path, headers=headers).status_code in (403, 421)
    answer = one.ask("GET", JOBS, headers={"origin": EVIL})
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert one.ask("OPTIONS", JOBS, headers={"origin": EVIL}).status_code == 403


def test_a_token_opens_no_page_of_a_person(guarded: ASGIApp) -> None:
    one = program(guarded, account="ada")
    assert one.ask("GET", JOBS).status_code == 200
    for method, path in (
        ("GET", "/account"), ("POST", "/account/tokens"), ("POST", "/account/tokens/end"), ("GET", "/"),
        ("POST", "/account/sign-out-everywhere"), ("POST", "/data/delete"), ("GET", "/admin"),
    ):  # fmt: skip
        assert one.ask(method, path, headers={"accept": "application/json"}).status_code == 401, path


def test_a_token_may_what_its_owner_may(guarded: ASGIApp) -> None:
    services = services_of(guarded)
    assert code(program(guarded, account="rita").ask("GET", JOBS)) == (403, "not_allowed")
    assert code(Program(guarded, services.tokens.add("stranger", None, "", now() + DAY)[1]).ask("GET", JOBS))[0] == 401
    assert program(guarded, account="max").ask("GET", JOBS).status_code == 200


def test_guessing_is_slowed_down_and_the_right_token_still_opens(server: ASGIApp) -> None:
    one = program(server)
    client = TestClient(server, base_url=ORIGIN, client=("198.51.100.7", 1))
    wrong = {"authorization": "Bearer counterscan_" + "z" * 43}
    answers = [client.get(JOBS, headers=wrong) for _ in range(door_session.GUESSES + 1)]
    assert [answer.status_code for answer in answers] == [401] * door_session.GUESSES + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert client.get(JOBS, headers=dict(one.client.headers)).status_code == 200


def test_a_body_that_is_too_large_is_refused_before_it_is_read(server: ASGIApp) -> None:
    one = program(server)
    huge = str((8 << 20) + (2 << 20))
    answer = one.ask(
        "POST", FILES, content=b"x", headers={"content-length": huge, "content-type": "multipart/form-data"}
    )
    assert code(answer) == (413, "too_large")
    assert code(one.ask("POST", FILES, files={"files": ("t1.nii", b"\0" * (10 << 20))})) == (413, "too_large")
    assert code(one.ask("POST", JOBS, content=b" " * (5 << 20))) == (413, "too_large")
    assert one.ask("POST", JOBS, content=b"[" * 100_000, headers={"content-type": "application/json"}).status_code in (
        400,
        422,
    )


def test_names_lead_nowhere_else(server: ASGIApp, head: Phantom, tmp_path: Path) -> None:
    one = program(server)
    scan, _ = head.write(tmp_path)
    for name in ("../../../t1.nii.gz", "/etc/t1.nii.gz", "..\\..\\t1.nii.gz", "a\0b.nii.gz", "%2e%2e%2ft1.nii.gz"):
        answer = one.ask("POST", FILES, files={"files": (name, scan.read_bytes())})
        assert answer.status_code in (201, 422), name
        assert answer.status_code == 422 or not {"/", "\\", "\0"} & set(answer.json()["name"]), answer.text
    things = owned(one, head, tmp_path)
    for name in ("..%2f..%2fcounterscan.db", "%2e%2e", ".", "result.nii.gz%00", "../run", "result.nii.gz/x"):
        answer = one.ask("GET", f"{JOBS}/{things['job']}/results/{name}")
        assert answer.status_code in (403, 404) or answer.json().get("id") == things["job"], name


def test_uploads_of_programs_count_as_the_visitors(settings: Settings, head: Phantom, tmp_path: Path) -> None:
    server = create_app(settings.model_copy(update={"upload_mb_per_day": 1}), page=stub_page, engine=FakeEngine)
    with TestClient(server, base_url=ORIGIN):
        one = program(server)
        assert one.ask("POST", FILES, files={"files": ("a", b"a" * 700_000)}).status_code == 422
        assert code(one.ask("POST", FILES, files={"files": ("a", b"a" * 700_000)})) == (429, "upload_limit")
        assert code(program(server).ask("POST", FILES, files={"files": ("a", b"a")}))[1] != "upload_limit"


def test_a_public_demo_keeps_no_name_and_gives_short_lives(settings: Settings) -> None:
    server = create_app(settings.model_copy(update={"public_demo": True}), page=stub_page, engine=FakeEngine)
    with TestClient(server, base_url=ORIGIN, headers={"origin": ORIGIN}) as person:
        assert person.get("/").status_code == 200
        assert code(person.post("/account/tokens", data={"title": "Jane Doe", "days": "365"})) == (422, "bad_parameter")
        made = person.post("/account/tokens", data={"title": "Jane Doe", "days": "7"}).text
        assert "Jane" not in made and 'value="30"' not in made
        services = services_of(server)
        (one,) = services.tokens.of(session_in(services, person))
        assert one.title == "" and one.ends - one.created < timedelta(days=max(account_page.DEMO_DAYS) + 1)
        assert code(Program(server, None).ask("GET", JOBS)) == (401, "token_needed")


def test_an_administrators_token_is_none_of_a_visitor(settings: Settings) -> None:
    secret = "s" * 32
    server = create_app(settings.model_copy(update={"admin_token": secret}), page=stub_page, engine=FakeEngine)
    with TestClient(server, base_url=ORIGIN):
        assert code(Program(server, secret).ask("GET", JOBS)) == (401, "token_needed")
