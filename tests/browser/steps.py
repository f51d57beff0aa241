"""What a person does on the page, step by step."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page, Request, expect

from tests.waiting import LONGEST

VIEWER = "document.querySelector('.cs-viewer').counterscan"
# of the page's address
JOB = "new URLSearchParams(location.search).get('job')"
# address of the stream of answers to events of the page
EVENTS = "/gradio_api/queue/data"
OVER = "#outcome .cs-outcome, #outcome .cs-problem, #run-trouble .cs-problem"


def wait_for(page: Page, script: str, argument: object = None) -> None:
    """Wait until ``script`` is true on the page; asked at every frame, the page would draw all the time."""
    page.wait_for_function(script, arg=argument, polling=50)


def visit(page: Page, url: str) -> None:
    """Open ``url`` and wait until its controls work."""
    page.goto(url)
    # hidden behind the words of the empty tab
    page.locator(".cs-toolbar").wait_for(state="attached")
    expect(page.locator("#scan-file input[type=file]")).to_be_attached()


def load_scan(page: Page, path: Path) -> None:
    """Upload a scan on the first tab and wait for its facts and its picture."""
    open_tab(page, "Inpaint")
    _load_drawn(page, "scan", path)


def load_mask(page: Page, path: Path) -> None:
    """Upload a mask and wait for its facts and its picture."""
    _load_drawn(page, "mask", path)


def _load_drawn(page: Page, name: str, path: Path) -> None:
    shown = f"{VIEWER}?.scene.{name}?.id"
    before = page.evaluate(f"{shown} ?? null")
    page.set_input_files(f"#{name}-file input[type=file]", path)
    page.locator(f"#{name}-facts .cs-file").wait_for()
    wait_for(page, f"(before) => ({shown} ?? before) !== before", before)
    wait_drawn(page)


def wait_drawn(page: Page) -> None:
    """Wait until the viewer has drawn its scene."""
    wait_for(page, "document.querySelector('.cs-viewer').dataset.ready === 'true'")


def unfold(page: Page) -> None:
    """Open the settings that are folded away."""
    fold = page.get_by_role("button", name="advanced settings").locator("visible=true").first
    if "open" not in (fold.get_attribute("class") or "").split():
        fold.click()


def choose_method(page: Page, title: str) -> None:
    """Choose a method by its title."""
    unfold(page)
    page.get_by_label("Method", exact=True).click()
    page.get_by_role("option", name=title).click()


def setting(page: Page, label: str) -> Locator:
    """Return the field of a setting by number of the open tab."""
    return page.get_by_label(f"number input for {label}").locator("visible=true")


def choose_preset(page: Page, name: str) -> None:
    """Choose a preset by the first word of its label."""
    page.locator("#preset label", has_text=name).click()


def run(page: Page) -> None:
    """Press Run and wait until the job has an address."""
    _run(page, "#run")


def _run(page: Page, button: str) -> None:
    before = page.url
    expect(page.locator(button)).to_be_enabled()
    page.locator(button).click()
    page.wait_for_url(lambda address: "job=" in address and address != before)


def follow(page: Page, every_ms: int = 100, until: int = 1000) -> list[int]:
    """Return the percentages seen until the job is over or ``until`` of them were seen."""
    seen: list[int] = []
    while not page.locator(OVER).count() and len(seen) < until:
        percent = int(page.locator("#progress .cs-bar").get_attribute("aria-valuenow") or 0)
        if page.locator("#progress .cs-progress").is_visible() and (not seen or seen[-1] != percent):
            seen.append(percent)
        page.wait_for_timeout(every_ms)
    return seen


def covered(page: Page, selector: str) -> list[str]:
    """Return those of what ``selector`` finds that something else, or nothing, is drawn over at their middle."""
    script = """(parts) => parts.filter((one) => {
      const box = one.getBoundingClientRect();
      const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
      return !box.width || !box.height || !top || !one.contains(top);
    }).map((one) => one.className || one.tagName)"""
    return [str(one) for one in page.locator(selector).evaluate_all(script)]


def wait_result(page: Page) -> None:
    """Wait until a finished job's four panels are drawn."""
    page.locator("#downloads a[data-artifact=result]").wait_for()
    wait_for(page, f"{VIEWER}?.scene.job === {JOB} && {VIEWER}.scene.results.length > 0")
    wait_drawn(page)


def download(page: Page, artifact: str) -> bytes:
    """Return the bytes behind a download link."""
    with page.expect_download() as info:
        page.locator(f"#downloads a[data-artifact={artifact}]").click()
    return Path(info.value.path()).read_bytes()


def fetch(page: Page, address: str) -> bytes:
    """Return the bytes at ``address`` as this visitor gets them."""
    answer = page.request.get(address if address.startswith("http") else f"{origin(page)}{address}")
    assert answer.ok, answer.status
    return answer.body()


def origin(page: Page) -> str:
    """Return scheme, host and port of the page."""
    return str(page.evaluate("location.origin"))


def image(data: bytes) -> Any:
    """Return a NIfTI image from the bytes of a .nii.gz file."""
    import gzip

    return nib.Nifti1Image.from_bytes(gzip.GzipFile(fileobj=io.BytesIO(data)).read())


def drawn_voxels(page: Page) -> NDArray[np.int64]:
    """Return the flat indices, first axis fastest, RAS order, of the voxels drawn in the browser."""
    script = f"Array.from({VIEWER}.input.nv.drawBitmap).flatMap((value, i) => value ? [i] : [])"
    return np.array(page.evaluate(script), dtype=np.int64)


def canvas(page: Page, panel: str = "input") -> Locator:
    """Return a panel's canvas."""
    return page.locator(f".cs-panel[data-panel={panel}] canvas")


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag on the input panel between two points given as fractions of its canvas."""
    box = canvas(page).bounding_box()
    assert box
    (x0, y0), (x1, y1) = ((box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end))
    page.mouse.move(x0, y0)
    page.mouse.down()
    page.mouse.move((x0 + x1) / 2, (y0 + y1) / 2, steps=3)
    page.mouse.move(x1, y1, steps=3)
    page.mouse.up()


def start_drawing(page: Page, view: str = "Axial") -> None:
    """Show one plane and open the drawing tools."""
    page.get_by_role("button", name=view, exact=True).click()
    expect(page.locator("#draw")).to_be_enabled()
    page.locator("#draw").click()
    page.get_by_role("toolbar", name="Mask drawing").wait_for()
    wait_for(page, f"{VIEWER}.input.nv.drawBitmap !== null")


def use_mask(page: Page) -> str:
    """Press Use mask and return the address of the stored mask."""
    page.get_by_role("button", name="Use this mask").click()
    link = page.locator("#mask-download")
    link.wait_for()
    return str(link.get_attribute("href"))


def open_tab(page: Page, title: str) -> None:
    """Open a tab, if it is not, and wait until its first step and its work show."""
    tab = page.get_by_role("tab", name=title)
    if tab.get_attribute("aria-selected") != "true":
        _choose(page, tab)
    expect(tab).to_have_attribute("aria-selected", "true")
    page.locator(".cs-step >> visible=true").first.wait_for()


def _choose(page: Page, tab: Locator) -> None:
    """Click on a tab and wait for the server's answer, which would replace what is loaded before it has come."""
    streams: set[Request] = set()
    over: list[Request] = []

    def begin(request: Request) -> None:
        if EVENTS in request.url:
            streams.add(request)

    def end(request: Request) -> None:
        if EVENTS in request.url:
            streams.discard(request)
            over.append(request)

    page.on("request", begin)
    # the page cuts the stream off when the last answer has come
    page.on("requestfinished", end)
    page.on("requestfailed", end)
    tab.click()
    limit = time.monotonic() + LONGEST
    while (streams or not over) and time.monotonic() < limit:
        page.wait_for_timeout(20)
    page.remove_listener("request", begin)
    page.remove_listener("requestfinished", end)
    page.remove_listener("requestfailed", end)


def take_off(page: Page, slot: str) -> None:
    """Remove what the input ``slot`` of a tab holds, if it holds something."""
    remove = page.locator(f"#{slot}-remove")
    if remove.is_visible():
        remove.click()
        expect(page.locator(f"#{slot}-facts .cs-file")).to_have_count(0)


def upload(page: Page, slot: str, path: Path) -> None:
    """Upload a file into the input ``slot`` of a tab, in place of what it holds, and wait for its facts."""
    take_off(page, slot)
    page.set_input_files(f"#{slot}-file input[type=file]", path)
    page.locator(f"#{slot}-facts .cs-file").wait_for()


def load(page: Page, slot: str, path: Path) -> None:
    """Upload a file as ``upload`` does and wait for its picture."""
    upload(page, slot, path)
    wait_drawn(page)


def start(page: Page, task: str) -> None:
    """Press Run on the tab of ``task``."""
    _run(page, f"#{task}-run")


def over(page: Page, task: str) -> Locator:
    """Return what a tab says when its run ended badly or could not start."""
    return page.locator(f"#{task}-outcome .cs-problem, #{task}-run-trouble .cs-problem").first


def wait_results(page: Page, task: str) -> None:
    """Wait until a finished job of ``task`` is drawn."""
    page.locator(f"#{task}-downloads a[data-artifact=result]").wait_for()
    wait_for(page, f"{VIEWER}?.scene.task === '{task}' && {VIEWER}.scene.job === {JOB}")
    wait_for(page, f"{VIEWER}.scene.results.length > 0")
    wait_drawn(page)
