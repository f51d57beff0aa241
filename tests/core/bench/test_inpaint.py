from __future__ import annotations

import json
import math
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from typer.testing import CliRunner

from core.bench import command, inpaint
from core.errors import UserError
from core.events import Progress
from core.files.nifti import write_volume
from core.methods import Method, find
from core.methods.base import Fill, Options, Problem
from core.volume import Volume

SIDE = 28
SPACING = 6.0


def write_subject(data: Path, subject: str = "1015") -> None:
    """A ball of brain with a grey rim, wavy tissue borders, and its tissue map."""
    x, y, z = np.ogrid[:SIDE, :SIDE, :SIDE]
    radius = np.sqrt((x - 13.5) ** 2 + (y - 13.5) ** 2 + (z - 13.5) ** 2)
    wave = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((SIDE,) * 3), 1.5)
    depth = radius + 8 * wave / wave.std() * 0.15
    tissues = np.select([radius > 12, depth < 3, depth < 8.5], [0.0, 1.0, 3.0], 2.0).astype(np.float32)
    t1 = np.choose(tissues.astype(int), [0.0, 40.0, 110.0, 180.0])
    t1 = np.where(tissues > 0, t1 + np.random.default_rng(1).normal(0, 3, t1.shape), 0)
    folder = data / "train" / "malf_nc"
    folder.mkdir(parents=True, exist_ok=True)
    affine = np.diag([SPACING] * 3 + [1.0])
    write_volume(folder / f"{subject}_t1.nii.gz", Volume(t1.astype(np.float32), affine))
    write_volume(folder / f"{subject}_tissues.nii.gz", Volume(tissues, affine))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_subject(tmp_path)
    return tmp_path


def broken(problem: Problem, options: Options) -> Generator[Progress, None, Fill]:
    yield Progress(0.0, 0, 1, "about to fail")
    raise UserError("weights_missing", "The weights are not here.", "Fetch them.")


def a_case(data: Path, size: float = 40.0) -> inpaint.Case:
    return next(inpaint.cases(data, [size], 1, ["1015"]))


def test_rows_for_every_subject_size_and_method(data: Path) -> None:
    write_subject(data, "1036")
    lines: list[str] = []
    rows = inpaint.bench_inpaint(
        data, ["shell", "harmonic"], [20.0, 60.0], per_subject=2, subjects=["1015", "1036"], report=lines.append
    )
    assert len(rows) == len(lines) == 2 * 2 * 2 * 2
    assert {(row.subject, row.size_ml, row.index) for row in rows if row.method == "shell"} == {
        (subject, size, index) for subject in ("1015", "1036") for size, index in ((20, 0), (60, 1), (20, 2), (60, 3))
    }
    overlaps = [row.scores["grey_dice"] for row in rows if not math.isnan(row.scores["grey_dice"])]
    assert overlaps and all(0 <= overlap <= 1 for overlap in overlaps)
    assert all(row.calls == 0 and row.seconds > 0 for row in rows)


def test_the_case_hides_the_truth(data: Path) -> None:
    case = a_case(data)
    assert not case.problem.image[case.problem.mask].any()
    assert case.truth[case.problem.mask].any()
    assert np.array_equal(case.problem.image[~case.problem.mask], case.truth[~case.problem.mask])
    assert case.name == "1015-40ml-0"


def test_the_truth_is_perfect(data: Path) -> None:
    case = a_case(data)
    scores = inpaint.scores(case, case.truth)
    assert math.isinf(scores["psnr"])
    assert scores["ssim"] == pytest.approx(1)
    assert scores["mae"] == 0
    assert scores["grey_dice"] > 0.98
    assert [scores[name] for name in ("x", "y", "z", "texture")] == [1, 1, 1, 1]


def test_grey_matter_overlap_by_hand() -> None:
    tissues = np.array([[[1, 2, 3, 2, 2, 3]]], np.float32)
    truth = np.array([[[10, 50, 90, 50, 50, 90]]], np.float32)
    mask = np.array([[[False, False, False, True, True, True]]])
    result = np.array([[[10, 50, 90, 55, 80, 60]]], np.float32)
    assert inpaint.grey_dice(truth, tissues, truth, mask) == 1.0
    assert inpaint.grey_dice(result, tissues, truth, mask) == pytest.approx(0.5)


def test_a_method_that_fails_is_a_row_and_the_others_go_on(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Method, "load", lambda self: broken)
    row, result = inpaint.measure(a_case(data), find("shell"), Options())
    assert result is None
    assert "weights are not here" in row.error
    assert row.scores == {}


def test_unknown_names_are_said(data: Path) -> None:
    with pytest.raises(UserError, match="no method 'magic'"):
        inpaint.bench_inpaint(data, ["magic"])
    with pytest.raises(UserError, match="9999"):
        inpaint.bench_inpaint(data, ["shell"], subjects=["1015", "9999"])


def test_command_prints_the_table_and_writes_file_and_pictures(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        inpaint.bench_inpaint,
        "__defaults__",
        tuple(
            ("1015",) if value == inpaint.VALIDATION else value for value in inpaint.bench_inpaint.__defaults__ or ()
        ),
    )
    report, pictures = data / "out" / "bench.json", data / "pictures"
    arguments = ["inpaint", "--data", str(data), "--methods", "shell,biharmonic", "--sizes", "40"]
    ran = CliRunner().invoke(command.app, [*arguments, "--json", str(report), "--figures", str(pictures)])
    assert ran.exit_code == 0, ran.output
    assert "Holes of 40 ml" in ran.stdout
    content = json.loads(report.read_text())
    assert [row["method"] for row in content["rows"]] == ["shell", "biharmonic"]
    assert {line["method"] for line in content["summary"]} == {"shell", "biharmonic"}
    with Image.open(pictures / "1015-40ml-0.png") as picture:
        assert picture.width > 3 * picture.height / 4
        assert np.asarray(picture).std() > 10


def test_sizes_must_be_numbers(data: Path) -> None:
    ran = CliRunner().invoke(command.app, ["inpaint", "--data", str(data), "--sizes", "big"])
    assert ran.exit_code == 2
