"""The server and the browser of tests/browser, and one page for all that is looked at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Server, browser, new_context, scans, server
from tests.browser.steps import visit
from tests.looks.look import USUAL

__all__ = ["browser", "opened", "scans", "server"]


@pytest.fixture(scope="package")
def opened(browser: Browser, server: Server) -> Iterator[Page]:
    """One visitor's page for all files: only its window and its theme change from look to look."""
    usual = {"width": USUAL[0], "height": USUAL[1]}
    visitor = new_context(browser, viewport=usual, color_scheme="dark", device_scale_factor=1)
    page = visitor.new_page()
    visit(page, server.url)
    yield page
    visitor.close()
