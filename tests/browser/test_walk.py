"""From a dropped scan to a rating that outlives the server."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk, Scans, Server, Watch
from tests.browser.steps import (
    choose_method,
    download,
    follow,
    image,
    load_mask,
    load_scan,
    run,
    visit,
    wait_result,
)


def test_facts_of_a_scan_and_its_mask_are_shown(shared_page: Page, scans: Scans) -> None:
    page = shared_page
    load_scan(page, scans.small[0])
    facts = page.locator("#scan-facts")
    expect(facts).to_contain_text("26 × 30 × 28 voxels")
    expect(facts).to_contain_text("6 × 6 × 6 mm")
    expect(facts).to_contain_text("RAS")
    expect(facts).to_contain_text("Taken as a whole head")
    expect(page.locator("#run")).to_be_disabled()
    expect(page.locator("#run-note")).to_contain_text("Lesion mask")
    load_mask(page, scans.small[1])
    expect(page.locator("#mask-facts")).to_contain_text("ml")
    expect(page.locator("#run")).to_be_enabled()


def test_a_result_equals_the_input_outside_the_mask_and_its_rating_outlives_the_server(
    shared_page: Page, desk: Desk, scans: Scans, server: Server, watch: Watch
) -> None:
    page = shared_page
    load_scan(page, scans.small[0])
    load_mask(page, scans.small[1])
    choose_method(page, "3D biharmonic")
    run(page)
    seen = follow(page)
    assert seen == sorted(seen)
    wait_result(page)
    expect(page.locator(".cs-panel[data-panel=result] .cs-badge")).to_have_text("SYNTHETIC")
    expect(page.locator("#results tbody tr").first).to_contain_text("3D biharmonic")

    before = nib.load(scans.small[0])
    mask = np.asarray(nib.load(scans.small[1]).dataobj) > 0
    after = image(download(page, "result"))
    np.testing.assert_allclose(after.affine, before.affine, atol=1e-6)
    changed = np.asarray(after.dataobj) != np.asarray(before.dataobj)
    assert changed[mask].any()
    assert not changed[~mask].any()
    assert json.loads(download(page, "run"))["params"]["method"] == "biharmonic"

    for name, grade in (("realism", 4), ("border", 2), ("anatomy", 5)):
        page.locator(f"#rate-{name} label").nth(grade - 1).click()
    page.get_by_label("Comment (optional)").fill("a ${1+1} <b>comment</b>")
    page.locator("#rate-save").click()
    expect(page.locator("#rate-status")).to_contain_text("Saved: realism 4, border 2, anatomy 5")
    expect(page.locator("#rate-save")).to_be_disabled()
    address = page.url

    again = desk.reopen(watch)
    server.stop()
    server.start()
    visit(again, address)
    expect(again.locator("#rate-status")).to_contain_text("Saved: realism 4, border 2, anatomy 5")
    again.get_by_role("tab", name="Sessions").click()
    row = again.locator("#sessions tbody tr").first
    expect(row).to_contain_text("Done")
    row.get_by_role("link", name="Open").click()
    again.wait_for_url(address)
    wait_result(again)


def test_a_rating_needs_three_answers(shared_page: Page, scans: Scans) -> None:
    page = shared_page
    load_scan(page, scans.small[0])
    load_mask(page, scans.small[1])
    choose_method(page, "Shell mean")
    run(page)
    wait_result(page)
    page.locator("#rate-realism label").first.click()
    page.locator("#rate-save").click()
    expect(page.locator("#rate-status [role=alert]")).to_contain_text("bad_rating")
