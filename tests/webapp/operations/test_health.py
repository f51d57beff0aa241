from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from tests.phantom import Phantom
from tests.webapp.door.visits import session_in, upload, visit
from tests.webapp.fakes import ORIGIN, FakeEngine, load, services_of, stub_page, wait_for
from webapp.app import create_app
from webapp.settings import Settings

Browser = Callable[[], TestClient]
HERE = "http://127.0.0.1"
TOKEN = "t" * 30


def local(server: ASGIApp, headers: dict[str, str] | None = None) -> TestClient:
    """A program on the machine of the server."""
    return TestClient(server, base_url=HERE, client=("127.0.0.1", 1), headers=headers)


def metrics(client: TestClient) -> dict[str, float]:
    """Return every counter with its labels."""
    text = client.get("/metrics").text
    return {
        f"{one.name}{dict(sorted(one.labels.items())) or ''}": one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_health_needs_no_cookie(browser: Browser) -> None:
    assert browser().get("/healthz").text == "ok"
    ready = browser().get("/readyz")
    state = ready.json()
    assert (state["database"], state["disk"], state["queue"]) == (True, True, True)
    assert ready.status_code == (200 if state["weights"] else 503)


def test_a_server_that_lacks_something_is_not_ready(
    server: ASGIApp, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = shutil.disk_usage("/")._replace(free=0)
    monkeypatch.setattr("webapp.store.blobs.shutil.disk_usage", lambda path: full)
    answer = browser().get("/readyz")
    assert answer.status_code == 503 and answer.json()["disk"] is False
    assert browser().get("/healthz").status_code == 200


def test_the_counters_follow_what_happens(server: ASGIApp, browser: Browser, head: Phantom, tmp_path: Path) -> None:
    services = services_of(server)
    before = metrics(local(server))
    client = visit(browser)
    session = session_in(services, client)
    scan, mask = load(services, head, tmp_path, session)
    job_id = services.dispatcher.submit(session, "inpaint", {"t1": scan.id, "mask": mask.id}, {})
    wait_for(services, job_id, session)
    upload(client, bytes(5000))
    assert client.get("/docs").status_code == 403
    assert client.get("/files/none").status_code == 404
    after = metrics(local(server))

    def grown(name: str) -> float:
        return after.get(name, 0.0) - before.get(name, 0.0)

    assert grown("counterscan_jobs{'state': 'done', 'task': 'inpaint'}") == 1
    assert grown("counterscan_job_seconds_count{'state': 'done', 'task': 'inpaint'}") == 1
    assert grown("counterscan_scans{'role': 'volume'}") == 1
    assert grown("counterscan_stored_bytes{'kind': 'scans'}") > 0
    assert 5000 < grown("counterscan_upload_bytes_total") < 7000
    assert grown("counterscan_refusals_total{'code': 'closed'}") == 1
    assert grown("counterscan_refusals_total{'code': 'not_found'}") == 1
    assert grown("counterscan_requests_total{'access': 'closed', 'status': '403'}") == 1
    assert grown("counterscan_request_seconds_count{'access': 'page'}") == 1
    assert after["counterscan_queue_length"] == 0 and after["counterscan_streams"] == 0
    assert after["counterscan_disk_free_bytes"] > 0 and after["counterscan_process_resident_memory_bytes"] > 0


@pytest.mark.parametrize(
    ("client", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("192.0.2.1", {}, 403),
        # a proxy on this machine that speaks for others, and one that says nothing but has the server's name
        ("127.0.0.1", {"x-forwarded-for": "192.0.2.1"}, 403),
        ("127.0.0.1", {"x-forwarded-for": "127.0.0.1"}, 403),
        ("127.0.0.1", {"x-real-ip": "127.0.0.1"}, 403),
        ("127.0.0.1", {"host": "scans.example.org"}, 403),
    ],
)
def test_strangers_read_no_counters(
    tmp_path: Path, client: str, headers: dict[str, str], status: int, reached: ASGIApp
) -> None:
    asking = TestClient(reached, base_url=HERE, client=(client, 1), headers=headers)
    assert asking.get("/metrics").status_code == status


@pytest.fixture(scope="module")
def reached(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ASGIApp]:
    """A server that others reach by a name."""
    settings = Settings(
        data=tmp_path_factory.mktemp("reached") / "data", warm=False, disk_reserve_mb=1, public_demo=True,
        hosts="scans.example.org", admin_token=TOKEN,
    )  # fmt: skip
    app = create_app(settings, page=stub_page, engine=FakeEngine)
    with TestClient(app, base_url=ORIGIN):
        yield app


def test_the_token_of_the_administrator_opens_them_anywhere(reached: ASGIApp) -> None:
    far = TestClient(reached, base_url="http://scans.example.org", client=("192.0.2.1", 1))
    assert far.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    for wrong in (f"Bearer {TOKEN}x", "Bearer ", "Bearer", f"Basic {TOKEN}", "Basic %", ""):
        assert far.get("/metrics", headers={"authorization": wrong}).status_code == 403, wrong


def test_nobody_reads_what_is_off(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", warm=False, metrics="off")
    app = create_app(settings, page=stub_page, engine=FakeEngine)
    with local(app) as client:
        assert client.get("/metrics").status_code == 403
        assert client.get("/metrics", headers={"authorization": "Bearer "}).status_code == 403
