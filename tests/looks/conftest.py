"""The server and the browser of tests/browser, and one page for all that is looked at in a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import STEP_MS, Server, browser, scans, server
from tests.browser.steps import visit

__all__ = ["browser", "opened", "scans", "server"]


@pytest.fixture(scope="module")
def opened(browser: Browser, server: Server) -> Iterator[Page]:
    """One visitor's page for a whole file: only its window and its theme change from look to look."""
    visitor = browser.new_context(viewport={"width": 1440, "height": 1000}, color_scheme="dark")
    visitor.set_default_timeout(STEP_MS)
    page = visitor.new_page()
    visit(page, server.url)
    yield page
    visitor.close()
