from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from core import device
from core.engine import engine_choice
from core.engine.local import LocalEngine
from core.tasks import TASKS
from tests.webapp.door.visits import events, file_data, join
from tests.webapp.fakes import ORIGIN, FakeEngine, stub_page
from webapp.app import LOOK_SECONDS, OPEN_PAGES, build_services, create_app, mount_page, prepare_gradio
from webapp.services import Services
from webapp.settings import Settings

if TYPE_CHECKING:
    import gradio


@pytest.fixture
def unguarded(services: Services) -> Iterator[TestClient]:
    """The page without the door."""
    prepare_gradio(services.settings.data)
    app = FastAPI()
    mount_page(app, services, stub_page)
    with TestClient(app, base_url=ORIGIN) as client:
        yield client


def test_gradio_itself_refuses_files_of_the_server(unguarded: TestClient, services: Services, tmp_path: Path) -> None:
    uploaded = services.settings.data / "uploads" / "t1.nii.gz"
    secret = tmp_path / "T1.nii.gz"
    for path, allowed in ((uploaded, True), (secret, False)):
        path.write_bytes(b"scan")
        page = f"page{allowed}"
        assert join(unguarded, page, file_data(str(path.resolve()))) == 200
        done = [one for one in events(unguarded, page) if one["msg"] == "process_completed"]
        assert [one["success"] for one in done] == [allowed]
        assert allowed or str(tmp_path) not in str(done)


def test_the_memory_for_open_pages_is_bounded(services: Services) -> None:
    prepare_gradio(services.settings.data)
    made: list[gradio.Blocks] = []

    def page(services: Services) -> gradio.Blocks:
        made.append(stub_page(services))
        return made[0]

    mount_page(FastAPI(), services, page)
    holder = made[0].state_holder
    for number in range(OPEN_PAGES + 2):
        assert holder[f"page{number}"] is not None
    assert len(holder.session_data) == OPEN_PAGES


def test_an_open_page_holds_no_connection(unguarded: TestClient) -> None:
    """A browser has six a server by HTTP/1.1: the seventh page would wait for ever."""
    assert unguarded.get("/config").json()["connect_heartbeat"] is False


def test_no_other_site_may_read_the_page(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", warm=False, hosts="scans.example.org", disk_reserve_mb=1)
    app = create_app(settings, page=stub_page, engine=FakeEngine)
    with TestClient(app, base_url="https://scans.example.org") as client:
        for path in ("/", "/config", "/theme.css"):
            answer = client.get(path, headers={"origin": "https://evil.example"})
            assert answer.status_code == 200
            assert not [name for name in answer.headers if name.startswith("access-control")]


def test_jobs_side_by_side_share_the_cores(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSCAN_THREADS", "6")
    monkeypatch.setattr(device, "cores", lambda: 8)
    services = build_services(settings.model_copy(update={"slots": 2}))
    engine = services.dispatcher._engine.get()
    try:
        assert isinstance(engine, LocalEngine) and len(engine.pids) == 2
        assert [psutil.Process(pid).environ()["COUNTERSCAN_THREADS"] for pid in engine.pids] == ["4", "4"]
    finally:
        services.dispatcher.stop()
        services.repo.engine.dispose()


@pytest.mark.parametrize(("warm", "names"), [(True, tuple(task.name for task in TASKS)), (False, ())])
def test_workers_load_all_tasks_unless_memory_is_short(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, warm: bool, names: tuple[str, ...]
) -> None:
    given: list[object] = []

    def opened(*words: object, warm: object) -> FakeEngine:
        given.append(warm)
        return FakeEngine()

    monkeypatch.setattr(engine_choice, "open_engine", opened)
    services = build_services(settings.model_copy(update={"warm": warm}))
    services.dispatcher._engine.get()
    services.repo.engine.dispose()
    assert given == [names]


def test_pages_are_counted_to_the_address_of_their_visitor(services: Services) -> None:
    prepare_gradio(services.settings.data)
    app = FastAPI()
    mount_page(app, services, stub_page)
    whose = app.routes[-1].app._app.state_holder._whose  # type: ignore[attr-defined]
    assert services.owners.claim_page("one", "a") and services.owners.claim_page("two", "b")
    assert (whose("one"), whose("two"), whose("unknown")) == ("a", "b", "")
    for session in ("a", "b"):
        services.dispatcher.whereabouts.note(session, "192.0.2.7")
    assert whose("one") == whose("two") == "192.0.2.7"


def test_an_idle_page_hardly_wakes_the_server(unguarded: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from gradio.queueing import Queue

    looks: list[int] = []
    waiting = Queue.__len__

    def look(queue: Queue) -> int:
        looks.append(waiting(queue))
        return looks[-1]

    monkeypatch.setattr(Queue, "__len__", look)
    # the queue begins with the first visit
    assert join(unguarded, "page", None) == 200
    begun = time.monotonic()
    looks.clear()
    time.sleep(0.5)
    assert 1 <= len(looks) <= (time.monotonic() - begun) / LOOK_SECONDS + 2
