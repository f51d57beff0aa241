"""Several methods on one scan: ticked, run in one job, seen side by side."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Scans
from tests.browser.steps import (
    VIEWER,
    choose_method,
    choose_preset,
    download,
    load_mask,
    load_scan,
    open_tab,
    unfold,
    wait_for,
    wait_result,
)

PLOT = "#slices-plot .js-plotly-plot"


def tick(page: Page, *titles: str) -> None:
    """Open the comparison and tick ``titles`` alone."""
    page.get_by_role("button", name="Compare methods").locator("visible=true").click()
    boxes = page.locator("#beside label")
    expect(boxes.first).to_be_visible()
    for box in boxes.all():
        box.locator("input").set_checked(box.inner_text().strip() in titles)


def steps(page: Page) -> Locator:
    return page.get_by_role("spinbutton", name="Steps").locator("visible=true")


def test_ticked_methods_run_in_one_job_and_stand_side_by_side(shared_page: Page, scans: Scans) -> None:
    page = shared_page
    load_scan(page, scans.small[0])
    load_mask(page, scans.small[1])
    tick(page, "Shell mean")
    expect(page.locator("#comparison-note")).to_contain_text("Tick two or more")
    page.locator("#compare").click()
    expect(page.locator("#run-trouble .cs-problem")).to_contain_text("not_ready")
    titles = ["Slice by slice", "3D harmonic", "Shell mean"]
    for title in titles[:2]:
        page.locator("#beside label", has_text=title).locator("input").check()
    expect(page.locator("#comparison-note")).to_contain_text("This comparison: about")
    page.locator("#compare").click()
    page.wait_for_url("**/?job=*")
    wait_result(page)
    rows = page.locator("#results tbody tr")
    expect(rows).to_have_count(3)
    for row, title in zip(rows.all(), titles, strict=True):
        expect(row).to_contain_text(title)
    params = json.loads(download(page, "run"))["params"]
    assert (params["method"], params["beside"], params["compare"]) == ("slicewise", ["harmonic", "shell"], False)

    expect(page.locator("#slices")).to_contain_text("Slice consistency")
    drawn = page.locator(PLOT).evaluate("(plot) => plot.data.map((trace) => [trace.name, trace.y])")
    assert [name for name, _ in drawn] == ["X", "Y", "Z"]
    assert drawn[0][1] == titles

    # the comparison is open, with the scan beside the results, and every panel offers every result
    assert page.evaluate(f"{VIEWER}.compare.active") is True
    assert page.evaluate(f"{VIEWER}.panels.filter((panel) => panel.volumes.length).length") == 4
    pick = page.get_by_label("Image in panel 2", exact=True)
    offered = [one.strip() for one in pick.locator("option").all_text_contents()]
    assert set(titles) <= set(offered)
    pick.select_option("shell")
    expect(pick).to_have_value("shell")

    # Run takes no heed of the ticks, and its result opens as ever
    choose_preset(page, "Fast")
    page.locator("#run").click()
    wait_for(page, f"{VIEWER}.scene.results.length === 5")
    # those of the preset that was chosen a moment before, whatever the server had to do
    params = json.loads(download(page, "run"))["params"]
    assert (params["mode"], params["steps"]) == ("faithful", 1)
    assert page.evaluate(f"{VIEWER}.compare.active") is False

    # each of the two presets that are worth seeing beside each other is one click away, and then in the viewer's list
    for preset in ("balanced", "realistic"):
        page.locator(f"#also-{preset}").click()
        expect(page.locator(f"#also-{preset}")).to_be_hidden()
        wait_result(page)
    expect(page.locator("html")).not_to_have_attribute("data-old", "true")
    pick = page.get_by_label("Result to show", exact=True)
    assert pick.locator("option").all_inner_texts()[:2] == ["Realistic", "Faithful"]
    uncertainty = page.locator(".cs-panel[data-panel=uncertainty] h3")
    expect(uncertainty).to_have_text("Uncertainty: Realistic")
    pick.select_option(label="Faithful")
    expect(uncertainty).to_have_text("Uncertainty: Faithful")
    expect(page.locator("[id^=also-] >> visible=true")).to_have_count(0)


def test_another_method_has_its_own_number_of_steps(shared_page: Page) -> None:
    page = shared_page
    open_tab(page, "Inpaint")
    choose_preset(page, "Fast")
    unfold(page)
    expect(steps(page)).to_have_value("1")
    choose_method(page, "Slice by slice")
    expect(steps(page)).to_have_value("0")
    steps(page).fill("3")
    steps(page).press("Tab")
    choose_method(page, "Average of planes")
    page.wait_for_timeout(500)
    expect(steps(page)).to_have_value("3")
    choose_preset(page, "Best")
    expect(steps(page)).to_have_value("2")
    choose_method(page, "Hierarchical")
    expect(steps(page)).to_have_value("0")


@pytest.mark.parametrize("title", ["Inpaint", "Super-resolve", "Translate"])
def test_settings_of_the_papers_are_folded_apart(shared_page: Page, title: str) -> None:
    page = shared_page
    open_tab(page, title)
    unfold(page)
    papers = page.get_by_role("button", name="Settings of the papers' methods").locator("visible=true")
    expect(papers).to_have_count(1)
    shared = page.get_by_text("Shared noise", exact=True).locator("visible=true")
    expect(shared).to_have_count(0)
    papers.click()
    expect(shared).to_have_count(1)
