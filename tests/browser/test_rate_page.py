"""The page of a reader study: what a rater sees and does, item by item."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, inv_ornt_aff, ornt_transform
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, expect

from tests.browser.rate_stage import (
    ANATOMY,
    COMMENT,
    CONFIDENCE,
    MARK,
    PREFER,
    REAL,
    SHAPE,
    SPACING,
    Item,
    Study,
    head,
    nifti,
    pairs,
    serve,
    singles,
)
from tests.browser.rate_steps import (
    DESK,
    PHONE,
    TABLET,
    TURNED,
    VIEW,
    ask,
    canvas_point,
    crosshairs,
    kept,
    rater,
    save,
    sideways,
    violations,
    wait_item,
)

EVERYTHING = [REAL, CONFIDENCE, ANATOMY, MARK, COMMENT]
TRAINING = {"correct": False, "text": "A was measured."}


@pytest.mark.parametrize("count", [30, pytest.param(100, marks=pytest.mark.slow)])
def test_many_items_by_keyboard_alone(browser: Browser, count: int) -> None:
    with serve(Study(pairs(count)).begin()) as study, rater(browser, study, (900, 600)) as page:
        for position in range(1, count + 1):
            wait_item(page, position, count)
            for key in ("ab"[position % 2], str(1 + position % 5), "Enter"):
                page.keyboard.press(key)
        page.get_by_role("heading", name="Thank you").wait_for()
        expect(page.get_by_text("The results are sent to you in spring.")).to_be_visible()
        assert page.title() == "Counterscan: reader study"
    expected = [{"prefer": "AB"[position % 2], "confidence": 1 + position % 5} for position in range(1, count + 1)]
    assert [row["answers"] for row in study.rows] == expected
    assert len({post["client_id"] for post in study.posts}) == len(study.posts) == count


def test_the_start_asks_for_consent_and_experience(browser: Browser) -> None:
    with serve(Study(pairs(2))) as study, rater(browser, study) as page:
        expect(page.get_by_role("heading", name="Filled lesions <b>2</b>")).to_be_visible()
        assert violations(page) == []
        page.get_by_role("button", name="Start").click()
        expect(page.get_by_role("alert").filter(has_text="tick that you agree")).to_be_visible()
        assert study.started is None
        page.get_by_label("I have read this and I agree.").check()
        page.get_by_label("Expertise").select_option("Radiographer")
        page.get_by_label("Years of experience").fill("7")
        page.get_by_role("button", name="Start").click()
        wait_item(page, 1, 2)
    assert study.started == {"consent": True, "expertise": "Radiographer", "years": 7}


def test_what_is_measured_of_an_answer(browser: Browser) -> None:
    hide = """Object.defineProperty(document, "hidden", { get: () => Boolean(globalThis.away) });
      globalThis.turn = (away) => { globalThis.away = away; document.dispatchEvent(new Event("visibilitychange")); };"""
    with serve(Study(pairs(2)).begin()) as study, rater(browser, study, DESK, script=hide) as page:
        wait_item(page, 1, 2)
        page.get_by_role("button", name="Axial").click()
        for _ in range(3):
            page.keyboard.press("ArrowUp")
        page.keyboard.press("a")
        page.keyboard.press("b")
        page.keyboard.press("2")
        page.evaluate("turn(true)")
        [before] = kept(page, "draft")
        page.wait_for_timeout(1500)
        page.evaluate("turn(false)")
        [after] = kept(page, "draft")
        page.wait_for_timeout(500)
        page.keyboard.press("Enter")
        wait_item(page, 2, 2)
    [row] = study.rows
    # a hidden page does not count, whatever the machine is busy with; one that is seen does
    assert 0 <= after["seconds"] - before["seconds"] < 0.75
    assert before["seconds"] > 0
    assert row["seconds"] >= after["seconds"] + 0.4
    assert row["changes"] == 1
    # multi showed the middle of each axis at first
    assert row["slices"] == {"axial": 4, "coronal": 1, "sagittal": 1}
    assert row["client"] == {"width": DESK[0], "height": DESK[1], "touch": False}
    assert row["shown_at"].endswith("Z")


def test_two_images_move_together_and_are_treated_alike(browser: Browser) -> None:
    with serve(Study(pairs(2)).begin()) as study, rater(browser, study) as page:
        wait_item(page, 1, 2)
        page.mouse.click(*canvas_point(page, 1, (0.4, 0.6, 0.5)))
        first, second = crosshairs(page)
        np.testing.assert_allclose(first, second, atol=1e-6)
        assert abs(first[0] - 0.5) > 0.02
        page.get_by_role("button", name="Zoom in").click()
        assert ask(page, "live.map((one) => one.nv.scene.pan2Dxyzmm[3])") == [1.5, 1.5]
        one, other = (page.locator(".cs-panel").nth(i) for i in (0, 1))
        markup = "(node) => node.outerHTML.replace(/cs-readout.*?<.div>/s, '').replace(/>A<|>B<|\"[AB]\"|\"[AB]:/g, '')"
        assert one.evaluate(markup) == other.evaluate(markup)
        sizes = page.evaluate("[...document.querySelectorAll('canvas')].map((one) => [one.width, one.height])")
        assert len(sizes) == 2
        assert sizes[0] == sizes[1]
        windows = "live.map((one) => [one.nv.volumes[0].cal_min, one.nv.volumes[0].cal_max])"
        assert ask(page, windows) == [[0, 255], [0, 255]]
        # the right button changes the window of both
        x, y = canvas_point(page, 0, (0.5, 0.5, 0.5))
        page.mouse.move(x, y)
        page.mouse.down(button="right")
        page.mouse.move(x + 30, y + 40, steps=4)
        page.mouse.up(button="right")
        changed = ask(page, windows)
        assert changed[0] == changed[1] != [0, 255]
        page.keyboard.press("a")
        page.keyboard.press("3")
        page.keyboard.press("Enter")
        wait_item(page, 2, 2)
        assert ask(page, windows) == [[0, 255], [0, 255]]
        assert page.locator("canvas").count() == 2


def test_keys_do_what_they_say_and_nothing_else(browser: Browser) -> None:
    look = "live.map(({nv}) => [nv.opts.sliceType, nv.scene.renderAzimuth, nv.opts.clipPlaneHotKey, nv.drawBitmap])"
    with serve(Study(pairs(3, [PREFER, CONFIDENCE, ANATOMY, COMMENT])).begin()) as study, rater(browser, study) as page:
        wait_item(page, 1, 3)
        before = ask(page, look)
        page.mouse.click(*canvas_point(page, 0, (0.5, 0.5, 0.5)))
        place = crosshairs(page)
        for key in ("h", "l", "j", "k", "v", "c", "m", "Control+u", "Control+d"):
            page.keyboard.press(key)
        assert ask(page, look) == before
        assert crosshairs(page) == place
        page.keyboard.press("ArrowRight")
        assert [round((new[2] - old[2]) * SHAPE[2]) for new, old in zip(crosshairs(page), place, strict=True)] == [1, 1]
        # digits go to the first scale without an answer, then to the one that was answered last
        for key in "b243":
            page.keyboard.press(key)
        expect(page.locator("[data-name=confidence]").get_by_role("radio", name="2", exact=True)).to_be_checked()
        expect(page.locator("[data-name=anatomy]").get_by_role("radio", name="3", exact=True)).to_be_checked()
        page.get_by_label("Comment").click()
        page.keyboard.type("a1?")
        page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        assert study.posts == []
        page.keyboard.press("?")
        page.get_by_label("Use these keys").uncheck()
        page.get_by_role("button", name="Close").click()
        page.keyboard.press("a")
        page.keyboard.press("Enter")
        expect(page.get_by_role("radio", name="B", exact=True)).to_be_checked()
        page.reload()
        wait_item(page, 1, 3)
        page.keyboard.press("a")
        expect(page.get_by_role("radio", name="B", exact=True)).to_be_checked()
        save(page)
        wait_item(page, 2, 3)
    [row] = study.rows
    assert row["answers"] == {"prefer": "B", "confidence": 2, "anatomy": 3, "comment": "a1?\n"}


def test_one_viewer_flips_between_the_two(browser: Browser) -> None:
    shown = ".cs-panel:not(.rate-behind):not([hidden]) h3"
    with serve(Study(pairs(2), toggle=True).begin()) as study, rater(browser, study) as page:
        wait_item(page, 1, 2)
        expect(page.locator(shown)).to_have_text(["A"])
        box = page.locator("canvas").first.bounding_box()
        page.keyboard.press("ArrowUp")
        page.keyboard.press("t")
        expect(page.locator(shown)).to_have_text(["B"])
        assert page.locator("canvas").nth(1).bounding_box() == box
        first, second = crosshairs(page)
        assert first == second
        page.get_by_role("group", name="Image shown").get_by_role("button", name="A").click()
        expect(page.locator(shown)).to_have_text(["A"])
        page.keyboard.press("t")
        for key in ("a", "5", "Enter"):
            page.keyboard.press(key)
        wait_item(page, 2, 2)
        expect(page.locator(shown)).to_have_text(["A"])


def test_training_says_what_was_right(browser: Browser) -> None:
    items = pairs(2)
    items[0].feedback = TRAINING
    with serve(Study(items).begin()) as study, rater(browser, study) as page:
        wait_item(page, 1, 2)
        expect(page.get_by_text("Training item")).to_be_visible()
        for key in ("a", "5", "Enter"):
            page.keyboard.press(key)
        expect(page.get_by_role("heading", name="Not right")).to_be_visible()
        expect(page.get_by_text("A was measured.")).to_be_visible()
        assert violations(page) == []
        place = crosshairs(page)
        page.keyboard.press("ArrowUp")
        assert crosshairs(page) != place
        page.keyboard.press("Enter")
        wait_item(page, 2, 2)
        expect(page.get_by_text("Training item")).to_be_hidden()
    assert len(study.rows) == 1


def test_an_earlier_answer_is_shown_and_can_be_changed(browser: Browser) -> None:
    with serve(Study(pairs(3), changes=True).begin()) as study, rater(browser, study) as page:
        for position in (1, 2):
            wait_item(page, position, 3)
            for key in ("a", "2", "Enter"):
                page.keyboard.press(key)
        wait_item(page, 3, 3)
        page.keyboard.press("Backspace")
        wait_item(page, 2, 3)
        page.get_by_role("button", name="Previous").click()
        wait_item(page, 1, 3)
        expect(page.get_by_role("radio", name="A", exact=True)).to_be_checked()
        # nothing is changed, nothing is sent
        page.keyboard.press("Enter")
        wait_item(page, 2, 3)
        assert len(study.posts) == 2
        page.keyboard.press("b")
        page.keyboard.press("Enter")
        wait_item(page, 3, 3)
    assert [row["answers"]["prefer"] for row in study.rows] == ["A", "A", "B"]
    assert study.rows[2]["showing"] == study.rows[1]["showing"]
    assert study.rows[2]["client_id"] != study.rows[1]["client_id"]


def grid(codes: str) -> tuple[NDArray[np.float64], tuple[int, ...]]:
    """Return an affine of unequal steps whose file axes point to ``codes``, and the shape on it."""
    ras = np.diag([*SPACING, 1.0])
    ras[:3, 3] = [-17.0, -21.0, 9.0]
    turn = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(tuple(codes)))
    order = [int(np.flatnonzero(turn[:, 0] == axis)[0]) for axis in range(3)]
    return ras @ inv_ornt_aff(turn, SHAPE), tuple(SHAPE[one] for one in order)


ORIENTATIONS = ("RAS", "LAS", "PSR")


def test_marks_arrive_at_the_voxels_that_were_drawn(browser: Browser) -> None:
    grids = [grid(codes) for codes in ORIENTATIONS]
    images = [nifti(head(1, (shape[0], shape[1], shape[2])), affine) for affine, shape in grids]
    # of each orientation one that is marked and one that is not
    items = [Item([image, image], [MARK, COMMENT]) for image in images for _ in range(2)]
    start, end = (0.275, 0.635, 0.5), (0.425, 0.635, 0.5)
    drawn = []
    with serve(Study(items, changes=True).begin()) as study, rater(browser, study) as page:
        for first in range(1, len(items), 2):
            wait_item(page, first, len(items))
            drawn.append(_mark(page, start, end))
            save(page)
            wait_item(page, first + 1, len(items))
            assert _bitmap(page, 0) == []
            page.get_by_role("button", name="Previous").click()
            wait_item(page, first, len(items))
            assert set(_bitmap(page, 1)) == drawn[-1]
            # nothing is changed, nothing is sent
            save(page)
            wait_item(page, first + 1, len(items))
            save(page)
        page.get_by_role("heading", name="Thank you").wait_for()
    assert len(study.rows) == len(items)
    for (affine, shape), wanted, row in zip(grids, drawn, study.rows[::2], strict=True):
        mark = row["answers"]["mark"]
        assert mark["shape"] == list(shape)
        starts, lengths = mark["runs"][::2], mark["runs"][1::2]
        assert all(a + n < b for a, n, b in zip(starts, lengths, starts[1:], strict=False))
        flat = np.concatenate([np.arange(a, a + n) for a, n in zip(starts, lengths, strict=True)])
        found = np.zeros(shape, dtype=np.uint8)
        found[np.unravel_index(flat, shape, order="F")] = 1
        ras = nib.as_closest_canonical(nib.Nifti1Image(found, affine))
        assert set(np.flatnonzero(np.asarray(ras.dataobj).ravel(order="F"))) == wanted
        # the pen reaches up to its last place
        x, y, z = np.floor(np.array(start) * SHAPE).astype(int)
        assert np.asarray(ras.dataobj)[x : x + 3, y, z].tolist() == [1, 1, 1]
        assert flat.size == 3


def _mark(page: Page, start: tuple[float, float, float], end: tuple[float, float, float]) -> set[int]:
    """Draw a line in one image, and a second that is taken back; return the voxels of the mark in both."""
    page.get_by_role("button", name="Axial").click()
    page.get_by_role("button", name="Pen").click()
    page.get_by_label("Pen size in voxels").fill("1")
    _draw(page, start, end)
    expect(page.get_by_text("voxels marked")).to_be_visible()
    drawn = [set(_bitmap(page, panel)) for panel in (0, 1)]
    assert drawn[0] == drawn[1]
    _draw(page, (0.6, 0.4, 0.5), (0.7, 0.4, 0.5))
    page.get_by_role("button", name="Undo the last stroke").click()
    assert set(_bitmap(page, 0)) == drawn[0]
    return drawn[0]


def _draw(page: Page, start: tuple[float, float, float], end: tuple[float, float, float]) -> None:
    page.mouse.move(*canvas_point(page, 0, start))
    page.mouse.down()
    page.mouse.move(*canvas_point(page, 0, end), steps=6)
    page.mouse.up()
    page.wait_for_timeout(100)


def _bitmap(page: Page, panel: int) -> list[int]:
    bitmap = f"{VIEW}.panels[{panel}].nv.drawBitmap"
    return list(page.evaluate(f"Array.from({bitmap}).flatMap((value, i) => value ? [i] : [])"))


WINDOWS = (TABLET, TURNED, PHONE, DESK)
SMALL = """[...document.querySelectorAll(".rate-option, button")].filter((one) => one.offsetParent)
  .map((one) => one.getBoundingClientRect()).filter((box) => box.height < 44 || box.width < 44).length"""


def test_fingers_are_enough_and_axe_is_content(browser: Browser) -> None:
    items = [*singles(1, EVERYTHING), *pairs(1)] * len(WINDOWS)
    with serve(Study(items, changes=True)) as study, rater(browser, study, WINDOWS[0], touch=True) as page:
        page.get_by_text("I have read this and I agree.").tap()
        for size in WINDOWS:
            resize(page, size)
            assert sideways(page) <= 0
        page.get_by_role("button", name="Start").tap()
        for number, size in enumerate(WINDOWS):
            wait_item(page, 2 * number + 1, len(items))
            resize(page, size)
            assert sideways(page) <= 0
            assert violations(page) == []
            for name in ("real", "confidence", "anatomy"):
                page.locator(f"[data-name={name}] .rate-option").nth(1).tap()
            assert page.evaluate(SMALL) == 0
            page.get_by_role("button", name="Sagittal").tap()
            page.get_by_role("button", name="Pen").tap()
            page.locator("canvas").first.scroll_into_view_if_needed()
            _touch(page, *canvas_point(page, 0, (0.5, 0.5, 0.5)))
            expect(page.get_by_text("9 voxels marked.")).to_be_visible()
            page.get_by_role("button", name="Save and next").tap()
            wait_item(page, 2 * number + 2, len(items))
            assert sideways(page) <= 0
            page.get_by_role("button", name="Help: instructions and keys").tap()
            assert violations(page) == []
            page.get_by_role("button", name="Close").tap()
            page.locator("[data-name=prefer] .rate-option").first.tap()
            page.locator("[data-name=confidence] .rate-option").first.tap()
            page.get_by_role("button", name="Save and next").tap()
    marked = study.rows[::2]
    assert [row["answers"]["real"] for row in marked] == ["synthetic"] * len(WINDOWS)
    assert [sum(row["answers"]["mark"]["runs"][1::2]) for row in marked] == [9] * len(WINDOWS)


def resize(page: Page, size: tuple[int, int]) -> None:
    """Give the page another window, and wait until the images fill it."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    # two frames: sizes are looked at before one is drawn
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def _touch(page: Page, x: float, y: float) -> None:
    """Rest a finger on the screen, which Playwright's own tap does not."""
    screen = page.context.new_cdp_session(page)
    screen.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    page.wait_for_timeout(80)
    screen.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
