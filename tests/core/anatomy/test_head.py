from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from core.anatomy.head import Head, find_head, otsu, with_void
from core.volume import Volume

GRID = (36, 40, 36)
SPACING = 6.0


def radius_map() -> NDArray[np.float64]:
    """Distance from the grid's centre in mm."""
    axes = [(np.arange(n) - (n - 1) / 2) * SPACING for n in GRID]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    return np.asarray(np.sqrt(x**2 + y**2 + z**2))


def scan(data: NDArray[np.float64]) -> Volume:
    return Volume(data.astype(np.float32), np.diag([SPACING, SPACING, SPACING, 1.0]))


def brain(radius_mm: float = 66.0) -> NDArray[np.float64]:
    radius = radius_map()
    return np.where(radius < 20, 25.0, np.where(radius < radius_mm, 100.0, 0.0))


def whole_head(brain_mm: float, bone_mm: float, scalp_mm: float) -> NDArray[np.float64]:
    radius = radius_map()
    head = np.where(radius < scalp_mm, 220.0, 0.0)
    head[radius < bone_mm] = 5.0
    head[radius < brain_mm] = 100.0
    return head


def test_stripped_brain_with_its_ventricle_filled() -> None:
    data = brain()
    head = find_head(scan(data))
    assert head.kind == "brain"
    assert np.array_equal(head.mask, data > 0)
    assert head.volume_ml == pytest.approx((data > 0).sum() * SPACING**3 / 1000)
    assert "skull-stripped" in head.sentence


@pytest.mark.parametrize(
    ("kind", "ml", "remark"),
    [
        ("brain", 460, "less than a whole brain"), ("brain", 1000, ""), ("brain", 2000, ""),
        ("head", 700, "less than a whole head"), ("head", 2600, ""), ("head", 5500, ""), ("head", 17_900, "more than"),
    ],
)  # fmt: skip
def test_a_head_of_an_unusual_size_is_remarked_upon(kind: Any, ml: float, remark: str) -> None:
    sentence = Head(kind, np.ones((1, 1, 1), bool), ml).sentence
    assert remark in sentence and ("That is" in sentence) == bool(remark)


def test_dark_hole_inside_the_brain_belongs_to_it() -> None:
    data = brain()
    data[radius_map() < 20] = 0.0
    assert find_head(scan(data)).mask[GRID[0] // 2, GRID[1] // 2, GRID[2] // 2]


def ball(centre_mm: tuple[float, float, float], radius_mm: float) -> NDArray[np.bool_]:
    axes = [(np.arange(n) - (n - 1) / 2) * SPACING - at for n, at in zip(GRID, centre_mm, strict=True)]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    return np.asarray(x**2 + y**2 + z**2 < radius_mm**2)


def test_a_hole_emptied_at_the_surface_belongs_to_the_brain() -> None:
    void = ball((58, 0, 0), 26) & (brain() > 0)
    volume = scan(np.where(void, 0, brain()))
    head = find_head(volume)
    assert not head.mask[void].all()
    whole = with_void(head, volume, void)
    assert whole.mask[void].all()
    assert whole.volume_ml == pytest.approx(find_head(scan(brain())).volume_ml, rel=0.02)


def test_a_mask_in_the_air_is_no_emptied_hole() -> None:
    volume = scan(brain())
    head = find_head(volume)
    for centre in ((92.0, 0.0, 0.0), (0.0, 100.0, 0.0)):
        assert with_void(head, volume, ball(centre, 24) & (brain() == 0)) is head


def test_a_lesion_that_is_still_there_changes_nothing() -> None:
    data = brain() + np.random.default_rng(0).normal(0, 1, GRID) * (brain() > 0)
    head = find_head(scan(data))
    assert with_void(head, scan(data), ball((30, 0, 0), 20)) is head


def test_whole_head_in_noise() -> None:
    data = whole_head(66, 78, 90)
    noisy = np.abs(data + np.random.default_rng(0).normal(0, 4, GRID))
    head = find_head(scan(noisy))
    assert head.kind == "head"
    assert (head.mask == (data > 0)).mean() > 0.98
    assert head.mask[data == 5.0].all()
    assert "whole head" in head.sentence


def test_small_head_is_told_from_a_brain_by_its_bone() -> None:
    data = whole_head(48, 60, 70)
    assert (data > 0).sum() * SPACING**3 / 1000 < 2100
    assert find_head(scan(np.abs(data + np.random.default_rng(0).normal(0, 4, GRID)))).kind == "head"


@pytest.mark.parametrize("open_at", [22, 24])
def test_a_small_head_with_little_bone_is_no_brain(open_at: int) -> None:
    # of a child, without a face: bone in a quarter of what lies 8 to 16 mm deep, and nothing around it
    data = whole_head(66, 72, 78)
    data[:, :open_at][radius_map()[:, :open_at] < 78] = 100.0
    found = find_head(scan(data))
    assert found.kind == "head" and 1700 < found.volume_ml < 2100


def test_background_need_not_be_zero() -> None:
    assert np.array_equal(find_head(scan(brain() / 50 - 1)).mask, brain() > 0)


def test_specks_outside_are_left_out() -> None:
    data = brain()
    data[1, 1, 1] = 100.0
    assert not find_head(scan(data)).mask[1, 1, 1]


def test_nothing_to_find() -> None:
    head = find_head(scan(np.zeros(GRID)))
    assert not head.mask.any()
    assert head.volume_ml == 0


@pytest.mark.parametrize("shape", [(3, 3, 3), (1, 40, 40), (40, 2, 5)])
def test_any_grid_is_answered(shape: tuple[int, int, int]) -> None:
    data = np.random.default_rng(0).normal(100, 10, shape).astype(np.float32)
    assert find_head(Volume(data, np.eye(4))).mask.shape == shape


def test_otsu_separates_two_levels() -> None:
    values = np.concatenate([np.full(300, 1.0), np.full(50, 9.0)]).astype(np.float32)
    assert 1.0 < otsu(ndimage.gaussian_filter1d(values, 1e-3)) < 9.0


REAL = {
    "demo/stroke/T1.nii.gz": ("brain", 900, 1300),
    "demo/openms_patient07/t1.nii.gz": ("brain", 1000, 1300),
    "demo/sri24/spgr.nii.gz": ("brain", 1300, 1600),
    "demo/epilepsy_t1/MR.nii.gz": ("head", 2600, 3200),
    "demo/studyforrest_t1/t1_1mm.nii.gz": ("head", 4000, 5500),
    "train/malf_nc/1015_t1.nii.gz": ("brain", 1300, 1500),
    "train/malf_nc/1036_t1.nii.gz": ("brain", 1400, 1600),
    "train/brats18/Brats18_TCIA01_499_1/t1.nii.gz": ("brain", 1450, 1650),
    "train/brats18/Brats18_TCIA03_265_1/t1.nii.gz": ("brain", 1100, 1300),
}


@pytest.mark.parametrize("scale", [0.85, 0.9])
def test_a_real_head_of_the_size_of_a_child(shared_data: Path, scale: float) -> None:
    from core.files.nifti import read_volume

    real = read_volume(shared_data / "demo/epilepsy_t1/MR.nii.gz")
    assert find_head(Volume(real.data, real.affine @ np.diag([scale, scale, scale, 1.0]))).kind == "head"


@pytest.mark.parametrize("name", REAL)
def test_real_scans(shared_data: Path, name: str) -> None:
    from core.files.nifti import read_volume

    kind, low, high = REAL[name]
    head = find_head(read_volume(shared_data / name))
    assert head.kind == kind
    assert low < head.volume_ml < high
