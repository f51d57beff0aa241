"""What a rater does on the page of a reader study, and what the page then holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import COARSE, STEP_MS
from tests.browser.rate_stage import Study

VIEW = "document.querySelector('.rate-viewer').counterscan"
DESK, LAPTOP, TABLET, TURNED, PHONE = (1600, 900), (1280, 720), (820, 1180), (1180, 820), (420, 800)
BANNER = "You are offline; your answer is kept here and will be sent."


@contextmanager
def rater(
    browser: Browser, study: Study, size: tuple[int, int] = LAPTOP, touch: bool = False, script: str = ""
) -> Iterator[Page]:
    """Open the link in a fresh browser; script errors, dialogs, other hosts and refused policies fail at the end."""
    viewport: Any = {"width": size[0], "height": size[1]}
    context = browser.new_context(viewport=viewport, has_touch=touch, device_scale_factor=COARSE)
    context.set_default_timeout(STEP_MS)
    faults: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: faults.append(f"dialog {dialog.message}"))
    page.on("console", lambda one: faults.append(one.text) if "Content Security" in one.text else None)
    host = study.url.partition("/rate/")[0]
    page.on("request", lambda one: None if one.url.startswith((host, "data:", "blob:")) else faults.append(one.url))
    if script:
        page.add_init_script(script)
    try:
        page.goto(study.url)
        yield page
        assert faults == []
    finally:
        context.close()


def wait_item(page: Page, position: int, total: int) -> None:
    """Wait until the item at ``position`` can be answered."""
    expect(page.locator(".rate-count")).to_have_text(f"{position} of {total}")
    expect(page.locator(".rate-work")).to_be_visible()
    expect(page.locator(".rate-question").first).to_be_enabled()


def ask(page: Page, script: str) -> Any:
    """Return the value of an expression about the images."""
    return page.evaluate(f"{VIEW}.{script}")


def crosshairs(page: Page) -> list[list[float]]:
    """Return the crosshair of every image, as fractions of the grid."""
    return list(ask(page, "live.map((panel) => Array.from(panel.nv.scene.crosshairPos))"))


def canvas_point(page: Page, panel: int, fraction: tuple[float, float, float]) -> tuple[float, float]:
    """Return where a place in the image, as RAS fractions, is on the page."""
    nv = f"{VIEW}.panels[{panel}].nv"
    x, y = page.evaluate(f"Array.from({nv}.frac2canvasPos({list(fraction)}), (one) => one / {nv}.uiData.dpr)")
    box = page.locator(".cs-panel canvas").nth(panel).bounding_box()
    assert box
    return box["x"] + x, box["y"] + y


def save(page: Page) -> None:
    """Press the button that saves."""
    page.get_by_role("button", name="Save and next").click()


def kept(page: Page, what: str) -> list[Any]:
    """Return what the browser keeps under names that begin with ``what``."""
    script = """(what) => Object.keys(localStorage).filter((key) => key.includes(`:${what}:`))
      .map((key) => JSON.parse(localStorage.getItem(key)))"""
    return list(page.evaluate(script, what))


def sideways(page: Page) -> int:
    """Return by how many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def violations(page: Page) -> list[str]:
    """Return what axe-core finds serious."""
    found = Axe().run(page).response["violations"]
    bad = [one for one in found if one["impact"] in ("serious", "critical")]
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in bad]
