"""A server over a folder of its own, with an engine that does what a test tells it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from tests.phantom import Phantom, make_phantom
from tests.webapp.fakes import ORIGIN, FakeEngine, stub_page
from webapp.app import build_services, create_app
from webapp.services import Services
from webapp.settings import Settings


@pytest.fixture(scope="module", autouse=True)
def quick_databases(copied_databases: None) -> None:
    """No test of this folder migrates a new database without need."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a server in a fresh folder."""
    return Settings(data=tmp_path / "data", warm=False, max_upload_mb=8, disk_reserve_mb=1)


@pytest.fixture
def engine() -> FakeEngine:
    """An engine that finishes every job at once."""
    return FakeEngine()


@pytest.fixture
def services(settings: Settings, engine: FakeEngine, copied_databases: None) -> Iterator[Services]:
    """The parts of a server whose queue has not been started."""
    made = build_services(settings, lambda: engine)
    yield made
    made.dispatcher.stop()
    made.repo.engine.dispose()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ASGIApp]:
    """A running server; tests on it keep apart by using browsers of their own."""
    folder = tmp_path_factory.mktemp("server") / "data"
    settings = Settings(data=folder, warm=False, max_upload_mb=8, disk_reserve_mb=1, post_burst=60, post_rate=1.0)
    app = create_app(settings, page=stub_page, engine=FakeEngine)
    with TestClient(app, base_url=ORIGIN):
        yield app


@pytest.fixture
def browser(server: ASGIApp) -> Callable[[], TestClient]:
    """Makes browsers, each with its own cookies."""
    return lambda: TestClient(server, base_url=ORIGIN, headers={"origin": ORIGIN})


@pytest.fixture(scope="session")
def head() -> Phantom:
    """A whole head with a lesion."""
    return make_phantom()
