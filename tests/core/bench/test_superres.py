from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from core.bench import superres
from core.bench.case import chosen, run
from core.files.nifti import read_volume
from core.imaging.options import Options
from core.imaging.problem import Estimate
from core.measure import quality
from tests.core.bench.scans import write_healthy

# baselines.md section 4.1: cubic, cubic with ten back-projections, dB inside the brain
PUBLISHED = {("1000", "p4"): (22.46, 23.32), ("1001", "p4"): (21.56, 22.43)}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_healthy(tmp_path)
    return tmp_path


def test_every_acquisition_is_measured_with_and_without_consistency(data: Path) -> None:
    entrants = chosen(superres.entrants(Options(), Options("realistic")), ["cubic", "nearest"])
    rows = run(superres.cases(data, ["1015"]), entrants)
    assert [row.method for row in rows[:4]] == ["cubic", "cubic/ibp10", "nearest", "nearest/ibp10"]
    assert [row.label.block for row in rows[::4]] == list(superres.BLOCKS)
    assert not any(row.error for row in rows)
    for free, consistent in zip(rows[0::4], rows[1::4], strict=True):
        assert consistent.scores["residual"] < free.scores["residual"]
        assert consistent.scores["psnr"] > free.scores["psnr"]


def test_the_network_runs_free_consistent_and_realistic() -> None:
    assert [each.name for each in superres.entrants(Options(), Options("realistic"))][:3] == [
        "volume",
        "volume/free",
        "volume/realistic",
    ]


def test_the_truth_is_perfect_and_its_shift_is_not(data: Path) -> None:
    case = next(superres.cases(data, ["1015"]))
    scores, _ = case.assess(Estimate(case.truth))
    assert (scores["psnr"], scores["mae"], scores["residual"]) == (math.inf, 0, 0)
    moved, _ = case.assess(Estimate(case.truth + np.float32(0.01), np.full_like(case.truth, 0.01)))
    assert moved["psnr"] == pytest.approx(40, abs=0.01)
    assert moved["residual"] == pytest.approx(0.01, abs=1e-5)
    assert moved["within"] == 1


def test_the_brain_has_unit_level_and_sides_of_four(data: Path) -> None:
    image = read_volume(data / "train" / "malf_nc" / "1015_t1.nii.gz").data[:27, :26, :25]
    truth, brain = superres.sharp(image)
    assert truth.shape == (24, 24, 24)
    assert np.percentile(truth[brain], 99.5) == pytest.approx(1, abs=1e-6)


def test_the_gap_leaves_tissue_unseen() -> None:
    sampled = superres.acquisition("z2.5-gap", (8, 8, 40)).axes[2]
    assert (sampled.coarse, sampled.step, sampled.thickness, sampled.profile) == (16, 2.5, 2.0, "box")


@pytest.mark.parametrize(("subject", "kind"), list(PUBLISHED))
def test_plain_methods_reach_their_published_numbers(shared_data: Path, subject: str, kind: str) -> None:
    truth, brain = superres.sharp(read_volume(shared_data / "train" / "malf_nc" / f"{subject}_t1.nii.gz").data)
    sampled = superres.acquisition(kind, truth.shape)
    measured = sampled.measure(truth)
    cubic = sampled.enlarge(measured)
    found = [quality.psnr(image, truth, brain, 1.0) for image in (cubic, sampled.back_project(cubic, measured))]
    assert found == pytest.approx(PUBLISHED[subject, kind], abs=0.1)


def test_the_published_gaussian_slices_are_ours_but_for_their_sampling(shared_data: Path) -> None:
    """There the blurred scan was sampled between two voxels by their mean, which blurs it a little more."""
    truth, brain = superres.sharp(read_volume(shared_data / "train" / "malf_nc" / "1000_t1.nii.gz").data)
    sampled = superres.acquisition("z4-gaussian", truth.shape)
    blurred = ndimage.gaussian_filter1d(truth, 4 / 2.3548, axis=2)
    theirs = (blurred[..., 1::4] + blurred[..., 2::4]) / 2
    assert quality.psnr(sampled.enlarge(theirs), truth, brain, 1.0) == pytest.approx(24.59, abs=0.03)
    ours = sampled.measure(truth)
    consistent = sampled.back_project(sampled.enlarge(ours), ours)
    assert quality.psnr(consistent, truth, brain, 1.0) == pytest.approx(26.26, abs=0.03)


def test_the_adapted_network_is_measured_when_it_is_named() -> None:
    (each,) = superres.adapted(Options())
    assert each.name == "volume/adapted"
    assert superres.adapted(Options())[0].name not in {one.name for one in superres.entrants(Options(), None)}
