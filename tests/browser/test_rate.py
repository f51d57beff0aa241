"""A reader study on the real server: made on the page, rated by keyboard, read and taken away."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Scans, Server, Watch, new_context
from tests.browser.steps import choose_method, load_mask, load_scan, open_tab, run, wait_for, wait_result
from tests.webapp.study.folders import write_folder

Visitor = Callable[[str], Page]
COUNT = re.compile(r"(\d+) of (\d+)")


@pytest.fixture
def visitor(browser: Browser, watch: Watch) -> Iterator[Visitor]:
    """Opens an address in a browser of its own."""
    contexts = []

    def opened(address: str) -> Page:
        contexts.append(new_context(browser))
        page = contexts[-1].new_page()
        watch.follow(page)
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()


def packed(folder: Path, cases: int = 3) -> Path:
    """Return a zip of ``cases`` of three methods."""
    write_folder(folder / "images", cases)
    path = folder / "images.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted((folder / "images").rglob("*.nii.gz")):
            archive.write(file, file.relative_to(folder))
    return path


def open_rate(page: Page) -> None:
    """Go to the Rate tab, and to the form of a new study."""
    open_tab(page, "Rate")
    if not page.locator("#study-make").is_visible():
        page.get_by_label("Study", exact=True).click()
        page.get_by_role("option", name="New study").click()
    expect(page.locator("#study-make")).to_be_visible()


def fill(page: Page, ident: str, text: str) -> None:
    """Write into a field of the tab."""
    page.locator(f"#{ident} :is(input, textarea)").first.fill(text)


def make(page: Page, title: str, asks: tuple[str, ...]) -> None:
    """Fill in title and questions and make the study."""
    fill(page, "study-title", title)
    for label in page.locator("#study-asks label").all():
        if label.locator("input").is_checked() != (label.inner_text().strip() in asks):
            label.click()
    page.locator("#study-make").click()
    expect(page.locator("#study-facts .cs-file")).to_have_text(title)


def invite(page: Page, label: str) -> str:
    """Invite a rater and return the link."""
    link = page.locator("#rater-link input")
    before = link.input_value() if link.count() else ""
    fill(page, "rater-label", label)
    page.locator("#rater-invite").click()
    expect(page.locator("#study-raters")).to_contain_text(label)
    expect(link).not_to_have_value(before)
    expect(link).to_have_value(re.compile(r"^http://.+/rate/.+"))
    return link.input_value()


def begin(page: Page) -> int:
    """Agree and start; returns how many items there are."""
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".rate-question").first).to_be_enabled()
    found = COUNT.search(page.locator(".rate-count").inner_text())
    assert found
    return int(found[2])


def answer(page: Page, keys: str, position: int, total: int) -> None:
    """Wait for an item and answer it by ``keys``."""
    expect(page.locator(".rate-count")).to_have_text(f"{position} of {total}")
    expect(page.locator(".rate-question").first).to_be_enabled()
    for key in keys:
        page.keyboard.press(key)
    page.keyboard.press("Enter")


def fits(page: Page) -> list[str]:
    """Return what axe-core finds serious in a wide and in a narrow window, after the page is narrow enough for each."""
    bad = []
    for width in (1600, 420):
        page.set_viewport_size({"width": width, "height": 900})
        wait_for(page, "document.documentElement.scrollWidth <= innerWidth")
        found = Axe().run(page).response["violations"]
        bad += [one["id"] for one in found if one["impact"] in ("serious", "critical")]
    return bad


def test_the_tab_of_who_has_no_study_fits_and_axe_is_content(shared_page: Page) -> None:
    open_rate(shared_page)
    expect(shared_page.locator("#study-steps")).to_be_hidden()
    assert fits(shared_page) == []


def test_what_is_missing_is_said(shared_page: Page) -> None:
    page = shared_page
    open_rate(page)
    page.locator("#study-make").click()
    expect(page.locator("#study-trouble [role=alert]")).to_contain_text("bad_study")
    fill(page, "study-title", "T")
    page.locator("#study-make").click()
    expect(page.locator("#study-trouble [role=alert]")).to_contain_text("no images")


def test_a_link_ends_and_a_colleague_may_look(
    shared_page: Page, visitor: Visitor, server: Server, tmp_path: Path, watch: Watch
) -> None:
    page = shared_page
    open_rate(page)
    page.set_input_files("#study-images input[type=file]", packed(tmp_path, 1))
    make(page, "Shared", ("Which of two looks more real?",))
    link = invite(page, "Dr A")
    page.locator("#study-share").click()
    key = page.locator("#study-key input")
    expect(key).to_have_value(re.compile(r"\?study="))
    colleague = visitor(key.input_value())
    expect(colleague.locator("#study-facts .cs-file")).to_have_text("Shared")
    expect(colleague).to_have_url(f"{server.url}/")
    # what opened the study fills the form anew when it ends
    colleague.wait_for_timeout(1000)
    which = colleague.get_by_label("Rater", exact=True)
    which.click()
    colleague.get_by_role("option", name="R01 Dr A").click()
    expect(which).to_have_value("R01 Dr A")
    colleague.locator("#rater-revoke").click()
    expect(colleague.locator("#study-raters")).to_contain_text("ended")
    expect(visitor(link).get_by_text("no longer valid")).to_be_visible()
    watch.faults.clear()  # a browser notes the refusal itself
    stranger = visitor(server.url)
    open_rate(stranger)
    expect(stranger.locator("#study-steps")).to_be_hidden()


def test_the_example_study_comes_with_a_link_to_send(shared_page: Page, server: Server) -> None:
    page = shared_page
    open_rate(page)
    page.get_by_role("button", name="Make the example study").click()
    link = page.locator("#rater-link input")
    expect(link).to_have_value(re.compile(f"^{server.url}/rate/.+"), timeout=20_000)


def test_the_tab_of_a_study_fits_and_axe_is_content(shared_page: Page, tmp_path: Path) -> None:
    page = shared_page
    open_rate(page)
    # the study is made in the narrow window
    page.set_viewport_size({"width": 420, "height": 900})
    page.set_input_files("#study-images input[type=file]", packed(tmp_path, 1))
    make(page, "Looks", ("Which of two looks more real?",))
    invite(page, "Dr A")
    report = page.frame_locator("#study-report iframe").locator("html")
    report.locator("h1").wait_for()
    for theme in ("Light", "Dark"):
        page.get_by_role("button", name=theme, exact=True).click()
        expect(report).to_have_attribute("data-theme", theme.lower())
    page.get_by_role("button", name="Auto", exact=True).click()
    expect(report).not_to_have_attribute("data-theme", "dark")
    # colours pass over into each other
    page.wait_for_function("document.getAnimations().every((one) => one.playState !== 'running')")
    assert fits(page) == []


def test_a_run_becomes_a_study_that_is_rated_and_read(shared_page: Page, scans: Scans, visitor: Visitor) -> None:
    page = shared_page
    load_scan(page, scans.small[0])
    load_mask(page, scans.small[1])
    choose_method(page, "3D biharmonic")
    run(page)
    wait_result(page)
    open_rate(page)
    page.locator("#study-runs label").first.click()
    make(page, "Which ${alert(1)} <img src=x onerror=alert(1)>?", ("Which of two looks more real?",))
    link = invite(page, "Dr <b>A</b>")
    rater = visitor(link)
    expect(rater.get_by_role("heading", level=1)).to_contain_text("Counterscan")
    total = begin(rater)
    for position in range(1, total + 1):
        answer(rater, "A3", position, total)
    expect(rater.get_by_text("All your answers are saved")).to_be_visible()
    expect(page.locator("#study-fresh")).to_contain_text(f"{total} answers, {total} of them new")
    page.locator("#study-refresh").click()
    expect(page.locator("#study-fresh")).to_have_text(f"{total} answers.")
    expect(page.frame_locator("#study-report iframe").locator("h1")).to_contain_text("onerror=alert(1)")
    expect(page.locator("#study-raters")).to_contain_text(f"{total} of {total}")
    # the next study is made of other images
    open_rate(page)
    page.locator("#study-runs label").first.click()


def test_a_zip_is_rated_by_two_who_pause_and_is_taken_away(shared_page: Page, visitor: Visitor, tmp_path: Path) -> None:
    page = shared_page
    open_rate(page)
    page.set_input_files("#study-images input[type=file]", packed(tmp_path))
    page.get_by_role("button", name="Order, repeats and words").click()
    fill(page, "study-scales", "Noise | none | strong")
    fill(page, "study-training", "case0")
    page.keyboard.press("Enter")
    make(page, "From a zip", ("Real or synthetic?", "Realistic appearance"))
    expect(page.locator("#study-facts")).to_contain_text("9 items: 9 single images, 0 pairs; 3 for practice")
    first, second = invite(page, "Dr A"), invite(page, "Dr B")
    one = visitor(first)
    total = begin(one)
    for position in range(1, 5):
        answer(one, "R423", position, total)
        if position < 4:
            expect(one.get_by_role("button", name="Continue")).to_be_visible()
            one.keyboard.press("Enter")
    expect(one.locator(".rate-count")).to_have_text(f"5 of {total}")
    # another machine, the same link
    again = visitor(first)
    for position in range(5, total + 1):
        answer(again, "S351", position, total)
    expect(again.get_by_text("All your answers are saved")).to_be_visible()
    two = visitor(second)
    assert begin(two) == total
    answer(two, "S115", 1, total)
    two.get_by_role("button", name="Continue").click()
    expect(two.locator(".rate-count")).to_have_text(f"2 of {total}")
    with page.expect_download() as waiting:
        page.locator("#study-files a[data-export=zip]").click()
    with zipfile.ZipFile(waiting.value.path()) as archive:
        assert set(archive.namelist()) == {"answers.csv", "dictionary.csv", "study.json", "report.html"}
        rows = list(csv.DictReader(io.TextIOWrapper(archive.open("answers.csv"), encoding="utf-8-sig")))
        assert b"Dr A" not in b"".join(archive.read(name) for name in archive.namelist())
    assert [sum(row["rater"] == name for row in rows) for name in ("R01", "R02")] == [total, 1]
