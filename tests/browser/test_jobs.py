"""A job belongs to the server: it can be followed, left alone, found again and stopped."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk, Scans, Watch, new_context
from tests.browser.steps import (
    VIEWER,
    choose_preset,
    covered,
    follow,
    load_mask,
    load_scan,
    open_tab,
    run,
    setting,
    unfold,
    visit,
    wait_for,
    wait_result,
)

# the words that stand in the viewer's place from the first frame on, until the window has a name
FIRST_SEEN = """
globalThis.seen = new Set();
const look = () => {
  for (const one of document.querySelectorAll("#cs-opening p, .cs-welcome h2"))
    if (one.checkVisibility({ visibilityProperty: true })) seen.add(one.textContent);
  if (name !== "known") requestAnimationFrame(look);
};
if (name !== "known") look();
"""


def start_long_run(page: Page, scans: Scans) -> None:
    """Start a run of 96 network calls: seconds on any machine."""
    load_scan(page, scans.large[0])
    load_mask(page, scans.large[1])
    choose_preset(page, "best")
    unfold(page)
    setting(page, "Steps").fill("8")
    setting(page, "Samples").fill("12")
    setting(page, "Samples").press("Tab")
    run(page)


def test_progress_rises_through_a_closed_tab_to_four_panels(
    shared_page: Page, desk: Desk, watch: Watch, scans: Scans
) -> None:
    page = shared_page
    start_long_run(page, scans)
    expect(page.locator("#run")).to_be_disabled()
    before = follow(page, until=2)
    assert len(before) == 2
    address = page.url

    again = desk.reopen(watch)
    again.add_init_script(FIRST_SEEN)
    visit(again, address)
    expect(again.locator("#scan-facts")).to_contain_text("T1.nii.gz")
    after = follow(again)
    assert before + after == sorted(before + after)
    wait_result(again)
    assert again.evaluate(f"{VIEWER}.panels.map((panel) => panel.volumes.length)") == [2, 1, 2, 2]
    assert again.evaluate("document.querySelectorAll('.cs-viewer canvas').length") == 4
    assert again.evaluate("[...seen]") == ["Opening your run \u2026"]
    again.evaluate("name = 'known'")


def test_cancel_stops_the_job_and_the_next_run_works(shared_page: Page, scans: Scans) -> None:
    page = shared_page
    start_long_run(page, scans)
    wait_for(page, "Number(document.querySelector('#progress .cs-bar').getAttribute('aria-valuenow')) > 0")
    page.locator("#progress").scroll_into_view_if_needed()
    for part in ("#progress .cs-bar", "#progress .cs-progress-text", "#progress .cs-progress-percent"):
        expect(page.locator(part)).to_be_visible()
        assert covered(page, part) == []
    # a picture is there once there is something to see, and never a broken one
    assert page.locator(".cs-so-far img >> visible=true").evaluate_all("(all) => all.every((one) => one.naturalWidth)")
    page.locator("#cancel").click()
    expect(page.locator("#outcome")).to_contain_text("Cancelled")
    expect(page.locator("#progress .cs-progress")).to_be_hidden()
    expect(page.locator("#run")).to_be_enabled()
    cancelled = page.url
    choose_preset(page, "Fast")
    page.locator("#run").click()
    page.wait_for_url(lambda address: "job=" in address and address != cancelled)
    wait_result(page)
    expect(page.locator("#outcome")).to_contain_text("Done")


def test_another_visitor_opens_the_job_by_a_link_alone_and_its_maker_keeps_it_and_ends_the_link(
    shared_page: Page, scans: Scans, watch: Watch
) -> None:
    page = shared_page
    load_scan(page, scans.small[0])
    load_mask(page, scans.small[1])
    choose_preset(page, "Fast")
    run(page)
    browser = page.context.browser
    assert browser
    stranger = new_context(browser)
    other = stranger.new_page()
    visit(other, page.url)
    expect(other.locator("#scan-trouble [role=alert]")).to_contain_text(re.compile("not_found"))
    expect(other.locator("#downloads a")).to_have_count(0)

    wait_result(page)
    page.locator("#share-make").click()
    link = page.locator("#share-link .cs-shared-link").input_value()
    watch.follow(other)
    other.goto(link)
    other.locator(".cs-viewer[data-ready=true]").wait_for()
    expect(other.locator(".cs-panel[data-panel=result] .cs-badge")).to_have_text("SYNTHETIC")
    expect(other.get_by_role("button", name="Draw mask")).to_be_hidden()
    expect(other.frame_locator(".shared-report").locator("h1")).to_be_visible()
    watch.leave(other)

    job = page.url.rpartition("job=")[2]
    open_tab(page, "Sessions")
    # an earlier list may stand there for a moment
    row = page.locator("#sessions tbody tr", has=page.locator(f"a[href*='{job}']"))
    row.get_by_role("button", name="Keep the run on").click()
    expect(row).to_contain_text("Kept until")
    end = page.get_by_role("button", name="End the link")
    end.click()
    expect(end).to_have_text("End it now?")
    end.click()
    expect(end).to_have_count(0)
    other.goto(link)
    expect(other.locator("[role=alert]")).to_contain_text("link_over")
    stranger.close()


def test_a_visit_that_ends_while_a_run_is_followed_is_shown_and_goes_on(
    shared_page: Page, scans: Scans, watch: Watch
) -> None:
    page = shared_page
    open_tab(page, "Inpaint")
    start_long_run(page, scans)
    cookies, ended = page.context.cookies(), page.locator("#cs-ended [role=alert]")
    expect(ended).to_be_hidden()
    # the browser itself logs what is refused meanwhile
    watch.leave(page)
    page.context.clear_cookies()
    expect(ended).to_contain_text("The session of this page has ended.")
    expect(ended.get_by_role("button", name="Reload the page")).to_be_visible()
    assert covered(page, "#cs-ended button") == []
    expect(page.locator("#progress .cs-progress")).to_be_hidden()
    page.context.add_cookies(cookies)  # type: ignore[arg-type]
    expect(ended).to_be_hidden()
    watch.follow(page)
    page.reload()
    wait_result(page)
