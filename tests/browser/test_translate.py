"""Contrasts on the page: dropped together, put right, translated."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import VIEWER, load, open_tab, over, start, take_off, wait_drawn, wait_results
from tests.contract.phantom import write_contrasts

DROP = "#translate-drop input[type=file]"


@pytest.fixture(scope="module")
def contrasts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_contrasts(tmp_path_factory.mktemp("contrasts"))


def drop(page: Page, *paths: Path) -> None:
    """Drop several files at once and wait until the viewer has drawn them."""
    page.set_input_files(DROP, list(paths))
    page.locator("#translate-t1-facts .cs-file, #translate-drop-trouble .cs-problem").first.wait_for()
    wait_drawn(page)


@pytest.fixture
def page(shared_page: Page) -> Page:
    """The page that all tests here share."""
    open_tab(shared_page, "Translate")
    for slot in ("t1", "t1ce", "t2", "flair"):
        take_off(shared_page, f"translate-{slot}")
    return shared_page


def test_files_find_their_slots_and_the_missing_contrast_is_made(page: Page, contrasts: dict[str, Path]) -> None:
    expect(page.locator("#translate-run-note")).to_contain_text("at least one scan")
    drop(page, contrasts["t2"], contrasts["t1"])
    expect(page.locator("#translate-t1-facts")).to_contain_text("t1.nii.gz")
    expect(page.locator("#translate-t2-facts")).to_contain_text("t2.nii.gz")
    note = page.locator("#translate-method-note")
    expect(note.locator("[role=note]")).to_contain_text("FLAIR is a guess")
    page.locator("#translate-preset label", has_text="Fast").click()
    start(page, "translate")
    wait_results(page, "translate")
    expect(page.locator("#translate-downloads")).to_contain_text("guess from the other contrasts")
    titles = page.evaluate(f"{VIEWER}.scene.inputs.map((one) => one.title)")
    assert titles == ["T1", "T2"]
    expect(page.locator("#results tbody tr")).to_have_count(3)


def test_a_wrong_slot_is_put_right(page: Page, contrasts: dict[str, Path]) -> None:
    drop(page, contrasts["t1"])
    page.locator("#translate-t1-is input").click()
    page.get_by_role("option", name="FLAIR").click()
    expect(page.locator("#translate-flair-facts .cs-file")).to_have_text("t1.nii.gz")
    expect(page.locator("#translate-t1-facts .cs-file")).to_have_count(0)
    page.locator("#translate-flair-remove").click()
    expect(page.locator("#translate-flair-facts .cs-file")).to_have_count(0)
    expect(page.locator("#translate-run")).to_be_disabled()


def test_the_same_scan_twice_is_refused_and_nothing_is_lost(page: Page, contrasts: dict[str, Path]) -> None:
    load(page, "translate-t1", contrasts["t1"])
    load(page, "translate-t2", contrasts["t1"])
    start(page, "translate")
    expect(over(page, "translate")).to_contain_text("same_file_twice")
    expect(page.locator("#translate-t1-facts .cs-file")).to_be_visible()
    expect(page.locator("#translate-t2-facts .cs-file")).to_be_visible()
