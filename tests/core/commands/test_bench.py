from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from core.bench.subjects import STROKE
from core.bench.table import mark
from core.commands import bench as command
from core.contrasts import CONTRASTS
from core.declaration import Method
from core.errors import UserError
from core.train.heldout import TUMOUR
from tests.core.bench.scans import broken, write_contrasts, write_healthy


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_healthy(tmp_path)
    everything = {name: name for name in CONTRASTS}
    for seed, subject in enumerate((TUMOUR, "Brats18_A_1")):
        write_contrasts(tmp_path / "train" / "brats18" / subject, everything, seed)
    write_contrasts(tmp_path / "demo" / "stroke", STROKE, seed=9)
    return tmp_path


def call(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(command.app, [arguments[0], "--data", str(data), "--subjects", "1015", *arguments[1:]])


def test_inpaint_prints_the_table_and_writes_file_and_pictures(data: Path) -> None:
    report, pictures = data / "out" / "bench.json", data / "pictures"
    arguments = ["--methods", "shell,biharmonic", "--sizes", "40"]
    ran = call(data, "inpaint", *arguments, "--json", str(report), "--figures", str(pictures))
    assert ran.exit_code == 0, ran.output
    assert "Holes of 40 ml" in ran.stdout
    content = json.loads(report.read_text())
    assert {row["method"] for row in content["rows"]} == {"shell", "biharmonic"}
    assert {line["method"] for line in content["summary"]} == {"shell", "biharmonic"}
    (path,) = pictures.glob("*.png")
    with Image.open(path) as picture:
        assert picture.width == 4 * 300
        assert np.asarray(picture).std() > 10


def test_quality_measures_every_task_and_survives_without_weights(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load = Method.load
    monkeypatch.setattr(Method, "load", lambda self: broken if self.weights else load(self))
    page, report = data / "page.md", data / "bench.json"
    page.write_text("\n".join(mark("summary")))
    arguments = ["--json", str(report), "--markdown", str(page), "--cache", str(data / "cache")]
    ran = call(data, "quality", *arguments, "--methods", "volume,biharmonic,cubic,linear")
    assert ran.exit_code == 0, ran.output
    assert all(
        word in ran.stdout for word in ("Inpaint: Holes of 12 ml", "Super-resolution: 4 mm", "Translate: T1 to T2")
    )
    assert "volume: 1 of 1 failed: The weights are not here." in ran.stdout
    summary = json.loads(report.read_text())["summary"]
    assert {line["task"] for line in summary} == {"inpaint", "superres", "translate"}
    assert "| Translate: All directions | " in page.read_text()


def test_one_task_alone(data: Path) -> None:
    ran = call(data, "quality", "--task", "superres", "--methods", "linear")
    assert ran.exit_code == 0, ran.output
    assert "Super-resolution" in ran.stdout and "Inpaint" not in ran.stdout


def test_measured_images_are_written_for_a_reader_study(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load = Method.load
    monkeypatch.setattr(Method, "load", lambda self: broken if self.weights else load(self))
    out = data / "volumes"
    assert call(data, "quality", "--task", "inpaint", "--methods", "volume,shell", "--volumes", str(out)).exit_code == 0
    assert call(data, "quality", "--task", "superres", "--methods", "linear", "--volumes", str(out)).exit_code == 0
    assert {path.name for path in out.iterdir()} == {
        "truth", "regions", "shell", "linear", "linear-ibp10", "measures.json",
    }  # fmt: skip
    holes = {path.name for path in (out / "shell").iterdir()}
    assert holes == {path.name for path in (out / "regions").iterdir()}
    assert holes < {path.name for path in (out / "truth").iterdir()}
    measures = json.loads((out / "measures.json").read_text())
    assert set(measures) == {"shell", "linear", "linear-ibp10"}
    assert {f"{case}.nii.gz" for case in measures["shell"]} == holes


def test_a_method_that_no_task_has_is_said(data: Path) -> None:
    ran = call(data, "quality", "--methods", "linear,magic")
    assert isinstance(ran.exception, UserError) and "no method 'magic'" in str(ran.exception)


@pytest.mark.parametrize(
    "arguments", [("inpaint", "--sizes", "big"), ("quality", "--task", "sharpen"), ("quality", "--samples", "99")]
)
def test_wrong_options_are_refused(data: Path, arguments: tuple[str, ...]) -> None:
    assert call(data, *arguments).exit_code == 2
