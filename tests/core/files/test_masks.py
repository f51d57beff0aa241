from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import UserError
from core.files.masks import check_mask, read_mask
from core.files.nifti import Stored
from tests.core.files.grids import ORIENTATIONS, grid_affine, nib, random_values

SHAPE = (14, 12, 10)
RAS = grid_affine((0, 1, 2), (False, False, False), (1.0, 1.0, 1.0))
SCAN = Stored(random_values("i2", shape=SHAPE), RAS)
BLOB = np.zeros(SHAPE, bool)
BLOB[4:8, 3:7, 2:6] = True
BLOB[7, 6, 5] = False
HEAD = np.ones(SHAPE, bool)

Turn = tuple[tuple[int, int, int], tuple[bool, bool, bool]]


def mask_file(folder: Path, values: NDArray[Any], affine: NDArray[np.float64] = RAS, slope: float = 1.0) -> Path:
    image = nib.Nifti1Image(values, affine)
    image.header.set_slope_inter(slope, 0)
    image.to_filename(folder / "mask.nii.gz")
    if slope != 1.0:
        raw = bytearray(nib.Nifti1Image(values, affine).to_bytes())
        raw[112:116] = np.float32(slope).tobytes()
        (folder / "mask.nii.gz").write_bytes(raw)
    return folder / "mask.nii.gz"


def code_of(path: Path, scan: Stored = SCAN) -> str:
    with pytest.raises(UserError) as caught:
        read_mask(path, scan)
    return caught.value.code


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "f4", "f8"])
@pytest.mark.parametrize("value", [1, 255, 7])
def test_zero_and_one_other_value(tmp_path: Path, dtype: str, value: int) -> None:
    mask = read_mask(mask_file(tmp_path, (BLOB * value).astype(dtype)), SCAN)
    np.testing.assert_array_equal(mask.data, BLOB)
    assert mask.volume_ml == pytest.approx(BLOB.sum() / 1000)
    assert mask.notices == ()


def test_scaled_mask(tmp_path: Path) -> None:
    mask = read_mask(mask_file(tmp_path, BLOB.astype("u1") * 255, slope=1 / 255), SCAN)
    np.testing.assert_array_equal(mask.data, BLOB)
    assert mask.notices == ()


def test_several_labels_are_joined_with_a_notice(tmp_path: Path) -> None:
    labels = BLOB.astype("u1")
    labels[5], labels[6] = labels[5] * 2, labels[6] * 4
    mask = read_mask(mask_file(tmp_path, labels), SCAN)
    np.testing.assert_array_equal(mask.data, BLOB)
    assert "(1, 2, 4)" in mask.notices[0]


@pytest.mark.parametrize(
    ("values", "names"),
    [((1.00002, 3.9999999), "(1, 4)"), ((0.99999, 2.0000001, 3.9998), "(1, 2, 4)"), ((1.00002, 0.9999), "")],
)
def test_labels_that_rounding_moved_are_labels(tmp_path: Path, values: tuple[float, ...], names: str) -> None:
    labels = np.zeros(SHAPE)
    labels[BLOB] = np.resize(values, int(BLOB.sum()))
    # rounding moves the background too
    labels[~BLOB] = np.resize((0.0, 2e-5, -1e-6), int((~BLOB).sum()))
    mask = read_mask(mask_file(tmp_path, labels.astype("f4")), SCAN)
    np.testing.assert_array_equal(mask.data, BLOB)
    assert (mask.notices == ()) if not names else names in mask.notices[0]


def test_labels_with_a_slope_are_labels(tmp_path: Path) -> None:
    labels = BLOB.astype("i2") * 25000
    labels[5], labels[6] = labels[5] // 2, labels[6] // 4
    mask = read_mask(mask_file(tmp_path, labels, slope=4.00001 / 25000), SCAN)
    np.testing.assert_array_equal(mask.data, BLOB)
    assert "(1, 2, 4)" in mask.notices[0]


def test_one_tiny_value_is_a_mask(tmp_path: Path) -> None:
    mask = read_mask(mask_file(tmp_path, BLOB.astype("u1"), slope=1e-5), SCAN)
    np.testing.assert_array_equal(mask.data, BLOB)


def _mirrored(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the affine of the same voxels with left and right exchanged, on the same place in space."""
    turned = affine.copy()
    turned[:3, 0] = -affine[:3, 0]
    turned[:3, 3] = affine[:3, 3] + (SHAPE[0] - 1) * affine[:3, 0]
    return turned


def _shifted(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    turned = affine.copy()
    turned[1, 3] += 12
    return turned


def _turned(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the affine of a scan whose other form is turned by 30 degrees."""
    sin, cos = np.sin(np.pi / 6), np.cos(np.pi / 6)
    turn = np.eye(4)
    turn[:2, :2] = [[cos, -sin], [sin, cos]]
    return turn @ affine


@pytest.mark.parametrize("other", [_mirrored, _shifted, _turned])
def test_of_two_places_only_the_sform_counts(tmp_path: Path, other: Any) -> None:
    two = Stored(SCAN.values, RAS, other=other(RAS))
    mask = read_mask(mask_file(tmp_path, BLOB.astype("u1"), RAS), two)
    np.testing.assert_array_equal(mask.data, BLOB)
    assert code_of(mask_file(tmp_path, BLOB.astype("u1"), other(RAS)), two) == "mask_other_place"
    # a mask that has both forms of its scan is taken by the form that counts
    both = nib.Nifti1Image(BLOB.astype("u1"), RAS)
    both.set_qform(other(RAS), 1)
    both.set_sform(RAS, 1)
    both.to_filename(tmp_path / "both.nii")
    np.testing.assert_array_equal(read_mask(tmp_path / "both.nii", two).data, BLOB)
    # and one with both forms on a scan of one: its unused form must not be what fits
    both.set_qform(RAS, 1)
    both.set_sform(other(RAS), 1)
    both.to_filename(tmp_path / "both.nii")
    assert code_of(tmp_path / "both.nii") == "mask_other_place"


def test_a_mask_in_another_order_of_a_scan_with_two_places_is_exact(tmp_path: Path) -> None:
    two = Stored(SCAN.values, RAS, other=_shifted(RAS))
    mask = read_mask(mask_file(tmp_path, np.flip(BLOB, 0).astype("u1"), _mirrored(RAS)), two)
    np.testing.assert_array_equal(mask.data, BLOB)


def test_interpolation_noise_is_cut_at_half(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).uniform(-0.2, 0.2, SHAPE)
    mask = read_mask(mask_file(tmp_path, (BLOB + noise).astype("f4")), SCAN)
    np.testing.assert_array_equal(mask.data, BLOB)
    assert "0.5" in mask.notices[0]


@pytest.mark.parametrize(
    "values",
    [
        random_values("i2", shape=SHAPE),
        random_values("f4", shape=SHAPE),
        np.where(BLOB, 2.0, 0.4).astype("f4"),
        np.where(BLOB, -1, 1).astype("i2"),
        (np.arange(np.prod(SHAPE)).reshape(SHAPE) % 18).astype("u1"),
    ],
    ids=["noise", "floats", "fractions", "negative", "seventeen labels"],
)
def test_grey_values_are_no_mask(tmp_path: Path, values: NDArray[Any]) -> None:
    assert code_of(mask_file(tmp_path, values)) == "not_a_mask"


@pytest.mark.parametrize("where", [0, 700, -1])
def test_not_a_number(tmp_path: Path, where: int) -> None:
    values = BLOB.astype("f4")
    values.flat[where] = np.nan
    assert code_of(mask_file(tmp_path, values)) == "nan_voxels"


def test_empty_and_too_faint(tmp_path: Path) -> None:
    assert code_of(mask_file(tmp_path, np.zeros(SHAPE, "u1"))) == "empty_mask"
    faint = np.random.default_rng(0).uniform(0, 0.4, SHAPE).astype("f4")
    assert code_of(mask_file(tmp_path, faint)) == "empty_mask"


@pytest.mark.parametrize("tilt", [0.0, np.pi / 4])
@pytest.mark.parametrize("stored_as", ORIENTATIONS)
def test_same_grid_in_another_order_is_exact(tmp_path: Path, stored_as: Turn, tilt: float) -> None:
    scan = Stored(random_values("i2", shape=(10, 14, 12)), grid_affine((2, 0, 1), (True, False, True), (1, 2, 3), tilt))
    data = np.random.default_rng(3).random(scan.ras_shape) < 0.2
    in_file = scan.orientation.from_ras(data)
    affine = scan.affine.copy()
    axes, flips = stored_as
    reordered = np.transpose(in_file, axes)
    affine[:3, :3] = scan.affine[:3, list(axes)]
    for axis, flip in enumerate(flips):
        if flip:
            affine[:3, 3] += affine[:3, axis] * (reordered.shape[axis] - 1)
            affine[:3, axis] *= -1
            reordered = np.flip(reordered, axis)
    mask = read_mask(mask_file(tmp_path, reordered.astype("u1"), affine), scan)
    np.testing.assert_array_equal(mask.data, data)
    assert mask.notices == ()
    assert mask.volume_ml == pytest.approx(data.sum() * 6 / 1000)


@pytest.mark.parametrize(("shift", "resampled"), [(5e-4, False), (5e-3, True)])
def test_same_grid_means_within_a_thousandth_of_a_millimetre(tmp_path: Path, shift: float, resampled: bool) -> None:
    affine = RAS.copy()
    affine[1, 3] += shift
    mask = read_mask(mask_file(tmp_path, BLOB.astype("u1"), affine), SCAN)
    np.testing.assert_array_equal(mask.data, BLOB)
    assert any("another grid" in notice for notice in mask.notices) == resampled


def test_coarser_grid_is_resampled(tmp_path: Path) -> None:
    small = BLOB[::2, ::2, ::2]
    affine = RAS.copy()
    affine[:3, :3] *= 2
    affine[:3, 3] += 0.25
    mask = read_mask(mask_file(tmp_path, np.pad(small, 2).astype("u1"), _moved(affine, -2)), SCAN)
    np.testing.assert_array_equal(mask.data, small.repeat(2, 0).repeat(2, 1).repeat(2, 2))
    assert "another grid" in mask.notices[0]


def _moved(affine: NDArray[np.float64], voxels: float) -> NDArray[np.float64]:
    moved = affine.copy()
    moved[:3, 3] = (affine @ (voxels, voxels, voxels, 1))[:3]
    return moved


def test_a_cut_mask_says_so(tmp_path: Path) -> None:
    mask = read_mask(mask_file(tmp_path, BLOB.astype("u1"), _moved(RAS, -5)), SCAN)
    assert 0 < mask.data.sum() < BLOB.sum() / 2
    assert "ml" in mask.notices[1]


@pytest.mark.parametrize("voxels", [100, -7, 12])
def test_elsewhere(tmp_path: Path, voxels: float) -> None:
    assert code_of(mask_file(tmp_path, BLOB.astype("u1"), _moved(RAS, voxels))) == "mask_elsewhere"


@pytest.mark.parametrize("sides", [(1, 1, 1), (-1, -1, 1), (2, 2, 2)], ids=["numpy", "ITK", "other sizes"])
@pytest.mark.parametrize("shift", [-4, -50])
def test_a_mask_that_was_saved_without_its_place_is_refused(tmp_path: Path, sides: Any, shift: float) -> None:
    scan = Stored(SCAN.values, _moved(np.eye(4), shift))
    mask = mask_file(tmp_path, BLOB.astype("u1"), np.diag((*map(float, sides), 1.0)))
    assert code_of(mask, scan) == "mask_without_place"
    # a scan that has none either fits
    same = Stored(SCAN.values, np.diag((*map(float, sides), 1.0)))
    assert read_mask(mask, same).notices == ()
    # a part of the scan, cut out at 0, 0, 0
    part = mask_file(tmp_path, BLOB[:-1].astype("u1"), np.eye(4))
    read_mask(part, Stored(SCAN.values, _moved(np.eye(4), -4)))


@pytest.mark.parametrize("place", [lambda affine: affine, _mirrored], ids=["as it is", "mirrored"])
@pytest.mark.parametrize(("voxels", "told"), [(2, True), (0.3, False)])
def test_a_mask_of_the_same_shape_elsewhere_says_how_far(tmp_path: Path, voxels: float, told: bool, place: Any) -> None:
    affine = place(RAS)
    affine = affine.copy()
    affine[1, 3] += voxels
    mask = read_mask(mask_file(tmp_path, BLOB.astype("u1"), affine), SCAN)
    assert any("2 voxels off" in notice for notice in mask.notices) == told


def test_elsewhere_is_told_before_reading(tmp_path: Path) -> None:
    path = mask_file(tmp_path, BLOB.astype("u1"), _moved(RAS, 100))
    path.write_bytes(path.read_bytes()[:-8])
    assert code_of(path) == "mask_elsewhere"


def test_sound_mask_passes_the_head_check() -> None:
    mask = check_mask(BLOB, SCAN, HEAD, ("first",))
    np.testing.assert_array_equal(mask.data, BLOB)
    assert mask.notices == ("first",)
    assert mask.volume_ml == pytest.approx(BLOB.sum() / 1000)


def test_part_outside_the_head_is_a_notice() -> None:
    head = HEAD.copy()
    head[:5] = False
    assert "25" in check_mask(BLOB, SCAN, head).notices[0]


@pytest.mark.parametrize(
    ("data", "first_head_plane", "code"),
    [
        (np.zeros(SHAPE, bool), 0, "empty_mask"),
        (BLOB, 7, "mask_outside_head"),
        (HEAD, 0, "mask_too_large"),
    ],
)
def test_head_check_refuses(data: NDArray[np.bool_], first_head_plane: int, code: str) -> None:
    head = HEAD.copy()
    head[:first_head_plane] = False
    with pytest.raises(UserError) as caught:
        check_mask(data, SCAN, head)
    assert caught.value.code == code


def test_limits_of_the_head_check() -> None:
    head = np.zeros(SHAPE, bool)
    head.flat[:100] = True
    data = np.zeros(SHAPE, bool)
    data.flat[60:100] = True
    assert check_mask(data, SCAN, head).data.sum() == 40
    data.flat[59] = True
    with pytest.raises(UserError):
        check_mask(data, SCAN, head)


def test_wrong_shape_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="shape"):
        check_mask(BLOB[1:], SCAN, HEAD)
