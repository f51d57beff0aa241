"""The viewer alone: one scene per task, the comparison, and what happens when a volume cannot be had."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.conftest import COARSE, Desk, Watch, new_context
from tests.browser.scenes import FINE_SHAPE, THICK, Heads, make_heads
from tests.browser.stage import LIBRARY, Show, Site, serve

SIZE: ViewportSize = {"width": 1100, "height": 800}
ALL = ("input", "result", "difference", "uncertainty")
COUNT_CONTEXTS = """() => { globalThis.made = 0; const get = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
    if (kind === "webgl2" && !this.counted) { this.counted = true; made++; }
    return get.call(this, kind, ...more); }; }"""
VOLUMES = "viewer.panels.map((panel) => panel.volumes.length)"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server of a few files."""
    if not LIBRARY.is_file():
        pytest.skip("no viewer library: make installs it")
    with serve(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture(scope="module")
def heads(site: Site) -> Heads:
    """Volumes of all three tasks."""
    return make_heads(site)


@pytest.fixture
def watch(site: Site) -> Iterator[Watch]:
    """Checks after each test that no page asked another host, logged an error or opened a dialog."""
    seen = Watch()
    yield seen
    assert [one for one in seen.addresses if not one.startswith((site.url, "data:", "blob:"))] == []
    assert seen.faults == []


def mount(page: Page, site: Site) -> None:
    """Open the page and wait until the viewer is mounted."""
    page.goto(site.url)
    page.locator("body[data-mounted=true]").wait_for()


@pytest.fixture
def fresh_show(browser: Browser, site: Site, watch: Watch) -> Iterator[Show]:
    """The page in a browser of its own."""
    context = new_context(browser, viewport=SIZE)
    page = context.new_page()
    watch.follow(page)
    mount(page, site)
    yield Show(page)
    context.close()


@pytest.fixture(scope="module")
def stand(browser: Browser, site: Site) -> Iterator[Desk]:
    """The page that most tests here share: what is drawn with is made once."""
    made = Desk(lambda: new_context(browser, viewport=SIZE), lambda page: mount(page, site))
    yield made
    made.close()


@pytest.fixture
def show(stand: Desk, watch: Watch, request: pytest.FixtureRequest) -> Iterator[Show]:
    """The page with the viewer, emptied."""
    with stand.page(request, watch) as page:
        page.set_viewport_size(SIZE)
        shown = Show(page)
        shown.scene()
        yield shown


def test_a_scan_alone_can_be_drawn_on_and_results_fill_the_panels(show: Show, heads: Heads) -> None:
    show.scene(scan=heads.inpaint["scan"], mask=None, results=[], uncertainty=None, uncertain="", job="", drawable=True)
    assert show.titles() == ["Input and mask"]
    expect(show.page.get_by_role("button", name="Draw or edit the mask")).to_be_enabled()
    expect(show.page.get_by_role("button", name="Compare images")).to_be_disabled()
    show.scene(**heads.inpaint)
    assert show.titles() == ["Input and mask", "Result", "Difference from the input", "Uncertainty: Network"]
    assert show.ask(VOLUMES) == [2, 1, 2, 2]
    assert show.window("input") == show.window("result") == show.window("difference")
    assert show.ask("viewer.difference.volumes[0] === viewer.input.volumes[0]")
    # the lesion of 250 became 650, then 100; noise is not part of the fill
    assert show.ask("viewer.difference.volumes[1].cal_max") == pytest.approx(400, abs=40)
    assert show.coloured("difference")[0] > 20
    assert show.coloured("difference")[1] == 0
    show.pick("Result to show", "darker")
    assert show.ask("viewer.difference.volumes[1].cal_max") == pytest.approx(150, abs=40)
    assert show.coloured("difference")[1] > 20
    assert show.places()[1:] == [pytest.approx(show.places()[0], abs=1e-6)] * 3
    show.scene(scan=None, drawable=True)
    assert show.titles() == ["Input and mask"]
    assert show.ask(VOLUMES) == [0, 0, 0, 0]


def test_a_map_on_another_grid_is_never_computed(show: Show, heads: Heads) -> None:
    other = {"id": "short", "title": "Coarse", "url": "/vol/short.nii.gz"}
    show.scene(task="superres", inputs=heads.superres["inputs"], results=[other])
    expect(show.panel("difference").locator(".cs-placeholder")).to_contain_text("Thick slices is on another grid")
    assert show.ask("viewer.difference.volumes.length") == 0


def test_grids_of_other_slices_and_angles_share_one_place_in_space(show: Show, heads: Heads) -> None:
    show.scene(**heads.superres | {"reference": {"id": "turned", "title": "Turned", "url": "/vol/turned.nii.gz"}})
    expect(show.page.get_by_role("button", name="Draw or edit the mask")).to_be_hidden()
    for grid in ("low", "turned"):
        show.pick("Input to show", grid)
        for panel, x, y in (("input", 0.25, 0.45), ("result", 0.22, 0.42), ("difference", 0.3, 0.55)):
            show.click(panel, x, y)
            first, *others = show.places()
            mm = heads.millimetres(grid, first)
            assert np.ptp(first) > 0.02
            for other in others:
                np.testing.assert_allclose(heads.millimetres("fine", other), mm, atol=4.0 * 1e-3)


def test_the_server_s_difference_lies_on_the_result_and_reads_its_own_values(show: Show, heads: Heads) -> None:
    show.scene(**heads.superres)
    assert show.ask("viewer.difference.volumes[0] === viewer.result.volumes[0]")
    assert show.ask("viewer.difference.volumes[0].hdr.dims[3]") == FINE_SHAPE[2]
    assert show.ask("viewer.input.volumes[0].hdr.dims[3]") == FINE_SHAPE[2] // THICK
    red, blue = show.coloured("difference")
    assert min(red, blue) > 20
    reach = np.abs(heads.change).max()
    assert 0.3 * reach < show.ask("viewer.difference.volumes[1].cal_max") <= reach
    show.click("result", 0.22, 0.3)
    voxel = np.round(np.array(show.places()[2]) * FINE_SHAPE - 0.5).astype(int)
    shown = show.panel("difference").locator(".cs-readout strong").inner_text().replace("\u2212", "-")
    assert float(shown) == pytest.approx(float(heads.change[tuple(voxel)]), rel=1e-3, abs=1e-3)
    show.pick("Map to show", "error")
    assert show.titles()[2] == "Error against the reference"
    assert show.coloured("difference")[0] == 0
    show.pick("Result to show", "linear")
    show.pick("Map to show", "difference")
    expect(show.panel("difference").locator(".cs-placeholder")).to_contain_text("choose it to see them")


def test_contrasts_keep_their_own_windows(show: Show, heads: Heads) -> None:
    show.scene(**heads.translate)
    assert show.titles() == ["Input", "Result", "Error against the reference", "Uncertainty"]
    t1, flair = show.window("input"), show.window("result")
    assert t1[1] > 500 > 150 > flair[1]
    assert show.window("difference") == flair
    show.pick("Input to show", "t2")
    t2 = show.window("input")
    assert t2[1] < 10
    low, high = show.page.get_by_label("Window from"), show.page.get_by_label("Window to")
    show.panel("result").locator("canvas").focus()
    assert float(high.input_value()) == pytest.approx(flair[1], rel=1e-3)
    expect(show.page.locator(".cs-whose")).to_have_text("Network")
    low.fill("30")
    high.fill("90")
    high.press("Enter")
    assert show.window("result") == show.window("difference") == [30, 90]
    assert show.window("input") == t2
    show.pick("Input to show", "truth")
    assert show.window("input") == [30, 90]
    show.pick("Intensity window", "auto")
    assert show.window("result") == show.window("input") != [30, 90]
    show.pick("Result to show", "t2-copy")
    expect(show.panel("difference").locator(".cs-placeholder")).to_contain_text("choose it to see them")


def test_without_the_true_target_the_panel_says_why_nothing_is_subtracted(show: Show, heads: Heads) -> None:
    show.scene(**heads.translate | {"reference": None, "error": None, "results": heads.translate["results"][:1]})
    expect(show.panel("difference").locator(".cs-placeholder")).to_contain_text("different units")


def test_four_images_are_compared_by_keyboard_and_left_again(show: Show, heads: Heads) -> None:
    others = [{"id": "old", "title": "Yesterday", "url": "/vol/linear.nii.gz", "group": "Earlier runs"}]
    show.scene(**heads.superres, others=others)
    show.pick("Input to show", "t2")
    show.click("result", 0.25, 0.3)
    before = heads.millimetres("fine", show.places()[1])
    compare = show.page.get_by_role("button", name="Compare images")
    compare.focus()
    show.page.keyboard.press("Enter")
    show.settle()
    expect(compare).to_have_attribute("aria-pressed", "true")
    assert show.titles() == ["Truth", "Network", "Linear", "Thick slices"]
    assert len({tuple(show.window(one)) for one in ALL}) == 1
    np.testing.assert_allclose(heads.millimetres("low", show.places()[3]), before, atol=4e-3)
    lists = [show.page.get_by_label(f"Image in panel {i}", exact=True) for i in (1, 2, 3, 4)]
    assert lists[3].locator("optgroup").evaluate_all("(all) => all.map((one) => one.label)") == [
        "Inputs", "Reference", "Results", "Earlier runs"]  # fmt: skip
    lists[3].focus()
    show.page.keyboard.press("End")
    show.settle()
    assert show.titles()[3] == "Yesterday"
    badges = [show.panel(one).locator(".cs-badge").is_visible() for one in ALL]
    assert badges == [False, True, True, True]
    show.click("uncertainty", 0.3, 0.6)
    assert show.places()[1:] == [pytest.approx(show.places()[0], abs=1e-6)] * 3
    compare.press("Enter")
    show.settle()
    assert show.titles() == ["Input", "Result", "Result minus linear interpolation", "Uncertainty: Network"]
    expect(show.page.get_by_label("Input to show")).to_have_value("t2")


def test_a_scene_can_ask_for_a_comparison_once(show: Show, heads: Heads) -> None:
    wanted = heads.inpaint["results"]
    show.scene(**heads.inpaint, compare=wanted)
    assert show.titles() == ["Network", "3D harmonic"]
    show.page.get_by_role("button", name="Compare images").click()
    show.settle()
    show.scene(**heads.inpaint, compare=wanted)
    assert len(show.titles()) == 4
    show.scene(**heads.inpaint, compare=wanted[::-1])
    assert show.titles() == ["3D harmonic", "Network"]
    show.scene(**heads.inpaint)
    assert show.titles()[0] == "Input and mask"


def test_drawing_takes_the_scan_and_leaves_the_comparison(show: Show, heads: Heads) -> None:
    show.scene(**heads.inpaint | {"reference": {"id": "ref", "title": "Healthy", "url": "/vol/filled.nii.gz"}})
    show.pick("Input to show", "ref")
    assert show.ask("viewer.input.volumes.length") == 1
    show.page.get_by_role("button", name="Compare images").click()
    show.settle()
    show.ask("viewer.startDrawing()")
    show.settle()
    assert show.ask("viewer.input.nv.drawBitmap.some(Boolean)")
    assert len(show.titles()) == show.ask("viewer.input.volumes.length") == 1
    assert show.ask("viewer.input.volumes[0].hdr.datatypeCode") == 4
    show.page.get_by_role("button", name="Leave drawing").click()
    show.settle()
    assert show.ask(VOLUMES) == [2, 1, 2, 2]


def test_a_volume_that_is_gone_leaves_the_others(show: Show, heads: Heads, site: Site, watch: Watch) -> None:
    (site.folder / "noise.nii.gz").write_bytes(b"\x1f\x8b" + bytes(range(200)))
    broken = heads.inpaint | {"uncertainty": "/vol/gone.nii.gz", "mask": {"id": "m", "url": "/vol/gone.nii.gz"}}
    show.scene(**broken)
    assert show.ask(VOLUMES) == [1, 1, 2, 0]
    text = show.panel("uncertainty").locator(".cs-placeholder").inner_text()
    assert (
        text == "The uncertainty could not be shown. It is no longer on the server. Load the scan or run the job again."
    )
    expect(show.page.locator(".cs-status")).to_contain_text("The mask could not be shown.")
    show.scene(**heads.inpaint | {"scan": {"id": "x", "url": "/vol/noise.nii.gz"}})
    assert show.ask(VOLUMES) == [0, 1, 0, 2]
    expect(show.panel("input").locator(".cs-placeholder")).to_contain_text("could not be read as a volume")
    show.scene(**heads.inpaint)
    assert show.ask(VOLUMES) == [2, 1, 2, 2]
    # browser and library note what they could not get or read
    watch.faults.clear()


def test_the_invitation_is_the_task_s(show: Show) -> None:
    show.scene(inputs=[], invite="Drop T1, T1ce, T2 or FLAIR here.")
    expect(show.panel("input").locator(".cs-placeholder")).to_have_text("Drop T1, T1ce, T2 or FLAIR here.")
    show.scene()
    expect(show.panel("input").locator(".cs-placeholder")).to_have_text("Drop a scan here or in step 1.")


def test_many_scenes_keep_four_contexts_and_forget_old_volumes(fresh_show: Show, heads: Heads) -> None:
    show = fresh_show
    show.ask(COUNT_CONTEXTS)
    for scene in (heads.inpaint, heads.superres, heads.translate) * 2:
        show.scene(**scene)
    assert show.ask("made") == 4
    kept = show.ask("[...viewer.volumes.cache.keys()]")
    assert not [key for key in kept if "low" in key or "mask" in key]
    show.scene(scan=heads.inpaint["scan"])
    assert show.ask("[...viewer.volumes.cache.keys()]") == ["anatomy /vol/t1.nii.gz"]


def test_every_mode_fits_and_axe_is_content(show: Show, heads: Heads) -> None:
    for scene in (
        heads.inpaint,
        heads.superres,
        heads.translate,
        heads.superres | {"compare": heads.superres["results"]},
    ):
        show.scene(**scene)
        for width in (420, 1100, 1600):
            show.page.set_viewport_size({"width": width, "height": 950})
            show.settle()
            assert show.ask("document.documentElement.scrollWidth <= innerWidth")
            assert show.violations() == []
            with show.page.expect_download() as shot:
                show.page.get_by_label("Save a picture or copy a link").select_option("panels")
            with Image.open(shot.value.path()) as picture:
                assert picture.size[0] > COARSE * width / 2
