"""The report of the failure lab: what is in it, that it needs nothing else, and that texts of a file stay texts."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from core.failure.results import Part, Results
from core.failure.results_json import to_json
from core.failure.task import TASK
from core.provenance import Identity, RunRecord
from core.report.lab.page import nameless_report, write_report
from core.result import NamedFile, Result, artifact_in
from tests.core.failure.data.test_earlier_run import write as write_earlier
from tests.core.failure.finished_run import results as finished
from tests.core.report.test_page import Page
from tests.webapp.pages.lab_results import HOSTILE, leak, model
from tests.webapp.pages.lab_results import results as made_up


def report(folder: Path, found: Results, inputs: dict[str, Path] | None = None) -> str:
    artifact = artifact_in(folder, "results", ".json")
    Path(artifact.path).write_text(to_json(found), encoding="utf-8")
    params = TASK.parse({"seed": 4, "remedies": ("erm", "full")})
    versions = {"counterscan": "0.1.0", "torch": "2.13.0"}
    result = Result((artifact,))
    record = RunRecord("failure", params, {}, {"results": Identity("c0ffee", 9)}, {}, "cpu", 1, versions, result)
    written = write_report(folder, TASK, inputs or {}, params, result, record)
    assert written == artifact_in(folder, "report", ".html")
    return Path(written.path).read_text(encoding="utf-8")


def of_file() -> Results:
    found = made_up()
    files = (NamedFile(f"core {HOSTILE}.hdr", 1234567, "ab" * 32),)
    parts = tuple(Part(name, kind, 20, 4) for name in ("train", "id") for kind in range(3))
    confusion: dict[str, tuple[tuple[int, ...], ...]] = {"id": ((8, 1, 1), (0, 10, 0), (0, 5, 5))}
    models = tuple(replace(each, confusion=confusion) for each in found.models)
    data = replace(found.data, source="file", files=files, parts=parts, groups=8)
    return replace(found, data=data, models=models, leakage=(leak(),))


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("report")
    (folder / "cores.hdr").write_text("ENVI")
    return report(folder, of_file(), {"data": folder / "cores.hdr"})


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_a_reviewer_finds_everything(page: Page, html: str) -> None:
    heads = re.findall(r"<h2[^>]*>([^<]*)</h2>", html)
    assert len(heads) == len(set(heads))
    assert {"Verdict", "What to do next", "Data", "Accuracy", "Confusion matrix", "Training", "Recipes"} <= set(heads)
    text = page.text
    for words in (
        "ab" * 32, "1,234,567", "20 (4)", "IR: Red", "It follows the swap.", "New patients.", "0.97 (0.94 to 0.99)",
        "Split by patient", "counterscan 0.1.0, torch 2.13.0", "c0ffee", "--remedies erm,full", "--seed 4",
        "Convolutional", "0, 1", "No number here is theirs.", "Oh JH",
    ):  # fmt: skip
        assert words in text, words
    assert re.search(r"20\d\d-\d\d-\d\d \d\d:\d\d UTC", text)
    assert "50 %" in text and "SIMULATED" not in text


def test_it_needs_nothing_else_and_texts_stay_texts(page: Page, html: str) -> None:
    assert HOSTILE not in html
    assert not [name for name, attributes in page.tags if "onerror" in attributes or name in ("script", "link")]
    sources = [str(attributes["src"]) for name, attributes in page.tags if name == "img"]
    assert sources and all(source.startswith("data:image/png;base64,") for source in sources)
    assert "http" not in "".join(re.findall(r"url\\(([^)]*)\\)", html))
    assert len(html) < 2_000_000
    assert "nan" not in re.findall(r'(?:points|cx|cy|x|y|x1|y1|d)="[^"]*"', html).__repr__()


def test_legends_stand_beside_the_drawings(page: Page) -> None:
    drawn = [attributes.get("aria-label") for name, attributes in page.tags if name == "svg"]
    assert "Accuracy of every recipe" in drawn and "Mean spectrum of each class" in drawn
    keys = [attributes for name, attributes in page.tags if attributes.get("class") == "key"]
    assert len(keys) >= 4


def test_a_run_of_networks_is_drawn_whole(tmp_path: Path) -> None:
    text = Page(report(tmp_path, finished())).text
    assert "SIMULATED" in text and "Loss of training" in text and "IR: Instance norm" in text


def test_an_earlier_run_keeps_its_date_and_says_that_nothing_was_computed(tmp_path: Path) -> None:
    folder = write_earlier(tmp_path / "out", of_file())
    text = Page(report(tmp_path, of_file(), {"data": folder})).text
    assert "2026-05-04T10:00:00" in text and "nothing was computed anew" in text
    assert "counterscan run" not in text
    (folder / "run.json").unlink()
    assert "Its run record is not beside it" in Page(report(tmp_path, of_file(), {"data": folder})).text


def test_strangers_see_no_name_of_a_file() -> None:
    text = Page(nameless_report(TASK, of_file(), "2026-05-04 10:00 UTC")).text
    assert "File 1" in text and "ab" * 32 in text and "2026-05-04 10:00 UTC" in text
    assert ".hdr" not in text and "counterscan run" not in text


def test_raman_spectra_are_called_so(tmp_path: Path) -> None:
    found = of_file()
    text = Page(report(tmp_path, replace(found, data=replace(found.data, technique="raman")))).text
    assert "Raman shift, cm⁻¹" in text and "absorbance" not in text


def test_what_was_not_measured_is_a_dash(tmp_path: Path) -> None:
    bare = replace(model("given", "Your model", "ir"), losses=(), corruptions=(), attributions=(), calibration=())
    found = replace(of_file(), models=(bare,), verdicts={"ir": of_file().verdicts["ir"]}, gallery=(), paired=())
    text = Page(report(tmp_path, found)).text
    assert "Your model" in text and "Loss of training" not in text
