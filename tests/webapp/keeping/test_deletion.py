"""Deletion by the visitor, by the address of the page, and by the command."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from tests.phantom import Phantom
from tests.webapp.door.visits import Browser, session_in, visit
from tests.webapp.fakes import load, services_of
from webapp import console, settings
from webapp.services import Services
from webapp.settings import Settings


def test_a_browser_deletes_its_own_and_is_new(server: ASGIApp, browser: Browser, head: Phantom, tmp_path: Path) -> None:
    services = services_of(server)
    mine, other = visit(browser), visit(browser)
    before, others = session_in(services, mine), session_in(services, other)
    for number, one in enumerate((before, others)):
        (tmp_path / str(number)).mkdir()
        scan, _ = load(services, head, tmp_path / str(number), one)
    answer = mine.post("/data/delete")
    assert (answer.status_code, answer.headers["cache-control"]) == (204, "no-store")
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert services.repo.scans(before) == () and len(services.repo.scans(others)) == 2
    mine.cookies.clear()
    assert mine.get("/").status_code == 200 and session_in(services, mine) != before
    assert other.get(f"/vol/{scan.token}/a.nii.gz").status_code == 200


def test_nobody_deletes_from_another_site(browser: Browser) -> None:
    client: TestClient = visit(browser)
    assert client.post("/data/delete", headers={"origin": "https://example.org"}).status_code == 403
    assert browser().post("/data/delete").json()["code"] == "no_session"


@pytest.fixture
def stored(services: Services, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Services:
    """The store that the commands open."""
    monkeypatch.setattr("webapp.settings.load", lambda: settings)
    return services


def run(*arguments: str) -> int:
    return console.main(["data", "delete", *arguments])


def test_the_command_deletes_one_or_all(
    stored: Services, head: Phantom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = stored.accounts.add("ada", "visitor", None).session
    for number, one in enumerate(("a", ada, "b")):
        (tmp_path / str(number)).mkdir()
        load(stored, head, tmp_path / str(number), one)
    assert run("--account", "Ada") == 0 and stored.repo.scans(ada) == ()
    assert run("--session", "a") == 0 and stored.repo.scans("a") == ()
    assert len(stored.repo.scans("b")) == 2
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert run("--all") == 2 and stored.repo.scans("b")
    assert run("--all", "--yes") == 0 and stored.repo.scans("b") == ()
    assert not [path for path in stored.blobs.root.rglob("*") if path.is_file()]


@pytest.mark.parametrize("arguments", [(), ("--all", "--session", "a"), ("--session", "nobody"), ("--account", "no")])
def test_the_command_wants_one_that_is_there(stored: Services, arguments: tuple[str, ...]) -> None:
    assert run(*arguments) == 2
    assert settings.load() is stored.settings
