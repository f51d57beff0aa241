"""Who gets what from every address of the server, its own and Gradio's, read from the table of routes.

An address that is new, because we or an update of Gradio brought it, fails a test until it stands in
``webapp.door.route_table``; one that belongs to a visitor, until it stands here too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from httpx2 import Response
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from core.tasks import TASKS
from tests.phantom import make_phantom
from tests.webapp.door.visits import join, upload
from tests.webapp.every_route import every_route
from tests.webapp.fakes import ORIGIN, FakeEngine, load, services_of, stub_page, wait_for
from tests.webapp.study.sitting import sit, study_of
from webapp.app import create_app
from webapp.door.route_table import Access, access_of, rule_of
from webapp.services import Services
from webapp.settings import Settings
from webapp.store.clock import now

PASSWORD = "correct horse"  # noqa: S105
WHO = ("anonymous", "rater", "other", "manager", "admin")
PLACE = re.compile(r"\{(\w+)(?::path)?\}")
# what stands in a place that names nothing of anybody's
NUMBERS = {"axis": "0", "position": "1"}
UNKNOWN = {"upload": f"{'0' * 32}/{'0' * 64}/t1.nii.gz"}

# addresses of one visitor: what in them names something of the visitor's -> the name of that thing in ``Things``
OWNED = {
    "/vol/{token}/{name}": {"token": "token"},
    "/slice/{token}/{axis}": {"token": "token"},
    "/thumbnail/{job_id}.webp": {"job_id": "job"},
    "/batch/{batch_id}/results.zip": {"batch_id": "batch"},
    "/batch/{batch_id}/summary.csv": {"batch_id": "batch"},
    "/batch/{batch_id}/failed.csv": {"batch_id": "batch"},
    "/files/{artifact_id}": {"artifact_id": "artifact"},
    "/files/{artifact_id}/dicom": {"artifact_id": "artifact"},
    "/progress/{job_id}": {"job_id": "job"},
    "/progress/{job_id}/picture": {"job_id": "job"},
    "/mask/{scan_id}": {"scan_id": "scan"},
    "/proposal/{scan_id}": {"scan_id": "scan"},
    "/worth/{job_id}.html": {"job_id": "job"},
    "/study/{study_id}/view": {"study_id": "study"},
    "/study/{study_id}/{kind}": {"study_id": "study"},
    "/gradio_api/heartbeat/{session_hash}": {"session_hash": "page"},
    "/gradio_api/file={path_or_url:path}": {"path_or_url": "upload"},
    "/gradio_api/queue/data": {"?session_hash": "page"},
    "/gradio_api/upload_progress": {"?upload_id": "progress"},
    "/gradio_api/queue/join": {"!session_hash": "page"},
    "/gradio_api/run/{api_name}": {"!session_hash": "page"},
    "/gradio_api/cancel": {"!session_hash": "page"},
}
# addresses of a link to one run, which everybody who has the key may open, and nobody else
SHARED = {"key": "share", "part": "part"}
# addresses that need a visitor but name nothing of anybody's: each answers of the page, or of who asks
OF_WHO_ASKS = frozenset(
    {
        "/config", "/gradio_api/info", "/gradio_api/app_id", "/gradio_api/user", "/gradio_api/token",
        "/gradio_api/login_check", "/gradio_api/startup-events", "/gradio_api/queue/status", "/gradio_api/reset",
        "/gradio_api/upload", "/queue", "/api/v1", "/api/v1/openapi.json",
    }
)  # fmt: skip
# addresses for programs that name something of a visitor's, each as in OWNED; the others answer of who asks
OWNED_BY_PROGRAMS = {
    "/api/v1/files/{file_id}": {"file_id": "scan"},
    "/api/v1/jobs/{job_id}": {"job_id": "job"},
    "/api/v1/jobs/{job_id}/cancel": {"job_id": "job"},
    "/api/v1/jobs/{job_id}/events": {"job_id": "job"},
    "/api/v1/jobs/{job_id}/results/{name}": {"job_id": "job"},
    "/api/v1/jobs/{job_id}/results/{name}/dicom": {"job_id": "job"},
}
OF_PROGRAMS = frozenset({"/api/v1/tasks", "/api/v1/tasks/{name}", "/api/v1/files", "/api/v1/jobs"})
# what never ends, and what ends a visit or what is the visitor's, is not tried by those who may
ENDLESS = frozenset({"/gradio_api/heartbeat/{session_hash}", "/gradio_api/queue/data", "/gradio_api/upload_progress"})
ENDING = frozenset({"/account/sign-out", "/account/sign-out-everywhere", "/data/delete"})


@dataclass(frozen=True)
class Site:
    """A server with log-in, one browser for each of ``WHO`` and of the owner, and what belongs to the owner."""

    server: ASGIApp
    browsers: dict[str, TestClient]
    things: dict[str, str]
    settings: Settings

    def ask(self, who: str, method: str, template: str, things: dict[str, str]) -> Response:
        """Send a request of somebody that names ``things``."""
        named = SHARED if template.startswith("/shared/") else OWNED.get(template.rstrip("/"), {})
        path = PLACE.sub(lambda place: things.get(named.get(place[1], ""), NUMBERS.get(place[1], "x")), template)
        query = {key[1:]: things[name] for key, name in named.items() if key.startswith("?")}
        body = {key[1:]: things[name] for key, name in named.items() if key.startswith("!")}
        json = {"data": [], "fn_index": 0, "event_id": "x", **body} if method == "POST" else None
        return self.browsers[who].request(method, path, params=query or None, json=json, follow_redirects=False)


def browser(server: ASGIApp, cookies: object = None) -> TestClient:
    return TestClient(server, base_url=ORIGIN, headers={"origin": ORIGIN}, cookies=cookies)  # type: ignore[arg-type]


def signed_in(server: ASGIApp, name: str) -> TestClient:
    """Return a browser of an account."""
    client = browser(server)
    answer = client.post("/sign-in", data={"name": name, "password": PASSWORD, "next": "/"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    return client


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The whole server, its page included."""
    folder = tmp_path_factory.mktemp("isolation")
    settings = Settings(data=folder / "data", warm=False, disk_reserve_mb=1, accounts=True, max_upload_mb=8)
    server = create_app(settings, engine=FakeEngine)
    services = services_of(server)
    for name, role in (("owner", "visitor"), ("other", "visitor"), ("manager", "manager"), ("admin", "admin")):
        services.accounts.add(name, role, PASSWORD)  # type: ignore[arg-type]
    with TestClient(server, base_url=ORIGIN):
        browsers = {name: signed_in(server, name) for name in ("owner", "other", "manager", "admin")}
        things, invitation = made(services, browsers["owner"], folder)
        browsers |= {"anonymous": browser(server), "rater": browser(server)}
        assert browsers["rater"].get(f"/rate/{invitation}").status_code == 200
        yield Site(server, browsers, {**things, "invitation": invitation}, settings)


def made(services: Services, owner: TestClient, folder: Path) -> tuple[dict[str, str], str]:
    """Let the owner have one of everything, and return the names of these things and the key of a rater."""
    session = services.accounts.find("owner").session
    scan, mask = load(services, make_phantom(), folder, session)
    job_id = services.dispatcher.submit(session, "inpaint", {"t1": scan.id, "mask": mask.id}, {})
    job = wait_for(services, job_id, session)
    batch = services.batches.add(session, "inpaint", "scans.zip", ["a"], 9)
    study = study_of(services, folder / "images", session)
    things = {
        "token": scan.token, "artifact": job.artifacts[0].id, "scan": scan.id, "job": job_id, "study": study.id,
        "batch": batch,
        "share": services.shares.add(job_id, session, now() + timedelta(days=1))[1], "part": "result",
        "page": "page-of-owner", "progress": "progress-of-owner", "upload": upload(owner),
    }  # fmt: skip
    assert join(owner, things["page"]) == 200
    assert owner.post("/gradio_api/upload?upload_id=progress-of-owner", files={"files": ("a.nii", b"a")}).is_success
    return things, sit(services, study, start=False)[0]


def access(method: str, template: str) -> Access:
    return access_of(method, PLACE.sub("x", template))


def test_every_address_is_in_the_table(site: Site) -> None:
    routes = every_route(site.server)
    assert len(routes) > 80
    assert [route for route in routes if rule_of(route[0], PLACE.sub("x", route[1])) is None] == []


def test_every_address_of_a_visitor_is_known_here(site: Site) -> None:
    work = {path.rstrip("/") for method, path in every_route(site.server) if access(method, path) == "work"}
    assert work == OWNED.keys() | OF_WHO_ASKS


def expected(who: str, access: Access, template: str) -> set[tuple[int, str]]:
    """Return the only answers (status, code) that somebody may get of an address, none for one they may use."""
    if template == "/metrics" and who != "admin":
        return {(403, "closed")}
    if access == "closed":
        return {(403, "closed")}
    if access in ("open", "shared"):
        return set()
    if access == "program":
        # whatever cookie comes along
        return {(401, "token_needed")}
    if who == "anonymous" or (who == "rater" and access not in ("static", "rate", "invited")):
        return {(401, "sign_in")}
    return {(403, "not_allowed")} if access == "admin" and who != "admin" else set()


def code(answer: Response) -> str:
    try:
        return str(answer.json()["code"])
    except (ValueError, KeyError, TypeError):
        return ""


@pytest.mark.parametrize("who", WHO)
def test_everybody_gets_what_the_table_says(site: Site, who: str) -> None:
    wrong, cases = [], 0
    for method, template in every_route(site.server):
        rule = access(method, template)
        allowed = expected(who, rule, template)
        if not allowed and template.rstrip("/") in ENDLESS | ENDING:
            continue
        answer = site.ask(who, method, template, site.things)
        cases += 1
        got = (answer.status_code, code(answer))
        if allowed and got not in allowed:
            wrong.append((method, template, got, allowed))
        if not allowed and rule != "work" and got in {(401, "sign_in"), (403, "not_allowed"), (403, "closed")}:
            wrong.append((method, template, got, set()))
    assert wrong == []
    # five of them, so that there are well over 200 in all
    assert cases > 70


def filled(template: str, named: dict[str, str], things: dict[str, str]) -> str:
    """Return the address of a template that names ``things``."""
    return PLACE.sub(lambda place: things.get(named.get(place[1], ""), "result"), template)


def test_every_address_for_programs_is_known_here(site: Site) -> None:
    programs = {path for method, path in every_route(site.server) if access(method, path) == "program"}
    assert programs == OWNED_BY_PROGRAMS.keys() | OF_PROGRAMS


@pytest.mark.parametrize("who", ["other", "manager", "admin"])
def test_no_token_of_another_opens_what_is_the_owners(site: Site, who: str) -> None:
    services = services_of(site.server)
    account = services.accounts.find(who)
    _, token = services.tokens.add(account.session, account, "", now() + timedelta(days=1))
    client = TestClient(site.server, base_url=ORIGIN, headers={"authorization": f"Bearer {token}"})
    for method, template in every_route(site.server):
        named = OWNED_BY_PROGRAMS.get(template)
        if named is not None:
            asked = [
                client.request(method, filled(template, named, things))
                for things in (site.things, dict.fromkeys(site.things, "0" * 32))
            ]
            assert (asked[0].status_code, code(asked[0])) == (404, "not_found"), template
            assert asked[0].content == asked[1].content
    owned = [template for template in OWNED if access("GET", template) == "work" and template not in ENDLESS]
    for template in owned:
        assert site.ask(who, "GET", template, site.things).status_code in (403, 404), template


@pytest.mark.parametrize("who", ["other", "manager", "admin"])
def test_nobody_gets_what_is_the_owners(site: Site, who: str) -> None:
    check_owned(site, who)


def check_owned(site: Site, who: str) -> None:
    """Every address that names something of the owner's answers others as if it did not exist."""
    here = str(site.settings.data.resolve() / "uploads")
    none = {name: UNKNOWN.get(name, "0" * 32) for name in site.things}
    none["upload"] = f"{here}/{none['upload']}"
    for method, template in every_route(site.server):
        if template.rstrip("/") not in OWNED or access(method, template) != "work":
            continue
        answer = site.ask(who, method, template, site.things)
        assert answer.status_code in (403, 404), (method, template, answer.status_code)
        if template.rstrip("/") not in ENDLESS and not any(key.startswith("!") for key in OWNED[template.rstrip("/")]):
            nothing = site.ask(who, method, template, none)
            assert (answer.status_code, answer.content) == (nothing.status_code, nothing.content), template


@pytest.mark.parametrize("query", ["", "?all_endpoints=true"])
def test_programs_see_the_events_by_the_names_of_tasks_alone(site: Site, query: str) -> None:
    """None of the hundreds by which the page works: its timers, viewers and buttons."""
    found = site.browsers["other"].get(f"/gradio_api/info{query}").json()
    assert list(found["named_endpoints"]) == [f"/{task.name}" for task in TASKS]
    assert found["unnamed_endpoints"] == {}


def test_the_owner_gets_it(site: Site) -> None:
    owned = ("/vol/{token}/{name}", "/files/{artifact_id}", "/study/{study_id}/view")
    for template in (*owned, "/gradio_api/file={path_or_url:path}"):
        assert site.ask("owner", "GET", template, site.things).status_code == 200, template


@pytest.mark.parametrize("who", WHO)
def test_whoever_has_the_link_gets_the_run_and_nobody_else(site: Site, who: str) -> None:
    shared = [path for method, path in every_route(site.server) if access(method, path) == "shared"]
    assert len(shared) == 5
    for template in shared:
        path = template.replace("{name:path}", "viewer/viewer.js")
        assert site.ask(who, "GET", path, site.things).status_code == 200, (who, path)
        # neither the id of the run nor another key opens it
        for wrong in (site.things["job"], "x" * 43, site.things["share"][:-1]):
            answer = site.ask(who, "GET", path, {**site.things, "share": wrong})
            assert (answer.status_code, code(answer)) == (404, "link_over"), (who, path)
        for method in ("POST", "PUT", "DELETE"):
            assert site.ask(who, method, path, site.things).status_code == 403


def test_a_rater_gets_the_study_by_the_link_alone(site: Site) -> None:
    for who in ("rater", "other"):
        assert site.browsers[who].get(f"/rate/{site.things['invitation']}/state").status_code == 200
    assert site.browsers["anonymous"].get(f"/rate/{site.things['invitation']}/state").status_code == 401


def test_the_answers_do_not_change_when_the_server_starts_again(site: Site) -> None:
    """What is on the wire before a restart opens nothing to others after it, and everything to its owner."""
    server = create_app(site.settings, page=stub_page, engine=FakeEngine)
    again = {name: browser(server, client.cookies) for name, client in site.browsers.items()}
    with TestClient(server, base_url=ORIGIN):
        restarted = Site(server, again, site.things, site.settings)
        check_owned(restarted, "other")
        for template in ("/vol/{token}/{name}", "/files/{artifact_id}", "/gradio_api/file={path_or_url:path}"):
            assert restarted.ask("owner", "GET", template, site.things).status_code == 200
        assert join(again["owner"], site.things["page"]) == 200
        assert join(again["other"], site.things["page"]) == 403
