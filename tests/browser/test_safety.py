"""Bad files get a sentence, hostile names stay text, nobody else is asked for anything."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Scans, Watch, new_context
from tests.browser.steps import choose_method, load_mask, load_scan, open_tab, origin, run, wait_result

HOSTILE = "${alert(1)}<img src=x onerror=alert(1)>.nii.gz"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(400)


def _png(path: Path, scan: Path) -> None:
    path.write_bytes(PNG)


def _truncated(path: Path, scan: Path) -> None:
    path.write_bytes(scan.read_bytes()[:3000])


def _not_a_number(path: Path, scan: Path) -> None:
    values = np.asarray(nib.load(scan).dataobj, dtype=np.float32)
    values[3, 4, 5] = np.nan
    nib.save(nib.Nifti1Image(values, nib.load(scan).affine), path)


def _bomb(path: Path, scan: Path) -> None:
    header = bytearray(gzip.decompress(scan.read_bytes())[:352])
    path.write_bytes(gzip.compress(bytes(header) + bytes(64 << 20), 9))


@pytest.mark.parametrize("make", [_png, _truncated, _not_a_number, _bomb])
def test_a_bad_scan_gets_a_sentence_with_a_code_and_the_page_goes_on(
    shared_page: Page, scans: Scans, tmp_path: Path, make: Callable[[Path, Path], None]
) -> None:
    page = shared_page
    bad = tmp_path / "bad.nii.gz"
    make(bad, scans.small[0])
    open_tab(page, "Inpaint")
    page.set_input_files("#scan-file input[type=file]", bad)
    box = page.locator("#scan-trouble [role=alert]")
    box.wait_for()
    assert len(box.locator("p").first.inner_text().split()) > 3
    assert box.locator("code").inner_text().isidentifier()
    expect(box.locator(".cs-hint")).not_to_be_empty()
    load_scan(page, scans.small[0])
    expect(box).to_have_count(0)


def test_a_mask_of_another_scan_is_refused(shared_page: Page, scans: Scans, tmp_path: Path) -> None:
    page = shared_page
    load_scan(page, scans.small[0])
    far = tmp_path / "far.nii.gz"
    affine = np.diag([1.0, 1.0, 1.0, 1.0])
    affine[:3, 3] = 5000.0
    nib.save(nib.Nifti1Image(np.ones((8, 8, 8), np.uint8), affine), far)
    page.set_input_files("#mask-file input[type=file]", far)
    expect(page.locator("#mask-trouble [role=alert] code")).to_contain_text("mask")
    expect(page.locator("#run")).to_be_disabled()


def test_a_hostile_file_name_never_executes(shared_page: Page, scans: Scans, tmp_path: Path, watch: Watch) -> None:
    page = shared_page
    named = tmp_path / HOSTILE
    shutil.copyfile(scans.small[0], named)
    load_scan(page, named)
    load_mask(page, scans.small[1])
    choose_method(page, "Shell mean")
    run(page)
    wait_result(page)
    page.get_by_role("tab", name="Sessions").click()
    page.locator("#sessions tbody tr").first.wait_for()
    assert page.locator("img[src=x]").count() == 0
    assert watch.faults == []
    open_tab(page, "Inpaint")


def test_text_of_a_stored_name_is_shown_as_it_is(shared_page: Page, scans: Scans, tmp_path: Path) -> None:
    page = shared_page
    named = tmp_path / "a'b & c.nii.gz"
    shutil.copyfile(scans.small[0], named)
    load_scan(page, named)
    assert "amp;" not in page.locator("#scan-facts .cs-file").inner_text()


def test_volumes_are_closed_to_other_visitors(shared_page: Page, scans: Scans) -> None:
    page = shared_page
    load_scan(page, scans.small[0])
    address = origin(page) + page.evaluate("document.querySelector('.cs-viewer').counterscan.scene.scan.url")
    assert page.request.get(address).status == 200
    browser = page.context.browser
    assert browser
    stranger = new_context(browser)
    assert stranger.request.get(address).status in (403, 404)
    stranger.close()
