from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from core.engine.protocol import JobSpec
from core.events import Event, Failed, Started
from tests.phantom import Phantom
from tests.waiting import LONGEST, wait_until
from tests.webapp.door.visits import session_in, visit
from tests.webapp.fakes import ORIGIN, FakeEngine, load, services_of, stub_page, wait_for
from webapp.app import create_app
from webapp.door.streams import LOOK_SECONDS
from webapp.intake.scans import accept
from webapp.services import Services
from webapp.settings import Settings
from webapp.store.clock import now

TOKEN = "t" * 30
CANARY = "canary-of-a-visitor"
PASSWORD = "correct horse"  # noqa: S105


def breaks(job_id: str, spec: JobSpec, attempt: int) -> Iterator[Event]:
    """A job that fails, in words that have the visitor's."""
    yield Started("cpu")
    yield Failed("mask_empty", f"{CANARY} is empty.", "Draw it.")


@dataclass(frozen=True)
class Site:
    """A demo with an administrator's token."""

    server: ASGIApp
    engine: FakeEngine

    @property
    def services(self) -> Services:
        """The parts of the server."""
        return services_of(self.server)

    def browser(self) -> TestClient:
        """A browser of a stranger."""
        return TestClient(self.server, base_url=ORIGIN, headers={"origin": ORIGIN})

    def admin(self) -> TestClient:
        """A browser into which the token was typed."""
        given = base64.b64encode(f"me:{TOKEN}".encode()).decode()
        headers = {"origin": ORIGIN, "authorization": f"Basic {given}", "accept": "text/html"}
        return TestClient(self.server, base_url=ORIGIN, headers=headers)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """The demo, with an engine of its own."""
    engine = FakeEngine()
    settings = Settings(data=tmp_path / "data", warm=False, disk_reserve_mb=1, public_demo=True, admin_token=TOKEN)
    server = create_app(settings, page=stub_page, engine=lambda: engine)
    with TestClient(server, base_url=ORIGIN):
        yield Site(server, engine)


def test_strangers_are_asked_for_the_token(site: Site) -> None:
    for client in (site.browser(), visit(site.browser)):
        refused = client.get("/admin")
        assert (refused.status_code, refused.json()["code"]) == (401, "not_allowed")
        assert refused.headers["www-authenticate"].startswith("Basic ")
        assert client.post("/admin/visitor", data={"session": "x", "act": "close"}).status_code in (401, 403)
    wrong = base64.b64encode(b"me:wrong").decode()
    assert site.browser().get("/admin", headers={"authorization": f"Basic {wrong}"}).status_code == 401
    elsewhere = site.admin().post(
        "/admin/visitor", data={"session": "x", "act": "close"}, headers={"origin": "http://evil.example"}
    )
    assert elsewhere.status_code == 403 and "cross_origin" in elsewhere.text


def test_the_token_opens_nothing_else(site: Site) -> None:
    assert site.admin().post("/gradio_api/reset", json={"event_id": "x"}).status_code == 403
    assert site.admin().get("/account").status_code == 403


def test_the_page_has_ids_and_codes_and_no_word_of_a_visitor(site: Site, head: Phantom, tmp_path: Path) -> None:
    client = visit(site.browser)
    session = session_in(site.services, client)
    site.engine.script = breaks
    t1, lesion = head.write(tmp_path)
    scan = accept(site.services, t1, f"{CANARY}.nii.gz", session)
    mask = accept(site.services, lesion, f"{CANARY}-mask.nii.gz", session, "mask", scan.id)
    job_id = site.services.dispatcher.submit(session, "inpaint", {"t1": scan.id, "mask": mask.id}, {})
    wait_for(site.services, job_id, session)
    page = site.admin().get("/admin")
    assert page.status_code == 200 and page.headers["cache-control"] == "private, no-store"
    assert "script-src" not in page.headers["content-security-policy"]
    assert CANARY not in page.text and "<script" not in page.text
    assert "mask_empty" in page.text and session in page.text and job_id in page.text
    assert "2 scans and masks" in page.text and "1 failed" in page.text


def test_the_switch_ends_jobs_and_visits_and_refuses_from_then_on(site: Site, head: Phantom, tmp_path: Path) -> None:
    greedy, other = visit(site.browser), visit(site.browser)
    session = session_in(site.services, greedy)

    def endless(job_id: str, spec: JobSpec, attempt: int) -> Iterator[Event]:
        while True:
            yield Started("cpu")

    scan, mask = load(site.services, head, tmp_path, session)
    inputs = {"t1": scan.id, "mask": mask.id}
    done = site.services.dispatcher.submit(session, "inpaint", inputs, {})
    wait_for(site.services, done, session)
    site.services.shares.add(done, session, now() + timedelta(hours=1))
    site.engine.script = endless
    jobs = [site.services.dispatcher.submit(session, "inpaint", inputs, {}) for _ in range(2)]
    wait_until(lambda: site.services.repo.job(jobs[0], session), lambda job: job.state == "running")
    answer = site.admin().post("/admin/visitor", data={"session": session, "act": "close"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin")
    assert [site.services.repo.job(one, session).state for one in jobs] == ["cancelled", "cancelled"]
    for method, path in (("GET", "/"), ("GET", f"/vol/{scan.token}/v.nii.gz"), ("POST", "/gradio_api/reset")):
        refused = greedy.request(method, path, json={"event_id": "x"} if method == "POST" else None)
        assert (refused.status_code, refused.json()["code"]) == (403, "visit_ended"), path
    assert other.get("/").status_code == 200 and site.services.shares.of(session) == ()
    assert site.services.repo.scan(scan.id, session) == scan
    site.admin().post("/admin/visitor", data={"session": session, "act": "open"})
    assert greedy.get("/").status_code == 200


def test_the_switch_cuts_what_is_open(site: Site) -> None:
    greedy, other = visit(site.browser), visit(site.browser)
    with ThreadPoolExecutor(1) as pool:
        stream = pool.submit(greedy.get, "/gradio_api/heartbeat/page")
        wait_until(lambda: streams_open(site), lambda number: number == 1)
        for client, ends in ((other, False), (greedy, True)):
            form = {"session": session_in(site.services, client), "act": "close"}
            site.admin().post("/admin/visitor", data=form)
            assert bool(wait((stream,), LONGEST if ends else 3 * LOOK_SECONDS).done) == ends
        assert (stream.result().status_code, streams_open(site)) == (200, 0)


def streams_open(site: Site) -> float:
    """How many streams of events the server has open, as it counts them."""
    text = site.admin().get("/metrics").text
    return float(next(line.split()[1] for line in text.splitlines() if line.startswith("counterscan_streams ")))


def test_a_closed_visitor_stays_closed_when_the_server_starts_again(site: Site) -> None:
    client = visit(site.browser)
    site.admin().post("/admin/visitor", data={"session": session_in(site.services, client), "act": "close"})
    again = create_app(site.services.settings, page=stub_page, engine=FakeEngine)
    with TestClient(again, base_url=ORIGIN, cookies=client.cookies) as returning:
        assert returning.get("/").json()["code"] == "visit_ended"


def test_nobody_is_closed_by_a_name_that_is_none(site: Site) -> None:
    for address, form in (
        ("/admin/visitor", {"session": "0" * 32, "act": "close"}),
        ("/admin/visitor", {}),
        ("/admin/account", {"name": "nobody", "act": "disable"}),
    ):
        assert site.admin().post(address, data=form).status_code in (403, 404)


def test_an_administrator_signs_in_where_there_are_accounts(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", warm=False, disk_reserve_mb=1, accounts=True)
    server = create_app(settings, page=stub_page, engine=FakeEngine)
    services = services_of(server)
    for name, role in (("root", "admin"), ("ann", "visitor")):
        services.accounts.add(name, role, PASSWORD)  # type: ignore[arg-type]

    def signed_in(name: str) -> TestClient:
        client = TestClient(server, base_url=ORIGIN, headers={"origin": ORIGIN})
        form = {"name": name, "password": PASSWORD, "next": "/admin"}
        assert client.post("/sign-in", data=form, follow_redirects=False).status_code == 303
        return client

    with TestClient(server, base_url=ORIGIN):
        root, ann = signed_in("root"), signed_in("ann")
        assert ann.get("/admin").json()["code"] == "not_allowed"
        assert "ann" in root.get("/admin").text
        assert root.get("/metrics").status_code == 200 and ann.get("/metrics").status_code == 403
        # nobody shuts the door behind themselves
        for address, form in (
            ("/admin/account", {"name": "root", "act": "disable"}),
            ("/admin/visitor", {"session": services.accounts.find("root").session, "act": "close"}),
        ):
            assert root.post(address, data=form).json()["code"] == "not_allowed"
        root.post("/admin/account", data={"name": "ann", "act": "disable"})
        assert services.accounts.find("ann").disabled is not None and ann.get("/account").status_code == 401
        root.post("/admin/account", data={"name": "ann", "act": "enable"})
        assert services.accounts.find("ann").disabled is None
        session = services.accounts.find("ann").session
        root.post("/admin/visitor", data={"session": session, "act": "close"})
        assert services.accounts.find("ann").disabled is not None
        root.post("/admin/visitor", data={"session": session, "act": "open"})
        assert signed_in("ann").get("/account").status_code == 200


def test_an_error_page_names_the_request_as_the_log_does(
    site: Site, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(site.services.overview, "counts", broken)
    monkeypatch.setattr(site.services.erasure, "finish", lambda: None)
    client = TestClient(site.server, base_url=ORIGIN, headers=dict(site.admin().headers), raise_server_exceptions=False)
    answer = client.get("/admin")
    name = answer.headers["x-request-id"]
    assert answer.status_code == 500 and re.search(rf"internal</?.*{name}|{name}", answer.text)
    assert CANARY not in answer.text
    refused = site.browser().get("/docs", headers={"accept": "text/html"})
    assert refused.status_code == 403 and refused.headers["x-request-id"] in refused.text
    plain = site.browser().get("/docs")
    assert json.loads(plain.text)["code"] == "closed" and plain.headers["x-request-id"] not in plain.text
