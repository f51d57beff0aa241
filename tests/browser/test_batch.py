"""A zip of scans goes in on the page, and its results come out as a zip."""

from __future__ import annotations

import zipfile
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Scans
from tests.browser.steps import open_tab
from tests.looks.look import seen


def test_a_zip_of_scans_is_run(shared_page: Page, scans: Scans, tmp_path: Path) -> None:
    page = shared_page
    t1, mask = scans.small
    path = tmp_path / "scans.zip"
    with zipfile.ZipFile(path, "w") as out:
        out.write(t1, t1.name)
        out.write(mask, mask.name)
        out.writestr("broken.nii", b"no scan")
        rows = (f"first,{t1.name}", "second,broken.nii")
        out.writestr("manifest.csv", "\n".join(("name,t1,mask,method", *(f"{row},{mask.name},shell" for row in rows))))
    open_tab(page, "Batch")
    page.locator("#many-file input[type=file]").set_input_files(path)
    page.locator("#many-file").get_by_text("scans.zip").wait_for()
    # its name stands in the place of the words of the box
    expect(page.locator("#many-file label[data-testid=block-label]")).to_be_hidden()
    assert [one for one in seen(page) if "texts on" in one or "sideways" in one] == []
    page.locator("#many-start").click()
    expect(page.locator("#many-trouble")).to_contain_text("Started with 2 scans.")
    batch = page.locator("#many .cs-batch")
    expect(batch).to_have_attribute("data-over", "true")
    expect(batch.locator("tr", has_text="second")).to_contain_text("Failed")
    why = batch.locator("tr", has_text="second").locator("xpath=following-sibling::tr[1]")
    expect(why).to_contain_text("not a NIfTI scan")
    # on a phone too it is read without a move sideways
    page.set_viewport_size({"width": 390, "height": 844})
    right = why.locator("p").evaluate("one => one.getBoundingClientRect().right")
    assert right <= batch.locator(".cs-scroll").evaluate("one => one.getBoundingClientRect().right") <= 390
    with page.expect_download() as coming:
        batch.get_by_text("Download all results").click()
    coming.value.save_as(tmp_path / "results.zip")
    with zipfile.ZipFile(tmp_path / "results.zip") as held:
        assert {"summary.csv", "failed.csv", "overview.html", "first/result.nii.gz"} <= set(held.namelist())
    batch.get_by_text("Delete", exact=True).click()
    batch.get_by_text("Delete for good?").click()
    expect(page.locator("#many-outcome")).to_contain_text("scans.zip with 1 run")
    expect(batch).to_have_count(0)
