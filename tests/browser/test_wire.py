"""Two people in two browsers: no address that one of them sends opens anything to the other, nor after a restart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Request, expect

from tests.browser.conftest import Scans, Server, new_context
from tests.browser.steps import choose_preset, load_mask, load_scan, open_tab, run, visit, wait_result
from tests.contract.test_isolation import ENDLESS, OF_WHO_ASKS, OWNED
from webapp.door.route_table import rule_of

pytestmark = pytest.mark.slow

# what an address that is somebody's answers others
CLOSED = (403, 404)


@pytest.fixture
def own(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that may be restarted, with the small networks of the shared one."""
    made = Server(tmp_path_factory.mktemp("wire"), server.weights)
    made.start()
    yield made
    made.stop()


def heard(context: BrowserContext) -> set[tuple[str, str]]:
    """Return what the pages of a browser ask from now on: (method, address with its query)."""
    found: set[tuple[str, str]] = set()

    def keep(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https"):
            found.add((request.method, parts.path + (f"?{parts.query}" if parts.query else "")))

    context.on("request", keep)
    return found


def owned(asked: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return those that name something of the visitor's; the others are the same for all, or of who asks."""
    mine = []
    for method, address in sorted(asked):
        rule = rule_of(method, urlsplit(address).path)
        assert rule is not None and rule.access != "closed", (method, address)
        if rule.template.rstrip("/") in OWNED:
            mine.append((method, address))
        else:
            assert rule.access in ("static", "page", "person") or rule.template in OF_WHO_ASKS, (method, address)
    return mine


def answers(context: BrowserContext, server: Server, asked: list[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Ask every address anew in a browser, but streams that never end."""
    found = {}
    for method, address in asked:
        rule = rule_of(method, urlsplit(address).path)
        if rule is None or rule.template.rstrip("/") in ENDLESS or method != "GET":
            continue
        found[method, address] = context.request.get(f"{server.url}{address}").status
    return found


def test_no_address_of_one_opens_anything_to_the_other(own: Server, browser: Browser, scans: Scans) -> None:
    people = [new_context(browser) for _ in range(2)]
    wires = [heard(one) for one in people]
    for context, pair in zip(people, (scans.small, scans.small), strict=True):
        page = context.new_page()
        visit(page, own.url)
        load_scan(page, pair[0])
        load_mask(page, pair[1])
        choose_preset(page, "Fast")
        run(page)
        wait_result(page)
        open_tab(page, "Sessions")
        page.locator("#sessions tbody tr").first.wait_for()
        page.close()
    asked = [owned(one) for one in wires]
    assert all(len(one) > 8 for one in asked)
    for restarted in (False, True):
        if restarted:
            own.stop()
            own.start()
        for mine, theirs in ((0, 1), (1, 0)):
            here, there = (answers(people[who], own, asked[mine]) for who in (mine, theirs))
            assert {one for one, status in here.items() if status not in CLOSED}, "nothing is the owner's"
            assert {one: status for one, status in there.items() if status not in CLOSED} == {}
            volumes = {status for (_, address), status in here.items() if address.startswith("/vol/")}
            assert volumes == {200}
    for context in people:
        context.close()


def test_a_proxy_that_shows_the_page_below_a_path_shows_a_sentence(server: Server, context: BrowserContext) -> None:
    page = context.new_page()
    page.route("**/below/**", lambda one: one.fulfill(response=one.fetch(url=one.request.url.replace("/below", ""))))
    page.goto(f"{server.url}/below/")
    expect(page.locator("body")).to_have_text(re.compile("works at the root of a name alone"))
