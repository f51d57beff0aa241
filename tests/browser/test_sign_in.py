"""A person signs in and out, in a browser that decides by itself which headers it sends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import new_context
from tests.waiting import wait_until
from tests.webapp.fakes import FakeEngine, services_of, stub_page
from tests.webapp.study.sitting import sit, study_of
from webapp.app import create_app
from webapp.services import Services
from webapp.settings import Settings

PASSWORD = "correct horse"  # noqa: S105


@dataclass(frozen=True)
class Site:
    """A server with accounts, of which ada has one."""

    url: str
    services: Services


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The server, with a page that has nothing but its door to show."""
    settings = Settings(data=tmp_path_factory.mktemp("accounts") / "data", warm=False, disk_reserve_mb=1, accounts=True)
    made = create_app(settings, page=stub_page, engine=FakeEngine)
    services_of(made).accounts.add("ada", "visitor", PASSWORD)
    server = uvicorn.Server(uvicorn.Config(made, port=0, log_level="error", proxy_headers=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, bool)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Site(f"http://127.0.0.1:{port}", services_of(made))
    server.should_exit = True
    thread.join()


@pytest.fixture
def person(browser: Browser) -> Iterator[Page]:
    """A fresh browser."""
    context = new_context(browser)
    yield context.new_page()
    context.close()


def sign_in(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


def test_signing_in_leads_to_where_a_person_wanted_to_go(site: Site, person: Page) -> None:
    person.goto(f"{site.url}/?job=x")
    expect(person).to_have_url(f"{site.url}/sign-in?next=%2F%3Fjob%3Dx")
    assert Axe().run(person).response["violations"] == []
    sign_in(person, "wrong password")
    expect(person.get_by_role("alert")).to_contain_text("The name or the password is wrong.")
    sign_in(person)
    expect(person).to_have_url(f"{site.url}/?job=x")
    # a link on another site leads there too, though the cookie is strict
    person.goto(f"data:text/html,<a href='{site.url}/account'>go</a>")
    person.get_by_text("go").click()
    expect(person.get_by_role("heading", name="ada")).to_be_visible()
    assert Axe().run(person).response["violations"] == []


def test_signing_out_everywhere_ends_the_visit_of_another_browser(site: Site, person: Page, browser: Browser) -> None:
    other = new_context(browser)
    page = other.new_page()
    for one in (person, page):
        one.goto(f"{site.url}/account")
        sign_in(one)
        expect(one.get_by_role("heading", name="ada")).to_be_visible()
    person.get_by_role("button", name="Sign out everywhere").click()
    expect(person).to_have_url(f"{site.url}/sign-in?next=%2F")
    page.goto(f"{site.url}/account")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    other.close()


def test_a_rater_opens_the_link_without_an_account(
    site: Site, person: Page, tmp_path_factory: pytest.TempPathFactory
) -> None:
    study = study_of(site.services, tmp_path_factory.mktemp("study") / "images")
    key, _ = sit(site.services, study, start=False)
    person.goto(f"{site.url}/rate/{key}")
    expect(person.get_by_role("button", name="Start")).to_be_visible()
    person.goto(f"{site.url}/")
    expect(person.get_by_role("heading", name="Sign in")).to_be_visible()
