from __future__ import annotations

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.declaration import Param
from core.files.nifti import Stored, write_stored
from core.report.page import command, write_report
from core.result import Artifact, Finding, Note, Result, Row
from core.tasks import TASKS
from tests.core.report.scans import AFFINE, Job, inpaint_job

ADDRESSES = ("src", "href", "srcset", "data", "action", "poster", "background")


class Page(HTMLParser):
    """Tags in order, the words between them, and that every tag is closed."""

    VOID = frozenset({"meta", "img", "br", "link", "hr", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def write(job: Job) -> str:
    artifact = write_report(job.out, job.task, job.inputs, job.params, job.result, job.record)
    path = job.out / "report.html"
    assert artifact == Artifact("report", str(path))
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write(inpaint_job(tmp_path_factory.mktemp("job")))


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def pictures(page: Page) -> dict[str, Image.Image]:
    found: dict[str, Image.Image] = {}
    for tag, attributes in page.tags:
        if tag == "img":
            kind, _, data = str(attributes["src"]).partition(",")
            assert kind == "data:image/webp;base64"
            image = Image.open(BytesIO(base64.b64decode(data)))
            assert image.size == (int(str(attributes["width"])), int(str(attributes["height"])))
            found[str(attributes["alt"]).partition(":")[0] + f" {len(found)}"] = image
    return found


def test_nothing_is_asked_of_the_net_and_nothing_runs(html: str, page: Page) -> None:
    assert html.startswith("<!doctype html>")
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "iframe", "object", "embed", "form", "base")
        assert not any(name.startswith("on") for name in attributes)
        for name in ADDRESSES:
            if tag != "a" and attributes.get(name):
                assert str(attributes[name]).startswith("data:image/")
    assert "@import" not in html and "url(" not in html
    policy = next(attributes["content"] for tag, attributes in page.tags if "http-equiv" in attributes)
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_the_page_says_what_it_is_and_what_was_done(page: Page) -> None:
    for said in (
        "Synthetic. Research use only, not for diagnosis.",
        "Given: T1 scan, Lesion mask. Method: Counterscan network; beside it, for comparison: Shell mean.",
        "The mask touches the border.",
        "Taken as skull-stripped",
        "Mask 27.9 ml Sources t1, t2",
        "the patient's right (R) is on the left",
        "Grow mask 0 mm Widens the mask by a ball, within the head.",
        "Samples 8",
        "Counterscan network 1.02 0.90 · – · 1.10 4 Shell mean 3.40 – 0",
        "Ho J, Jain A, Abbeel P. Denoising diffusion probabilistic models.",
        "cdcdcdcdcdcdcdcd",
        "OpenNeuro ds002748",
        "Apache-2.0",
        "On cpu with 2 threads, seed 7",
        "ab" * 32,
    ):
        assert said in page.text, said


def test_neither_the_names_of_files_nor_the_time_are_in_it(html: str, page: Page, tmp_path: Path) -> None:
    assert "Jane" not in html and "/tmp" not in html
    assert "71.25" not in html and "71.75" not in html
    again = write(inpaint_job(tmp_path))
    assert again == html


def test_every_volume_is_shown_and_what_was_computed_is_marked(page: Page) -> None:
    shown = pictures(page)
    names = [name.rpartition(" ")[0] for name in shown]
    assert names == [
        "Input", "Result", "Input", "Result", "Plain method", "Uncertainty", "Difference",
    ]  # fmt: skip
    images = {name: np.asarray(image.convert("RGB")).astype(int) for name, image in shown.items()}
    # the corner where the mark stands is dark in the input
    corner = {name: np.abs(image[-20:, 4:70] - np.median(image[-3:, :3])).max() for name, image in images.items()}
    assert corner["Input 0"] < 60 < 100 < min(corner["Result 1"], corner["Plain method 4"])
    whole, close = images["Result 1"], images["Result 3"]
    assert whole.shape[1] > 900 and 400 < close.shape[1] < 900
    colour = {name: np.ptp(image, axis=2).max() for name, image in images.items()}
    assert max(colour["Result 1"], colour["Plain method 4"]) < 20
    assert min(colour["Input 0"], colour["Uncertainty 5"], colour["Difference 6"]) > 80


def test_a_map_of_zeros_is_left_out(tmp_path: Path) -> None:
    job = inpaint_job(tmp_path)
    write_stored(tmp_path / "uncertainty.nii.gz", Stored(np.zeros((72, 70, 80), np.float32), AFFINE))
    names = [name.rpartition(" ")[0] for name in pictures(Page(write(job)))]
    assert names == ["Input", "Result", "Input", "Result", "Plain method", "Difference"]


def test_what_comes_from_outside_is_escaped(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>\"'&"
    job = inpaint_job(
        tmp_path,
        notes=(Note("info", evil), Note("warning", evil)),
        findings=(Finding("evil", evil, 3), Finding("text", "Text", evil, evil)),
        table=(Row("volume", evil, {"calls": 1}),),
    )
    html = write(job)
    assert "<script" not in html
    assert Page(html).text.count("<script>alert(1)</script>") >= 6


def test_a_task_without_pictures_or_table_has_a_report_too(tmp_path: Path) -> None:
    job = inpaint_job(tmp_path)
    task = replace(job.task, outputs=(), measures=(), name="lab")
    job = replace(job, task=task, result=Result(), record=replace(job.record, weights={}, outputs={}))
    page = Page(write(job))
    assert not pictures(page)
    assert "Settings" in page.text and "Measures" not in page.text


@pytest.mark.parametrize("task", TASKS)
def test_the_command_names_every_setting_that_was_chosen(task: Any) -> None:
    params = task.parse({})
    line = command(task, {entry.name: "x" for entry in task.required}, params, "cuda:0")
    assert line.startswith(f"counterscan run {task.name}")
    assert re.findall(r"--(\S+) \S+\.nii\.gz", line) == [entry.name for entry in task.required]
    for param in task.params:
        left_out = params[param.name] in ((), "")
        assert bool(re.search(rf"--(no-)?{param.option}( |$)", line, re.MULTILINE)) is not left_out
    assert "--device cuda:0" in line and line.endswith("--out OUT")


def test_the_command_writes_axes_and_switches_as_the_command_line_reads_them(tmp_path: Path) -> None:
    job = inpaint_job(tmp_path)
    sizes = Param("spacing", "axes", (), "Spacing", "Of the result.", low=0, high=9, unit="mm")
    task = replace(job.task, params=(*job.task.params, sizes))
    line = command(task, {}, {**job.params, "compare": False, "spacing": (1.0, 0.5, 2.0)}, "cpu")
    assert "--no-compare" in line and "--spacing 1 0.5 2" in line and "--t1" not in line
