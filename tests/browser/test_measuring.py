"""Measuring, wiping, saving and linking in the viewer, by hand: one page, one scene."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.browser.conftest import STEP_MS, Watch
from tests.browser.scenes import make_heads
from tests.browser.stage import LIBRARY, Show, serve


@pytest.fixture(scope="module")
def show(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Show]:
    """The viewer with a result."""
    if not LIBRARY.is_file():
        pytest.skip("no viewer library: make installs it")
    with serve(tmp_path_factory.mktemp("site")) as site:
        heads = make_heads(site)
        context = browser.new_context(
            viewport={"width": 1200, "height": 900}, permissions=["clipboard-read", "clipboard-write"], has_touch=True
        )
        context.set_default_timeout(STEP_MS)
        page, watch = context.new_page(), Watch()
        watch.follow(page)
        page.goto(site.url)
        page.locator("body[data-mounted=true]").wait_for()
        made = Show(page)
        made.scene(**heads.inpaint)
        yield made
        context.close()
        assert watch.faults == []


def drag(show: Show, *points: tuple[float, float]) -> None:
    """Drag over the input panel, between fractions of its canvas."""
    box = show.panel("input").locator("canvas").bounding_box()
    assert box
    (x, y), *others = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    show.page.mouse.move(x, y)
    show.page.mouse.down()
    for x, y in others:
        show.page.mouse.move(x, y, steps=3)
    show.page.mouse.up()


def save(show: Show, what: str, folder: Path) -> Image.Image:
    """Return a picture that the viewer saves."""
    with show.page.expect_download() as saved:
        show.page.get_by_label("Save a picture or copy a link").select_option(what)
    path = folder / saved.value.suggested_filename
    saved.value.save_as(path)
    return Image.open(BytesIO(path.read_bytes()))


def test_lengths_regions_and_profiles_are_measured_in_every_panel(show: Show) -> None:
    page = show.page
    page.keyboard.press("m")
    said = page.locator("[aria-label=Measuring] .cs-notice")
    drag(show, (0.25, 0.35), (0.33, 0.6))
    expect(said).to_contain_text(" mm")
    assert page.locator(".cs-marks path").count() == 4
    page.get_by_role("button", name="Region", exact=True).click()
    drag(show, (0.25, 0.4), (0.3, 0.4), (0.3, 0.55), (0.25, 0.55))
    expect(said).to_contain_text("mm\u00b2")
    assert page.locator(".cs-measured tbody tr").count() == 4
    page.get_by_role("button", name="Profile", exact=True).click()
    drag(show, (0.24, 0.5), (0.34, 0.45))
    assert page.locator(".cs-curve").count() == 8
    page.keyboard.press("m")
    assert page.locator(".cs-marks path").count() == 0


def test_input_and_result_are_wiped_in_one_panel(show: Show) -> None:
    page = show.page
    page.keyboard.press("w")
    show.settle()
    boxes = [show.panel(name).bounding_box() for name in ("input", "result")]
    assert boxes[0] == boxes[1]
    # over the whole width
    assert show.ask("viewer.input.root.offsetWidth / viewer.input.root.parentElement.offsetWidth") == 1
    assert show.ask("viewer.reveal.slider.offsetWidth") > 200
    line = page.locator(".cs-wipe-line").bounding_box()
    assert line
    x, y = line["x"] + line["width"] / 2, line["y"] + 100
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 200, y, steps=3)
    page.mouse.up()
    assert 0.2 < show.ask("viewer.reveal.share") < 0.4
    page.keyboard.press("f")
    show.settle()
    assert show.ask("viewer.reveal.share") == 1
    page.keyboard.press("w")
    show.settle()
    assert len(show.titles()) == 4


def test_slices_sweeps_and_views_are_saved(show: Show, tmp_path: Path) -> None:
    show.click("result", 0.25, 0.5)
    before = show.places()[0]
    sweep = save(show, "sweep", tmp_path)
    assert sweep.format == "GIF"
    assert sweep.n_frames > 20  # type: ignore[attr-defined]
    amber = sum(count for count, (red, green, blue) in colours(sweep) if red > 200 > green > 100 > blue)
    assert amber > 40
    plain = save(show, "slice", tmp_path)
    assert plain.format == "PNG"
    assert show.places()[0] == pytest.approx(before, abs=1e-6)
    show.page.get_by_role("button", name="Sagittal", exact=True).click()
    show.page.get_by_label("Save a picture or copy a link").select_option("link")
    expect(show.page.locator(".cs-status")).to_contain_text("link is copied")
    assert "#view=" in show.ask("navigator.clipboard.readText()")


def colours(picture: Image.Image) -> list[tuple[int, tuple[int, int, int]]]:
    """Return how often each colour of a picture occurs."""
    pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    found, counts = np.unique(pixels, axis=0, return_counts=True)
    return [(int(count), (int(r), int(g), int(b))) for count, (r, g, b) in zip(counts, found, strict=True)]


def test_two_fingers_zoom_every_panel(show: Show) -> None:
    show.page.get_by_role("button", name="Axial", exact=True).click()
    touch = show.page.context.new_cdp_session(show.page)
    box = show.panel("input").locator("canvas").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def send(kind: str, *apart: float) -> None:
        points = [{"x": x + side, "y": y, "id": i} for i, side in enumerate(apart)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", -20)
    send("touchStart", -20, 20)
    for step in range(1, 5):
        send("touchMove", -20 - 5 * step, 20 + 5 * step)
    send("touchEnd")
    zooms = show.ask("viewer.live.map((panel) => panel.nv.scene.pan2Dxyzmm[3])")
    assert zooms == [pytest.approx(2, abs=0.2)] * 4
