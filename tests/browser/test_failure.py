"""The failure lab on the page: from simulated tissue or a file to a verdict, its views, and what is taken along."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from core.failure.model_input import GIVEN_MODEL
from core.failure.reading import READING
from tests.browser.conftest import STEP_MS, Desk, Server, Watch
from tests.browser.steps import open_tab, origin, start, take_off, unfold, upload
from tests.core.failure.data.core_set import write_cores
from tests.core.failure.made_up_patches import BANDS, patches
from tests.core.failure.models.model_files import write_onnx
from tests.looks.look import COVERED, faults, seen, violations, violations_of_views

# a whole run of the lab, on a busy machine
RUN_MS = 3 * STEP_MS
WINDOW: ViewportSize = {"width": 1440, "height": 1000}
TABS = ("One number", "Swap", "Bands", "Robustness", "Calibration", "Remedies", "Tissue", "Probes", "Limits")
# tables of remedies that are wider than their place
CUT = """[...document.querySelectorAll("#lab-remedies table, #lab-other-remedies table")]
.filter((table) => table.offsetWidth > table.closest(".cs-sortable").clientWidth).length"""
TWINS = (
    "bars", "leaks", "score", "history", "numbers", "swap", "pattern", "separation", "attribution", "robustness",
    "calibration", "abstention",
)  # fmt: skip


def wait_done(page: Page) -> None:
    """Wait until the run is over, and well."""
    expect(page.locator("#failure-outcome")).to_contain_text("Done", timeout=RUN_MS)


def fill(page: Page, label: str, value: str) -> None:
    """Write into a setting that is in sight."""
    page.locator("#cs-controls").get_by_label(label).locator("visible=true").fill(value)
    page.keyboard.press("Tab")


def few_epochs(page: Page) -> None:
    """Set two epochs of plain training alone, once."""
    unfold(page)
    page.locator("#cs-controls").get_by_role("checkbox", name="Instance norm", exact=True).uncheck()
    fill(page, "number input for Epochs", "2")
    fill(page, "number input for Seeds", "1")


def write_patches(path: Path, count: int) -> Path:
    """Write small patches of three classes, with pictures and groups of five."""
    given = patches(count, level=0.2, form=1.0)
    groups = np.arange(count) // 5
    np.savez(path, ir=given.ir, y=given.labels, wn=BANDS, group=groups, rgb=np.exp(-given.ir[:, :3]))
    return path


def write_answers(path: Path) -> Path:
    """Write the answers of a model that is right, and the mean spectra."""
    given = patches(120, level=0.4)
    spectra = given.ir.mean(axis=(2, 3))
    logits = 6 * np.eye(3)[given.labels] + np.random.default_rng(0).standard_normal((120, 3))
    np.savez(path, logits=logits, y=given.labels, spectra=spectra, wn=BANDS, group=np.arange(120) // 5)
    return path


def finish(page: Page, path: Path) -> None:
    """Train both sides on patches of a file for two epochs, and open the run by its address."""
    open_tab(page, "Failure lab")
    upload(page, "failure-data", write_patches(path, 400))
    few_epochs(page)
    start(page, "failure")
    wait_done(page)
    page.goto(page.url)
    page.locator("#lab-verdict .cs-verdict").first.wait_for()
    # a plot that is still being fetched is an empty box
    page.locator("#lab-bars-plot .js-plotly-plot").wait_for()


@pytest.fixture
def lab(desk: Desk, watch: Watch, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Page]:
    """The finished run of patches of a file, as the test before has left it."""
    with desk.page(request, watch, "lab", lambda page: finish(page, tmp_path / "patches.npz")) as page:
        page.set_viewport_size(WINDOW)
        yield page


@pytest.fixture
def judged(desk: Desk, watch: Watch, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Page]:
    """The finished run of the answers of a model, by the visitor who made that of ``lab``."""

    def judge(page: Page) -> None:
        if "lab" not in desk.stood:
            finish(page, tmp_path / "patches.npz")
        open_tab(page, "Failure lab")
        upload(page, "failure-data", write_answers(tmp_path / "${alert(1)} answers.npz"))
        start(page, "failure")
        wait_done(page)

    with desk.page(request, watch, "judged", judge) as page:
        page.set_viewport_size(WINDOW)
        yield page


def test_stop_ends_a_run_at_once(shared_page: Page) -> None:
    page = shared_page
    open_tab(page, "Failure lab")
    unfold(page)
    fill(page, "Patches", "80")
    expect(page.locator("#failure-run")).to_be_enabled()
    page.locator("#failure-run").click()
    expect(page.locator("#failure-progress")).to_contain_text(re.compile("loss"), timeout=RUN_MS)
    page.locator("#failure-cancel").click()
    # a run that goes on ends as done
    expect(page.locator("#failure-outcome")).to_contain_text("Cancelled")
    expect(page.locator("#failure-run")).to_be_enabled()


def test_the_demo_reaches_a_verdict(shared_page: Page) -> None:
    page = shared_page
    open_tab(page, "Failure lab")
    few_epochs(page)
    fill(page, "Patches", "80")
    stained = page.locator("#cs-controls").get_by_role("checkbox", name="RGB, stained")
    stained.uncheck()
    start(page, "failure")
    wait_done(page)
    for words in ("SIMULATED", "No verdict here says that a model is safe"):
        expect(page.locator("#lab-verdict")).to_contain_text(words)
    expect(page.locator("#lab-bars-plot .js-plotly-plot")).to_be_visible()
    stained.check()
    open_tab(page, "Sessions")
    expect(page.locator("#sessions")).to_contain_text("Simulated tissue: density")


def test_a_run_is_opened_by_its_address_with_a_verdict_on_each_side(lab: Page) -> None:
    expect(lab.get_by_role("tab", name="Failure lab")).to_have_attribute("aria-selected", "true")
    expect(lab.locator(".cs-viewer")).to_be_hidden()
    expect(lab.locator("#failure-data-facts")).to_contain_text("Patches of 6 × 6 pixels with stained pictures")
    cards = lab.locator("#lab-verdict .cs-verdict")
    # the data first: patches of known groups have their leakage at the head
    expect(cards).to_have_count(3)
    levels = {card.get_attribute("data-side"): card.get_attribute("data-level") for card in cards.all()}
    assert list(levels) == ["data", "rgb", "ir"]
    assert set(levels.values()) <= {"red", "amber", "none", "unlearnt"}
    expect(lab.locator("#lab-verdict")).to_contain_text("What was not tested")
    expect(lab.locator("#lab-verdict")).not_to_contain_text("SIMULATED")
    # what a split by spectrum would have promised
    assert lab.locator("[data-twin=leaks] tbody tr").count() >= 1


def test_every_view_is_drawn_and_has_its_table(lab: Page) -> None:
    assert faults(lab, "lab") == []
    for tab in TABS:
        lab.locator("#lab-tabs").get_by_role("tab", name=tab).click()
        lab.wait_for_timeout(700)
        # a view may be short: it holds what the run gave
        faulty = [one for one in seen(lab) if not one.endswith("empty region")]
        assert faulty == [], tab
    assert violations_of_views(lab, "#lab-tabs") == []
    for name in TWINS:
        twin = lab.locator(f"[data-twin={name}]")
        assert twin.locator("tbody tr").count() >= 1, name
    probes = lab.locator("#lab-probes")
    assert probes.locator(".cs-silent").count() >= 5
    assert probes.locator(".cs-decides").count() >= 5
    assert lab.locator("#lab-tissue img").count() >= 16


def test_plots_fill_their_place_after_the_tab_was_hidden(lab: Page) -> None:
    open_tab(lab, "Translate")
    expect(lab.locator(".cs-welcome >> visible=true")).to_have_count(1)
    lab.wait_for_url(lambda address: "job=" not in address)
    open_tab(lab, "Failure lab")
    lab.locator("#lab-tabs").get_by_role("tab", name="One number").click()
    plot = lab.locator("#lab-score-plot .js-plotly-plot .main-svg").first
    expect(plot).to_be_visible()
    lab.wait_for_timeout(700)
    place, box = lab.locator("#lab-score-plot").bounding_box(), plot.bounding_box()
    assert place and box
    assert box["width"] > 0.9 * place["width"]
    assert box["width"] <= place["width"] + 1
    lab.wait_for_url("**/?job=*")


def test_another_model_is_looked_at_and_remedies_are_sorted(lab: Page) -> None:
    lab.locator("#lab-tabs").get_by_role("tab", name="Robustness").click()
    expect(lab.locator("#lab-robustness-table")).to_contain_text("IR: Plain training")
    lab.get_by_label("Beside it").click()
    lab.get_by_role("option", name="None", exact=True).click()
    expect(lab.locator("#lab-robustness-table")).not_to_contain_text("RGB: Plain training")
    lab.locator("#lab-tabs").get_by_role("tab", name="Remedies").click()
    head = lab.locator("#lab-remedies th[scope=col]").nth(1)
    head.press("Enter")
    expect(head).to_have_attribute("aria-sort", "descending")
    values = [
        float(cell.get_attribute("data-value") or "nan") for cell in lab.locator("#lab-remedies td:nth-child(2)").all()
    ]
    assert values == sorted(values, reverse=True)


def test_the_report_opens_without_a_network(lab: Page, browser: Browser, tmp_path: Path) -> None:
    with lab.expect_download() as info:
        lab.locator("#lab-files a[data-artifact=report]").click()
    path = tmp_path / "lab.html"
    info.value.save_as(path)
    record = lab.request.get(f"{origin(lab)}{lab.locator('#lab-files a[data-artifact=results]').get_attribute('href')}")
    assert json.loads(record.body())["schema"] == "irrgb/1"
    table = lab.request.get(f"{origin(lab)}{lab.locator('#lab-files a[data-artifact=table]').get_attribute('href')}")
    assert table.body().startswith(b"method,")
    reader = browser.new_context(offline=True)
    offline = reader.new_page()
    asked: list[str] = []
    offline.on("request", lambda request: asked.append(request.url))
    offline.goto(path.as_uri())
    body = offline.locator("body")
    expect(body).to_contain_text("Research use only, not for diagnosis")
    for words in ("What to do next", "Confusion matrix", "patches.npz", "The same again:"):
        expect(body).to_contain_text(words)
    assert offline.locator("figure.chart > svg").count() >= 8
    # a legend or a title never lies over a drawing
    assert offline.evaluate(COVERED) == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    reader.close()


def test_a_run_is_listed_and_a_stranger_cannot_open_it(lab: Page, context: BrowserContext, server: Server) -> None:
    open_tab(lab, "Sessions")
    expect(lab.locator("#sessions")).to_contain_text("patches.npz")
    expect(lab.locator("#sessions")).to_contain_text("Failure lab: Data")
    report = lab.locator("#lab-files a[data-artifact=report]").get_attribute("href")
    # a visitor of the page, without a run of his own
    assert context.request.get(server.url).ok
    assert context.request.get(f"{server.url}{report}").status == 404
    assert lab.request.get(f"{server.url}{report}").status == 200


def test_answers_of_a_model_are_judged_without_training(judged: Page) -> None:
    expect(judged.locator("#failure-data-facts")).to_contain_text("Answers of a model")
    expect(judged.locator("#lab-verdict .cs-verdict")).to_have_count(1)
    expect(judged.locator("#lab-verdict")).to_contain_text("Answers of your model")
    expect(judged.locator("#lab-verdict")).not_to_contain_text("SIMULATED")


def test_an_earlier_run_is_shown_beside_this_one(judged: Page) -> None:
    judged.locator("#lab-tabs").get_by_role("tab", name="Verdict").click()
    expect(judged.locator("#lab-verdict .cs-verdict")).to_have_count(1)
    beside = judged.locator("#lab-other-verdict")
    expect(beside).to_be_hidden()
    judged.get_by_label("Compare with an earlier run").click()
    judged.get_by_role("option", name="patches.npz").click()
    expect(beside.locator(".cs-verdict")).to_have_count(3)
    expect(beside).to_contain_text("patches.npz")
    expect(judged.locator("#lab-other-bars-plot .js-plotly-plot")).to_be_visible()
    assert violations(judged) + seen(judged) == []
    judged.locator("#lab-tabs").get_by_role("tab", name="Remedies").click()
    expect(judged.locator("#lab-other-remedies")).to_contain_text("RGB: Plain training")
    assert judged.evaluate(CUT) == 0
    judged.locator("#lab-tabs").get_by_role("tab", name="Verdict").click()
    judged.get_by_label("Compare with an earlier run").click()
    judged.get_by_role("option", name="No other run").click()
    expect(beside).to_be_hidden()
    expect(judged.locator("#lab-verdict .cs-verdict")).to_have_count(1)
    judged.locator("#failure-data-remove").click()
    expect(judged.locator("#failure-data-facts .cs-file")).to_have_count(0)


def test_patches_and_an_envi_image_with_labels_are_read(shared_page: Page, tmp_path: Path) -> None:
    page = shared_page
    open_tab(page, "Failure lab")
    upload(page, "failure-data", write_patches(tmp_path / "patches.npz", 30))
    facts = page.locator("#failure-data-facts")
    expect(facts).to_contain_text("Patches of 6 × 6 pixels with stained pictures")
    expect(facts).to_contain_text("14, 950 to 1800 cm⁻¹")
    page.locator("#failure-data-remove").click()
    header, labels = write_envi(tmp_path)
    page.set_input_files("#failure-data-file input[type=file]", [header, header.with_suffix(".dat")])
    expect(facts).to_contain_text("An infrared image without labels")
    page.get_by_role("button", name="Labels of an infrared image").click()
    upload(page, "failure-labels", labels)
    expect(page.locator("#failure-labels-facts")).to_contain_text("Patches of 24 × 24 pixels")


def test_a_zip_of_cores_is_run_with_a_setting_of_how_it_is_read(shared_page: Page, tmp_path: Path) -> None:
    page = shared_page
    open_tab(page, "Failure lab")
    table = write_cores(tmp_path / "set", patients=4, cores=1, across=2)
    with zipfile.ZipFile(tmp_path / "tma.zip", "w") as archive:
        for path in table.parent.iterdir():
            archive.write(path, path.name)
    upload(page, "failure-data", tmp_path / "tma.zip")
    facts = page.locator("#failure-data-facts")
    expect(facts).to_contain_text("4 images with stained pictures", timeout=STEP_MS)
    expect(facts).to_contain_text("4 patients, 3 slides")
    few_epochs(page)
    page.get_by_role("button", name=READING).click()
    fill(page, "Side of a patch", "12")
    start(page, "failure")
    wait_done(page)
    expect(page.locator("#lab-verdict")).to_contain_text("RGB")
    expect(page.locator("#failure-outcome")).not_to_contain_text("random")


def test_a_model_trained_elsewhere_is_judged_and_its_results_open_again(shared_page: Page, tmp_path: Path) -> None:
    page = shared_page
    open_tab(page, "Failure lab")
    take_off(page, "failure-data")
    upload(page, "failure-data", write_patches(tmp_path / "patches.npz", 120))
    page.get_by_role("button", name=GIVEN_MODEL).click()
    weight = np.linspace(-1, 1, 3 * len(BANDS)).reshape(3, -1).astype(np.float32)
    upload(page, "failure-model", write_onnx(tmp_path / "elsewhere.onnx", weight))
    expect(page.locator("#failure-model-facts")).to_contain_text("A model, ONNX")
    start(page, "failure")
    wait_done(page)
    card = page.locator("#lab-verdict .cs-verdict[data-side=ir]")
    expect(card).to_have_count(1)
    level = card.get_attribute("data-level")
    assert violations(page, "#cs-controls") + seen(page) == []
    with page.expect_download() as info:
        page.locator("#lab-files a[data-artifact=results]").click()
    info.value.save_as(tmp_path / "results.json")
    take_off(page, "failure-data")
    page.locator("#failure-model-remove").click()
    expect(page.locator("#failure-model-facts .cs-file")).to_have_count(0)
    upload(page, "failure-data", tmp_path / "results.json")
    expect(page.locator("#failure-data-facts")).to_contain_text("Results of an earlier run")
    start(page, "failure")
    expect(page.locator("#failure-outcome")).to_contain_text("nothing was computed anew", timeout=RUN_MS)
    expect(card).to_have_attribute("data-level", str(level))
    take_off(page, "failure-data")


def test_what_is_no_spectrum_is_refused_in_words(shared_page: Page, tmp_path: Path) -> None:
    page = shared_page
    (tmp_path / "holiday.npz").write_bytes(b"PK\x03\x04 nothing")
    open_tab(page, "Failure lab")
    take_off(page, "failure-data")
    page.set_input_files("#failure-data-file input[type=file]", tmp_path / "holiday.npz")
    expect(page.locator("#failure-data-trouble [role=alert]")).to_contain_text(
        re.compile("cube_unreadable|import_failed")
    )


def write_envi(folder: Path) -> tuple[Path, Path]:
    """Write a 96 x 96 infrared image with a header that omits the byte order, and its labels of two classes."""
    rng = np.random.default_rng(0)
    labels = np.ones((96, 96), np.uint8)
    labels[:, 48:] = 2
    cube = (0.5 + 0.1 * labels[..., None] + 0.01 * rng.standard_normal((96, 96, 6))).astype("<f4")
    (folder / "map.dat").write_bytes(cube.transpose(2, 0, 1).tobytes())
    wavenumbers = ", ".join(str(number) for number in np.linspace(1000, 1700, 6))
    header = folder / "map.hdr"
    header.write_text(
        "ENVI\nsamples = 96\nlines = 96\nbands = 6\ndata type = 4\ninterleave = bsq\nheader offset = 0\n"
        f"wavelength units = cm-1\nwavelength = {{{wavenumbers}}}\n"
    )
    Image.fromarray(labels).save(folder / "labels.png")
    return header, folder / "labels.png"
