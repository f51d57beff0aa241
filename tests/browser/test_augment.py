"""The augmentation study on the page: from simulated images to a guideline with its interval, and the figures."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import STEP_MS
from tests.browser.steps import open_tab, origin, start, unfold
from tests.looks.look import seen, violations_of_views

# a whole small study, on a busy machine
RUN_MS = 5 * STEP_MS
TABS = ("Worth", "Exchange rate", "Controls", "Images", "Copies", "Limits")
TWINS = ("worth-curves", "worth-rates", "worth-arms", "worth-quality")
SMALL = {
    "number input for Seeds": "2",
    "Real images there are": "120",
    "Steps of a classifier": "10",
    "Steps of a generator": "10",
}


def test_a_study_reaches_a_guideline_and_its_figures(shared_page: Page) -> None:
    page = shared_page
    open_tab(page, "Synthetic worth")
    expect(page.locator("#worth-welcome")).to_contain_text("How many real images")
    unfold(page)
    controls = page.locator("#cs-controls")
    for name in ("60", "120"):
        controls.get_by_role("checkbox", name=name, exact=True).locator("visible=true").uncheck()
    controls.get_by_role("checkbox", name="30", exact=True).locator("visible=true").check()
    for label, value in SMALL.items():
        controls.get_by_label(label).locator("visible=true").fill(value)
        page.keyboard.press("Tab")
    # folded again, so that what is looked at is the results
    page.get_by_role("button", name="advanced settings").locator("visible=true").first.click()
    start(page, "augment")
    expect(page.locator("#worth-trouble")).to_contain_text("One classifier after the other is trained")
    expect(page.locator("#augment-outcome")).to_contain_text("Done", timeout=RUN_MS)
    said = page.locator("#worth-guideline")
    expect(said).to_contain_text("SIMULATED")
    expect(said.locator(".cs-guideline")).to_contain_text("At 30 real images")
    expect(said.locator(".cs-guideline")).to_contain_text("more real images were not shown to help")
    expect(page.locator("#worth-curves-plot .js-plotly-plot")).to_be_visible()
    for tab in TABS:
        page.locator("#worth-tabs").get_by_role("tab", name=tab).click()
        page.wait_for_timeout(500)
        faulty = [one for one in seen(page) if not one.endswith("empty region")]
        assert faulty == [], tab
    assert violations_of_views(page, "#worth-tabs") == []
    for name in TWINS:
        assert page.locator(f"[data-twin={name}] tbody tr").count() >= 1, name
    assert page.locator("#worth-images img").count() == 24
    assert page.locator("#worth-copies img").count() == 16
    for artifact in ("figures", "results", "table", "report", "curves"):
        address = page.locator(f"#worth-files a[data-artifact={artifact}]").get_attribute("href")
        assert page.request.get(f"{origin(page)}{address}").ok, artifact
