"""Every tab before anything is loaded: it fits its window, and shows what it is for."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.looks.look import THEMES, TOLERANCE, Theme, faults, themed, unlike

TABS = ("Inpaint", "Super-resolve", "Translate", "Failure lab", "Synthetic worth", "Batch", "Rate", "Sessions", "About")


def go(page: Page, tab: str) -> None:
    """Open a tab and wait until its pictures are there."""
    page.get_by_role("tab", name=tab, exact=True).first.click()
    page.locator("h2 >> visible=true").first.wait_for()
    page.wait_for_function("[...document.images].every((one) => !one.checkVisibility() || one.complete)")


@pytest.mark.parametrize("tab", TABS)
def test_an_empty_tab_looks_right(opened: Page, tab: str) -> None:
    go(opened, tab)
    assert faults(opened, f"empty-{tab}") == []


@pytest.mark.parametrize("tab", [tab for tab in TABS if tab != "About"])
def test_an_empty_tab_shows_what_it_is_for(opened: Page, tab: str) -> None:
    go(opened, tab)
    words = opened.locator(".cs-welcome >> visible=true")
    expect(words).to_have_count(1)
    expect(words.get_by_role("heading", level=2)).to_be_visible()
    assert words.locator("img").evaluate("(one) => one.naturalWidth") > 300
    expect(words.get_by_role("button")).to_be_enabled()
    expect(opened.locator(".cs-toolbar >> visible=true")).to_have_count(0)


@pytest.mark.parametrize("theme", THEMES)
def test_the_first_look_is_the_kept_one(opened: Page, theme: Theme) -> None:
    go(opened, "Inpaint")
    with themed(opened, theme):
        assert unlike(opened, f"inpaint-{theme}") < TOLERANCE


@pytest.mark.parametrize("size", [(1440, 1000), (1024, 768)])
def test_navigation_is_one_line_and_run_is_in_sight(opened: Page, size: tuple[int, int]) -> None:
    opened.set_viewport_size({"width": size[0], "height": size[1]})
    for tab in TABS[:4]:
        go(opened, tab)
        opened.evaluate("scrollTo(0, 0)")
        tops = opened.locator("#cs-tabs > .tab-wrapper [role=tab]").evaluate_all(
            "(all) => [...new Set(all.map((one) => Math.round(one.getBoundingClientRect().top)))]"
        )
        assert len(tops) == 1
        run = opened.locator(".cs-run >> visible=true")
        for part in (run, opened.locator(".cs-cancel >> visible=true")):
            box = part.bounding_box()
            assert box
            assert 0 <= box["y"] <= size[1] - box["height"]
        assert 380 <= (opened.locator(".cs-steps >> visible=true").bounding_box() or {"width": 0})["width"] <= 460


def test_on_a_tablet_steps_come_before_the_viewer(opened: Page) -> None:
    go(opened, "Inpaint")
    for width in (820, 390):
        opened.set_viewport_size({"width": width, "height": 1000})
        parts = (".tab-wrapper", ".cs-steps >> visible=true", ".cs-welcome >> visible=true")
        places = [opened.locator(one).first.bounding_box() for one in parts]
        tops = [place["y"] for place in places if place]
        assert len(tops) == 3
        assert tops == sorted(tops)
    opened.set_viewport_size({"width": 1440, "height": 1000})


def test_the_switch_of_themes_outlives_a_reload(opened: Page) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = opened.evaluate(ground)
    opened.get_by_role("button", name="Light", exact=True).click()
    light = opened.evaluate(ground)
    assert light != dark
    opened.reload()
    expect(opened.get_by_role("button", name="Light", exact=True)).to_have_attribute("aria-pressed", "true")
    assert opened.evaluate(ground) == light
    opened.get_by_role("button", name="Auto", exact=True).click()
    assert opened.evaluate(ground) == dark


# in the order in which a person meets them
AREAS = ("#cs-tabs > .tab-wrapper", ".cs-steps .cs-section:not(.cs-foot)", ".cs-foot", ".cs-welcome", "#cs-status")
FOCUSED = """(areas) => {
  const one = document.activeElement;
  return areas.findIndex((area) => one.closest(area));
}"""


def test_the_focus_goes_from_the_navigation_over_the_steps_to_the_words_and_the_colours(opened: Page) -> None:
    go(opened, "Failure lab")
    opened.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
    opened.locator(".cs-brand").click()
    met: list[int] = []
    for _ in range(40):
        opened.keyboard.press("Tab")
        area = opened.evaluate(FOCUSED, AREAS)
        if area < 0:
            break
        met.append(area)
    assert met == sorted(met)
    assert set(met) == set(range(len(AREAS)))
