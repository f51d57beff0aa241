"""What a visitor has loaded and drawn is still there after another tab, a reload and a lost graphics context."""

from __future__ import annotations

import numpy as np
from playwright.sync_api import Page, expect

from tests.browser.conftest import Scans
from tests.browser.steps import (
    VIEWER,
    drag,
    drawn_voxels,
    load_scan,
    open_tab,
    start_drawing,
    use_mask,
    wait_drawn,
    wait_for,
)

DRAWING = f"{VIEWER}?.drawing?.active"
DRAWN = f"{DRAWING} && {VIEWER}.input.nv.drawBitmap?.some(Boolean)"
LOSE = f"{VIEWER}.input.nv.gl.getExtension('WEBGL_lose_context').loseContext()"


def test_scan_mask_and_drawing_last(shared_page: Page, scans: Scans) -> None:
    page = shared_page
    load_scan(page, scans.small[0])
    start_drawing(page)
    page.get_by_role("button", name="Ellipse").click()
    drag(page, (0.42, 0.36), (0.5, 0.47))
    drag(page, (0.52, 0.5), (0.6, 0.6))
    drawn = drawn_voxels(page)
    assert drawn.size > 8

    old = page.evaluate_handle(f"{VIEWER}.input.canvas")
    page.evaluate(LOSE)
    wait_for(page, "(old) => !old.isConnected", old)
    wait_for(page, DRAWN)
    np.testing.assert_array_equal(drawn_voxels(page), drawn)
    page.keyboard.press("Control+z")
    assert drawn_voxels(page).size < drawn.size
    page.keyboard.press("Control+Shift+z")
    np.testing.assert_array_equal(drawn_voxels(page), drawn)

    open_tab(page, "Super-resolve")
    wait_for(page, f"!{DRAWING}")
    open_tab(page, "Inpaint")
    wait_for(page, DRAWN)
    np.testing.assert_array_equal(drawn_voxels(page), drawn)

    page.reload()
    page.locator("#scan-facts .cs-file").wait_for()
    wait_for(page, DRAWN)
    np.testing.assert_array_equal(drawn_voxels(page), drawn)
    page.get_by_role("button", name="Leave drawing").click()
    expect(page.locator(".cs-question")).to_be_visible()
    page.get_by_role("button", name="Go on drawing").click()
    use_mask(page)

    page.reload()
    page.locator("#mask-facts .cs-file").wait_for()
    wait_drawn(page)
    assert not page.evaluate(DRAWING)
    open_tab(page, "Sessions")
    page.get_by_role("link", name="Use t1.nii.gz again: Inpaint").first.click()
    page.locator("#mask-facts .cs-file").wait_for()
    assert "task=inpaint" in page.url
