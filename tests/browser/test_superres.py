"""Thick slices on the page: from a drop to a sharper scan, its numbers, its report, and on to the next task."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from core.files.nifti import read_stored
from tests.browser.conftest import Desk, Watch
from tests.browser.steps import VIEWER, image, load, open_tab, origin, over, start, take_off, wait_drawn, wait_results
from tests.contract.phantom import write_phantom, write_thick

# which of the page's events are told of a tab
CHOICES = """gradio_config.dependencies.filter((one) => one.targets.some((target) => target[1] === "select"))
.map((one) => one.id)"""


@pytest.fixture(scope="module")
def thick(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A head in slices of 3 mm, and the same head at 1 mm."""
    folder = tmp_path_factory.mktemp("thick")
    return {**write_thick(folder), "reference": write_phantom(folder)["t1"]}


@pytest.fixture
def done(desk: Desk, watch: Watch, request: pytest.FixtureRequest, thick: dict[str, Path]) -> Iterator[Page]:
    """The page with a finished run of a plain method, at its address, with the truth beside it."""
    with desk.page(request, watch, "superres", lambda page: finish(page, thick)) as page:
        yield page


def finish(page: Page, thick: dict[str, Path]) -> None:
    """Run a plain method with the truth beside it."""
    open_tab(page, "Super-resolve")
    load(page, "superres-scan", thick["image"])
    page.get_by_role("button", name="I have the truth").locator("visible=true").click()
    load(page, "superres-reference", thick["reference"])
    page.locator("#superres-preset label", has_text="Fast").click()
    start(page, "superres")
    wait_results(page, "superres")


def test_what_will_be_made_of_a_scan_is_noted(shared_page: Page, thick: dict[str, Path]) -> None:
    page = shared_page
    open_tab(page, "Super-resolve")
    take_off(page, "superres-scan")
    expect(page.locator("#superres-run")).to_be_disabled()
    load(page, "superres-scan", thick["image"])
    note = page.locator("#superres-method-note")
    expect(note).to_contain_text("slices, each 3 mm thick")
    expect(note).to_contain_text("To be made")


def test_thick_slices_become_thin_and_their_numbers_are_shown(done: Page, thick: dict[str, Path]) -> None:
    page = done
    expect(page.locator("#superres-outcome")).to_contain_text("Done")
    table = page.locator("#results table")
    expect(table).to_contain_text("PSNR")
    expect(table).to_contain_text("Cubic spline")
    expect(table.locator("tbody tr")).to_have_count(4)
    made = image(page.request.get(href(page, "result")).body())
    measured = read_stored(thick["image"])
    assert np.prod(made.shape) > 2.5 * np.prod(measured.values.shape)
    assert page.evaluate(f"{VIEWER}.panels.filter((panel) => panel.volumes.length).length") == 4


def href(page: Page, artifact: str) -> str:
    link = page.locator(f"#superres-downloads a[data-artifact={artifact}]").get_attribute("href")
    return f"{origin(page)}{link}"


def test_the_report_opens_without_a_network(done: Page, browser: Browser, tmp_path: Path) -> None:
    page = done
    with page.expect_download() as info:
        page.locator("#superres-downloads a[data-artifact=report]").click()
    path = tmp_path / "report.html"
    info.value.save_as(path)
    record = json.loads(page.request.get(href(page, "run")).body())
    reader = browser.new_context(offline=True)
    offline = reader.new_page()
    asked: list[str] = []
    offline.on("request", lambda request: asked.append(request.url))
    offline.goto(path.as_uri())
    body = offline.locator("body")
    expect(body).to_contain_text("Research use only, not for diagnosis")
    expect(body).to_contain_text("Super-resolution")
    expect(body).to_contain_text(record["outputs"]["result"]["sha256"][:12])
    broken = "Array.from(document.images).filter((one) => !one.complete || !one.naturalWidth).length"
    assert offline.evaluate("document.images.length") >= 4
    assert offline.evaluate(broken) == 0
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    reader.close()


def test_a_result_is_sent_on_and_each_tab_keeps_its_own_work(done: Page) -> None:
    page = done
    address = page.url
    page.locator("#superres-send-inpaint").click()
    expect(page.get_by_role("tab", name="Inpaint")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#scan-facts")).to_contain_text("(synthetic)")
    wait_drawn(page)
    expect(page.locator(".cs-panel[data-panel=input] .cs-badge").first).to_have_text("SYNTHETIC")
    assert "job=" not in page.url
    open_tab(page, "Super-resolve")
    wait_results(page, "superres")
    assert page.url == address
    page.reload()
    expect(page.get_by_role("tab", name="Super-resolve")).to_have_attribute("aria-selected", "true")
    wait_results(page, "superres")
    # Run, pressed again, makes the same, not what the form begins with
    expect(page.locator("#superres-preset label", has=page.locator("input:checked"))).to_contain_text("Fast")


def test_the_run_in_the_address_is_shown_whatever_else_comes_first(done: Page) -> None:
    page = done
    address = page.url
    choices = page.evaluate(CHOICES)
    again = page.context.new_page()
    sent: list[int] = []

    def join(route: Route) -> None:
        sent.append(json.loads(route.request.post_data or "")["fn_index"])
        # as if another answer had changed the page's address before
        route.continue_(url=route.request.url.partition("?")[0])

    again.route("**/queue/join*", join)
    again.goto(address)
    wait_results(again, "superres")
    expect(again.get_by_role("tab", name="Super-resolve")).to_have_attribute("aria-selected", "true")
    assert again.url == address
    # the answer to a choice that nobody made could come last, and show another tab's work
    assert not set(choices) & set(sent)
    again.close()


def test_a_scan_that_is_fine_already_is_refused_in_words(shared_page: Page, thick: dict[str, Path]) -> None:
    page = shared_page
    open_tab(page, "Super-resolve")
    load(page, "superres-scan", thick["reference"])
    expect(page.locator("#superres-method-note")).to_contain_text("no axis is coarser than the target")
    page.locator("#superres-run").click()
    expect(over(page, "superres")).to_contain_text("no_thick_axis")
    expect(page.locator("#superres-scan-facts .cs-file")).to_be_visible()
