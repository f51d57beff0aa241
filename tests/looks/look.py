"""Looking at the page: its faults in every window and theme, a picture of each look, a sheet of all pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
from axe_playwright_python.sync_playwright import Axe
from PIL import Image, ImageDraw
from playwright.sync_api import Page

Theme = Literal["dark", "light"]
THEMES: tuple[Theme, ...] = ("dark", "light")
# wide screen, laptop, small laptop, tablet, phone
WINDOWS = ((1920, 1080), (1440, 1000), (1024, 768), (820, 1180), (390, 844))
USUAL = WINDOWS[1]
RULES = (Path(__file__).parent / "rules.js").read_text(encoding="utf-8")
KEPT = Path(__file__).parent / "kept"
# where pictures go, "" for none: `make looks` sets it
SHEETS = os.environ.get("COUNTERSCAN_LOOKS", "")
# a kept picture is this many pixels wide; grey values that two drawings of one page differ by, on average
SMALL, TOLERANCE = 360, 6.0
# milliseconds in which a page begins to settle in another window, and in which a busy machine has drawn all figures
SETTLES, SETTLED = 250, 10_000

# words of a report that lie over each other, or over a drawing
COVERED = """(() => {
  const box = (one) => one.getBoundingClientRect();
  const over = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
  const found = [];
  for (const drawing of document.querySelectorAll("figure.chart > svg")) {
    const words = [...drawing.querySelectorAll("text")];
    const beside = [...document.querySelectorAll(".plot-title, .key")];
    words.forEach((one, place) => words.slice(place + 1).forEach((other) => {
      if (over(box(one), box(other))) found.push([one.textContent, other.textContent]);
    }));
    beside.forEach((one) => { if (over(box(one), box(drawing))) found.push([one.textContent, "drawing"]); });
  }
  return found;
})()"""


def faults(page: Page, state: str, skip: str = "", ends: str = "") -> list[str]:
    """Return what is wrong with the page in any window, in one theme in all and in the other in the usual one.

    state: its name on the sheet; skip: a selector of what is not looked at; ends: of a list that may end above the
    window's end. The page is left in its usual window.
    """
    found: list[str] = []
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        for width, height in WINDOWS if theme == "dark" or SHEETS else (USUAL,):
            page.set_viewport_size({"width": width, "height": height})
            found += [f"{state}, {theme}, {width} px: {fault}" for fault in lasting(page, skip, ends)]
            if SHEETS:
                picture(page, f"{state}-{width}-{theme}")
        page.set_viewport_size({"width": USUAL[0], "height": USUAL[1]})
        # but for colours a page is the same in both
        rules = {} if theme == THEMES[0] else {"runOnly": ["color-contrast"]}
        found += [f"{state}, {theme}, axe: {line}" for line in violations(page, rules=rules)]
    page.emulate_media(color_scheme="dark")
    if SHEETS:
        with (Path(SHEETS) / "faults.txt").open("a", encoding="utf-8") as file:
            file.writelines(f"{fault}\n" for fault in found)
    return found


def lasting(page: Page, skip: str = "", ends: str = "") -> list[str]:
    """Return what is still wrong with the page when it has settled in a new window; skip, ends: as in ``faults``."""
    found: list[str] = []
    for _ in range(SETTLED // SETTLES):
        page.wait_for_timeout(SETTLES)
        found = seen(page, skip, ends)
        if not found:
            break
    return found


def seen(page: Page, skip: str = "", ends: str = "") -> list[str]:
    """Return what is wrong with the page in the window and the theme that it has; skip, ends: as in ``faults``."""
    return [str(fault) for fault in page.evaluate(RULES, {"skip": skip, "ends": ends})]


def violations(page: Page, part: str = "html", rules: Mapping[str, Any] | None = None) -> list[str]:
    """Return what axe-core finds in a part of the page, of every level; rules: its options, for less than all of it."""
    found = Axe().run(page, part, {"resultTypes": ["violations"], **(rules or {})}).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found]


def violations_of_views(page: Page, tabs: str) -> list[str]:
    """Return what axe-core finds in all views of ``tabs``, a selector, shown at once: each look reads the whole page.

    Every view must have been drawn.
    """
    shown = page.add_style_tag(content=f"{tabs} > [role=tabpanel] {{ display: block !important; }}")
    found = violations(page, tabs)
    shown.evaluate("(style) => style.remove()")
    return found


def picture(page: Page, name: str) -> None:
    """Keep a picture of the window for the sheet."""
    folder = Path(SHEETS)
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png")


def unlike(page: Page, name: str) -> float:
    """Return how far the window is from the kept picture ``name``, in mean grey values; without one it is kept now."""
    shot = Image.open(BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    small = shot.resize((SMALL, round(shot.height * SMALL / shot.width)), Image.Resampling.BOX)
    kept = KEPT / f"{name}.webp"
    if not kept.is_file():
        KEPT.mkdir(exist_ok=True)
        small.save(kept, quality=60, method=6)
    before = np.asarray(Image.open(kept).convert("RGB"), np.float32)
    now = np.asarray(small, np.float32)
    return float(np.abs(now - before).mean()) if now.shape == before.shape else 255.0


@contextmanager
def themed(page: Page, theme: Theme) -> Iterator[None]:
    """Look at the page in ``theme`` for a while."""
    page.emulate_media(color_scheme=theme)
    page.wait_for_timeout(SETTLES)
    yield
    page.emulate_media(color_scheme="dark")


def sheet(folder: Path) -> None:
    """Write one sheet a theme beside ``folder`` of the pictures in it: a row a state, a column a window."""
    columns, cell, gap, head = [width for width, _ in WINDOWS], 420, 12, 22
    for theme in THEMES:
        end = f"-{columns[0]}-{theme}"
        names = sorted(path.stem.removesuffix(end) for path in folder.glob(f"*{end}.png"))
        tall = cell + gap + head
        whole = Image.new("RGB", ((cell + gap) * len(columns), tall * max(1, len(names))), "#777777")
        draw = ImageDraw.Draw(whole)
        for row, name in enumerate(names):
            draw.text((4, row * tall + 4), name, fill="white")
            for column, width in enumerate(columns):
                path = folder / f"{name}-{width}-{theme}.png"
                if path.is_file():
                    image = Image.open(path)
                    image.thumbnail((cell, cell))
                    whole.paste(image, (column * (cell + gap), row * tall + head))
        whole.save(folder.parent / f"looks-{theme}.png")


if __name__ == "__main__":
    sheet(Path(SHEETS))
