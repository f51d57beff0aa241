from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from starlette.testclient import TestClient
from starlette.types import ASGIApp

from core.engine.protocol import JobSpec
from core.events import Event, Finished, Progress, Started
from core.result import Result
from tests.phantom import Phantom
from tests.waiting import wait_until
from tests.webapp.fakes import ORIGIN, FakeEngine, load, services_of, stub_page
from webapp.app import create_app
from webapp.settings import Settings

PNG = b"\x89PNG so far"
HIDDEN = {"shown": False, "job": "", "percent": 0, "text": "", "picture": "", "again": 0.7}


def owner(client: TestClient, server: ASGIApp) -> str:
    """Visit the page and return the session that the visit began."""
    client.get("/")
    found = services_of(server).browsers.find(client.cookies["counterscan_session"])
    assert found
    return found.session


def test_a_page_follows_its_job_to_the_end_and_its_picture(settings: Settings, head: Phantom, tmp_path: Path) -> None:
    go = threading.Event()

    def script(job_id: str, spec: JobSpec, attempt: int) -> Iterator[Event]:
        yield Started("cpu")
        while not go.wait(0.05):
            yield Progress(0.25, 1, 4, "Step 1 of 4", PNG)
        yield Finished(Result())

    server = create_app(settings, page=stub_page, engine=lambda: FakeEngine(script))
    stranger = TestClient(server, base_url=ORIGIN)
    with TestClient(server, base_url=ORIGIN) as client:
        session = owner(client, server)
        owner(stranger, server)
        services = services_of(server)
        scan, mask = load(services, head, tmp_path, session)
        first, second = (
            services.dispatcher.submit(session, "inpaint", {"t1": scan.id, "mask": mask.id}, {}) for _ in range(2)
        )
        try:
            bar = wait_until(
                lambda: client.get(f"/progress/{first}").json(), lambda bar: bar["picture"] and bar["percent"]
            )
            assert (bar["shown"], bar["job"], bar["percent"], bar["again"]) == (True, first, 25, 0.7)
            assert bar["text"].startswith("Step 1 of 4")
            picture = client.get(client.get(f"/progress/{first}").json()["picture"])
            assert (picture.content, picture.headers["content-type"]) == (PNG, "image/png")
            assert client.get(f"/progress/{second}").json()["text"] == "Waiting, place 1 in the queue"
            seen = [one.get("/queue").json() for one in (client, client, stranger)]
            assert [one["text"] for one in seen] == ["2 jobs in the queue"] * 3
            # by which a page notices that its browser is somebody else's by now
            assert seen[0]["whose"] == seen[1]["whose"] != seen[2]["whose"]
            assert session not in seen[0]["whose"] and re.fullmatch(r"[0-9a-f]{16}", seen[0]["whose"])
            for address in (f"/progress/{first}", bar["picture"]):
                answer = stranger.get(address)
                assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        finally:
            go.set()
        assert wait_until(lambda: client.get(f"/progress/{first}").json(), lambda bar: not bar["shown"]) == HIDDEN
        assert client.get(bar["picture"]).status_code == 404
        wait_until(lambda: client.get("/queue").json(), lambda queue: queue["text"] == "Queue empty")


def test_nobody_without_a_session_learns_anything(browser: Callable[[], TestClient]) -> None:
    for address in ("/queue", f"/progress/{'0' * 32}", f"/progress/{'0' * 32}/picture"):
        answer = browser().get(address)
        assert (answer.status_code, answer.json()["code"]) == (403, "no_session")
