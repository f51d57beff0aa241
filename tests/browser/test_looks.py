"""The page is quick, fits its window, can be used without a mouse, and its display controls are its own business."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Desk, Scans, Server, Watch, new_context
from tests.browser.steps import VIEWER, canvas, choose_method, load_mask, load_scan, open_tab, run, visit, wait_result
from webapp.pages.kit.gradio_files import SHORTCUTS

# on a machine that does nothing else
INTERACTIVE_SECONDS = 5.0
# of the page, its scripts and its styles; it makes about 120
MOST_REQUESTS = 200
# name and outline of what has the focus; a radio button shows it on its label, the page itself needs none
FOCUSED = """() => {
  const one = document.activeElement;
  const marked = one.matches("input[type=radio]") ? one.closest("label") : one;
  const name = (one.innerText || one.ariaLabel || one.name || one.tagName).trim().slice(0, 40);
  return [name, one === document.body ? "solid" : getComputedStyle(marked).outlineStyle];
}"""


@pytest.fixture
def done(desk: Desk, watch: Watch, request: pytest.FixtureRequest, scans: Scans) -> Iterator[Page]:
    """The page with a finished run by a plain method, as the test before has left it."""

    def finish(page: Page) -> None:
        load_scan(page, scans.small[0])
        load_mask(page, scans.small[1])
        choose_method(page, "3D biharmonic")
        run(page)
        wait_result(page)

    with desk.page(request, watch, "biharmonic", finish) as page:
        open_tab(page, "Inpaint")
        yield page


def open_about(browser: Browser, server: Server, watch: Watch) -> None:
    """Open the page in a browser that has fetched nothing yet."""
    context = new_context(browser)
    page = context.new_page()
    watch.follow(page)
    visit(page, server.url)
    page.get_by_role("tab", name="About").click()
    page.get_by_text("What it cannot do").wait_for()
    context.close()


def test_the_page_asks_for_little_before_it_can_be_used(browser: Browser, server: Server, watch: Watch) -> None:
    open_about(browser, server, watch)
    assert len(watch.addresses) < MOST_REQUESTS


def test_the_shortcut_finds_the_events_that_gradio_finds(shared_page: Page) -> None:
    shortcut = SHORTCUTS[0]
    targets = [
        [[1, "click"]],
        [[2, "input"], [1, "input"], [2, "change"]],
        [[None, "then"]],
        [],
        [[1, None], [1, "x"]],
        [[3, ""]],
    ]
    found = shared_page.evaluate(
        """([pieces, after, targets]) => pieces.map((piece) => {
          const method = new Function(`${after}; return { ${piece} return n; } }.find_attached_events;`)();
          const events = targets.map((one) => ({ targets: one }));
          return [1, 2, 3, 4, null].map((id) => method({ id }, events));
        })""",
        [[shortcut.slow, shortcut.quick], shortcut.after, targets],
    )
    assert found[0] == found[1] == [["click", "input"], ["input"], [], [], ["then"]]


@pytest.mark.soak
def test_the_page_is_interactive_in_time(browser: Browser, server: Server, watch: Watch) -> None:
    taken = []
    for _ in range(3):
        begun = time.monotonic()
        open_about(browser, server, watch)
        taken.append(time.monotonic() - begun)
    assert min(taken) < INTERACTIVE_SECONDS


def test_panels_share_the_crosshair_and_show_the_volume(done: Page) -> None:
    page = done
    box = canvas(page).bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.4)
    page.wait_for_timeout(300)
    live = f"{VIEWER}.panels.filter((panel) => panel.volumes.length)"
    places = page.evaluate(f"{live}.map((panel) => Array.from(panel.nv.scene.crosshairPos))")
    assert len(places) == 3
    for place in places[1:]:
        assert place == pytest.approx(places[0], abs=1e-6)
    readouts = page.locator(".cs-panel:not([hidden]) .cs-readout span:first-child").all_inner_texts()
    assert len(set(readouts[:3])) == 1
    lit = page.evaluate(
        f"""() => {{ const panel = {VIEWER}.input; panel.nv.drawScene(); const gl = panel.nv.gl;
        const data = new Uint8Array(gl.drawingBufferWidth * gl.drawingBufferHeight * 4);
        gl.readPixels(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight, gl.RGBA, gl.UNSIGNED_BYTE, data);
        let count = 0; for (let i = 0; i < data.length; i += 4) if (data[i] > 60) count++;
        return count / (data.length / 4); }}"""
    )
    assert lit > 0.01
    page.get_by_label("Result to show").select_option("shell")
    expect(page.get_by_label("Result to show")).to_have_value("shell")


def test_display_controls_ask_the_server_for_nothing(done: Page, watch: Watch) -> None:
    page = done
    page.wait_for_timeout(500)
    before = [address for address in watch.addresses if "/vol/" in address or "/ui/" in address]
    nv = f"{VIEWER}.input.nv"
    page.get_by_role("button", name="Coronal").click()
    assert page.evaluate(f"{nv}.opts.sliceType") == 1
    page.get_by_label("Colour map").select_option("viridis")
    assert page.evaluate(f"{nv}.volumes[0].colormap") == "viridis"
    page.get_by_label("Intensity window").select_option("full")
    assert page.evaluate(f"{nv}.volumes[0].cal_max === {nv}.volumes[0].global_max")
    page.get_by_label("Mask opacity").fill("0.2")
    assert page.evaluate(f"{nv}.volumes[1].opacity") == pytest.approx(0.2)
    page.get_by_role("button", name="Radiological").click()
    assert page.evaluate(f"{nv}.opts.isRadiologicalConvention")
    with page.expect_download() as shot:
        page.get_by_label("Save a picture or copy a link").select_option("panels")
    assert shot.value.suggested_filename == "counterscan.png"
    assert [address for address in watch.addresses if "/vol/" in address or "/ui/" in address] == before


def test_the_link_to_notes_and_files_keeps_the_page(done: Page) -> None:
    done.evaluate("globalThis.kept = true")
    done.get_by_role("link", name="Notes, files, rating").click()
    expect(done.locator("#downloads")).to_be_in_viewport()
    assert done.evaluate("globalThis.kept === true")


def test_every_step_is_reached_by_keyboard(context: BrowserContext, server: Server, watch: Watch) -> None:
    page = context.new_page()
    watch.follow(page)
    visit(page, server.url)
    seen, unmarked = set(), set()
    for _ in range(40):
        page.keyboard.press("Tab")
        name, outline = page.evaluate(FOCUSED)
        seen.add(name)
        if outline != "solid":
            unmarked.add(name)
    assert {"Inpaint", "Click to upload or drop files"} & seen
    assert unmarked == set()
