from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from core.bench import inpaint
from core.bench.case import chosen, entrant, run
from core.errors import UserError
from core.imaging.options import Options
from core.imaging.problem import Estimate
from core.tasks import find
from tests.core.bench.scans import write_healthy


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_healthy(tmp_path)
    return tmp_path


def a_case(data: Path, size: float = 40.0) -> inpaint.HoleCase:
    return next(inpaint.cases(data, ["1015"], [size], [3.0]))


def test_rows_for_every_subject_size_margin_and_method(data: Path) -> None:
    write_healthy(data, "1036")
    entrants = chosen([entrant(method, Options()) for method in find("inpaint").methods], ["shell", "harmonic"])
    rows = run(inpaint.cases(data, ["1015", "1036"], [20.0, 60.0], [3.0, 0.0], per_subject=2), entrants)
    assert len(rows) == 2 * 2 * 2 * 2 * 2
    assert len({row.label for row in rows}) == 16
    assert {row.label.block for row in rows} == {
        f"Holes of {size} ml, {where}"
        for size in (20, 60)
        for where in ("3 mm and more below the surface", "anywhere in the brain")
    }
    overlaps = [row.scores["grey_dice"] for row in rows if not math.isnan(row.scores["grey_dice"])]
    assert overlaps and all(0 <= overlap <= 1 for overlap in overlaps)
    assert all(row.calls == 0 and row.seconds > 0 and math.isnan(row.scores["within"]) for row in rows)


def test_the_case_hides_the_truth(data: Path) -> None:
    case = a_case(data)
    assert not case.problem.image[case.problem.mask].any()
    assert case.truth[case.problem.mask].any()
    assert np.array_equal(case.problem.image[~case.problem.mask], case.truth[~case.problem.mask])
    assert case.problem.mask[case.scene().centre]
    assert list(case.scene().images) == ["truth", "voided"]


def test_the_truth_is_perfect(data: Path) -> None:
    case = a_case(data)
    scores, image = case.assess(Estimate(case.truth, np.ones_like(case.truth)))
    assert np.array_equal(image, case.truth)
    assert math.isinf(scores["psnr"])
    assert scores["ssim"] == pytest.approx(1)
    assert scores["mae"] == 0
    assert scores["grey_dice"] > 0.98
    assert [scores[name] for name in ("x", "y", "z", "texture", "within")] == [1, 1, 1, 1, 1]


def test_what_lies_outside_the_hole_does_not_count(data: Path) -> None:
    case = a_case(data)
    shell = next(iter(run([case], [entrant(find("inpaint").method("shell"), Options())])))
    values = np.where(case.problem.mask, 100.0, -5.0).astype(np.float32)
    scores, image = case.assess(Estimate(values))
    assert np.array_equal(image[~case.problem.mask], case.truth[~case.problem.mask])
    assert scores["psnr"] != shell.scores["psnr"]


def test_grey_matter_overlap_by_hand() -> None:
    tissues = np.array([[[1, 2, 3, 2, 2, 3]]], np.float32)
    truth = np.array([[[10, 50, 90, 50, 50, 90]]], np.float32)
    mask = np.array([[[False, False, False, True, True, True]]])
    result = np.array([[[10, 50, 90, 55, 80, 60]]], np.float32)
    assert inpaint.grey_dice(truth, tissues, truth, mask) == 1.0
    assert inpaint.grey_dice(result, tissues, truth, mask) == pytest.approx(0.5)


def test_a_missing_subject_is_said(data: Path) -> None:
    with pytest.raises(UserError, match="9999"):
        next(inpaint.cases(data, ["1015", "9999"]))
