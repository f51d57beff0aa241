from __future__ import annotations

import dataclasses
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.errors import UserError
from core.files.nifti import MAX_VALUE, Stored, place_notes, read_stored, read_volume, write_stored, write_volume
from core.volume import Volume
from tests.core.files.grids import ORIENTATIONS, SHAPE, SIZES, TYPES, grid_affine, nib, random_values, save

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
REAL = sorted([*DATA.glob("demo/**/*.nii*"), *DATA.glob("train/**/*.nii*")])
RAS = grid_affine((0, 1, 2), (False, False, False), (1.0, 1.0, 1.0))


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", TYPES)
def test_every_type_version_and_byte_order(tmp_path: Path, dtype: str, order: str, version: int, suffix: str) -> None:
    values = random_values(dtype)
    save(tmp_path / f"scan{suffix}", values, RAS, version, order)
    stored = read_stored(tmp_path / f"scan{suffix}")
    assert stored.values.dtype == np.dtype(dtype)
    assert stored.values.dtype.isnative
    np.testing.assert_array_equal(stored.values, values)
    np.testing.assert_array_equal(stored.affine, RAS)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize(("axes", "flips"), ORIENTATIONS)
def test_round_trip_in_every_orientation(
    tmp_path: Path, axes: tuple[int, int, int], flips: tuple[bool, bool, bool], sizes: str
) -> None:
    affine = grid_affine(axes, flips, SIZES[sizes], 0.3 if sizes == "oblique" else 0.0)
    values = random_values("i2")
    save(tmp_path / "in.nii", values, affine)
    stored = read_stored(tmp_path / "in.nii")
    write_stored(tmp_path / "out.nii.gz", stored)
    again = nib.load(tmp_path / "out.nii.gz")
    np.testing.assert_array_equal(np.asanyarray(again.dataobj), values)
    np.testing.assert_array_equal(again.affine, affine)
    np.testing.assert_allclose(again.get_qform(), affine, atol=2e-4)

    canonical = nib.as_closest_canonical(nib.load(tmp_path / "in.nii"))
    volume = stored.to_volume()
    np.testing.assert_array_equal(volume.data, canonical.get_fdata(dtype=np.float32))
    np.testing.assert_allclose(volume.affine, canonical.affine, atol=1e-9)


@given(
    turn=st.sampled_from(ORIENTATIONS),
    dtype=st.sampled_from(TYPES),
    scaling=st.sampled_from([(1.0, 0.0), (0.37, -12.5), (-2.0, 3.0), (1e-3, 1000.0)]),
    seed=st.integers(0, 2**16),
)
def test_replace_changes_nothing_outside(
    turn: tuple[tuple[int, int, int], tuple[bool, bool, bool]], dtype: str, scaling: tuple[float, float], seed: int
) -> None:
    stored = Stored(np.asfortranarray(random_values(dtype, seed)), grid_affine(*turn, (1.0, 2.0, 3.0)), *scaling)
    before = stored.values.tobytes("F")
    rng = np.random.default_rng(seed)
    mask = rng.random(stored.ras_shape) < 0.3
    wanted = rng.normal(0, 100, stored.ras_shape).astype(np.float32)
    changed = stored.replace(mask, wanted)

    assert stored.values.tobytes("F") == before
    assert changed.values.dtype == stored.values.dtype
    inside = stored.orientation.from_ras(mask)
    assert changed.values[~inside].tobytes() == stored.values[~inside].tobytes()
    reached = (changed.values[inside].astype(np.float64) * scaling[0]) + scaling[1]
    low, high = sorted(scaling[0] * end + scaling[1] for end in _ends(stored.values.dtype))
    clipped = np.clip(stored.orientation.from_ras(wanted)[inside].astype(np.float64), low, high)
    step = abs(scaling[0]) if stored.values.dtype.kind != "f" else 1e-3
    assert np.abs(reached - clipped).max() <= step / 2 + 1e-9 * max(map(abs, clipped))


def _ends(dtype: np.dtype[Any]) -> tuple[float, float]:
    limits: Any = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    return float(limits.min), float(limits.max)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("value", [-1e30, 1e30])
def test_replace_clips_instead_of_wrapping(dtype: str, value: float) -> None:
    stored = Stored(np.asfortranarray(random_values(dtype)), RAS)
    changed = stored.replace(np.ones(SHAPE, bool), np.full(SHAPE, value, np.float32))
    low, high = _ends(np.dtype(dtype))
    expected = np.clip(value, low, high)
    np.testing.assert_allclose(changed.values.astype(np.float64), expected, rtol=1e-6)


def test_replace_refuses_what_is_not_a_number() -> None:
    stored = Stored(random_values("i2"), RAS)
    with pytest.raises(ValueError, match="finite"):
        stored.replace(np.ones(SHAPE, bool), np.full(SHAPE, np.nan, np.float32))


def test_scaling_is_applied_and_kept(tmp_path: Path) -> None:
    values = random_values("i2")
    stored = Stored(values, RAS, 0.25, -7.0)
    np.testing.assert_array_equal(stored.to_volume().data, (values * 0.25 - 7.0).astype(np.float32))
    write_stored(tmp_path / "a.nii", stored)
    again = read_stored(tmp_path / "a.nii")
    assert (again.slope, again.intercept) == (0.25, -7.0)
    np.testing.assert_array_equal(nib.load(tmp_path / "a.nii").get_fdata(), values * 0.25 - 7.0)


@pytest.mark.parametrize("dtype", ["i4", "u8", "f8"])
def test_scaling_is_computed_in_double_precision(dtype: str) -> None:
    values = (2**24 + np.arange(np.prod(SHAPE)).reshape(SHAPE)).astype(dtype)
    data = Stored(values, RAS, 1.0 / 3, -(2.0**24) / 3).to_volume().data
    expected = (values.astype(np.float64) / 3 - 2.0**24 / 3).astype(np.float32)
    np.testing.assert_allclose(data, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("turn", ORIENTATIONS[::7])
def test_like_lies_on_the_same_grid(tmp_path: Path, turn: tuple[tuple[int, int, int], tuple[bool, bool, bool]]) -> None:
    stored = Stored(random_values("u1"), grid_affine(*turn, (1.0, 2.0, 3.0)), 2.0, 5.0)
    data = np.random.default_rng(1).normal(size=stored.ras_shape).astype(np.float32)
    similar = stored.like(data)
    assert similar.values.shape == stored.values.shape
    np.testing.assert_array_equal(similar.to_volume().data, data)
    np.testing.assert_array_equal(similar.affine, stored.affine)
    drawn = stored.like(data > 0)
    assert drawn.values.dtype == np.uint8
    np.testing.assert_array_equal(drawn.to_volume().data, data > 0)


def test_written_file_holds_nothing_but_the_scan(tmp_path: Path) -> None:
    image = nib.Nifti1Image(random_values("i2"), RAS)
    for field in ("descrip", "aux_file", "db_name", "intent_name", "data_type"):
        image.header[field] = b"CANARY"
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"CANARY CANARY"))
    image.to_filename(tmp_path / "in.nii")
    with (tmp_path / "in.nii.gz").open("wb") as raw, gzip.GzipFile("CANARY.nii", "wb", fileobj=raw) as file:
        file.write((tmp_path / "in.nii").read_bytes() + b"CANARY")
    assert b"CANARY" in (tmp_path / "in.nii.gz").read_bytes()
    write_stored(tmp_path / "out.nii.gz", read_stored(tmp_path / "in.nii.gz"))
    packed = (tmp_path / "out.nii.gz").read_bytes()
    assert b"CANARY" not in packed
    assert b"CANARY" not in gzip.decompress(packed)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_same_scan_same_bytes(tmp_path: Path, suffix: str) -> None:
    stored = Stored(random_values("f4"), RAS)
    write_stored(tmp_path / f"a{suffix}", stored, "made here")
    write_stored(tmp_path / f"other{suffix}", dataclasses.replace(stored, values=stored.values.copy("F")), "made here")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"other{suffix}").read_bytes()
    assert nib.load(tmp_path / f"a{suffix}").header["descrip"] == b"made here"


def test_volume_round_trip(tmp_path: Path) -> None:
    volume = Volume(random_values("f4"), RAS)
    write_volume(tmp_path / "v.nii.gz", volume)
    again = read_volume(tmp_path / "v.nii.gz")
    np.testing.assert_array_equal(again.data, volume.data)
    np.testing.assert_array_equal(again.affine, volume.affine)


def _odd_file(tmp_path: Path, values: NDArray[Any], slope: float = 1.0) -> Path:
    image = nib.Nifti1Image(values, RAS)
    image.header.set_slope_inter(slope, 0)
    image.to_filename(tmp_path / "odd.nii.gz")
    return tmp_path / "odd.nii.gz"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, -1])
def test_one_voxel_that_is_not_a_number(tmp_path: Path, bad: float, place: int) -> None:
    values = random_values("f4")
    values.flat[place] = bad
    with pytest.raises(UserError) as caught:
        read_stored(_odd_file(tmp_path, values))
    assert caught.value.code == "nan_voxels"


def test_constant_after_scaling(tmp_path: Path) -> None:
    values = np.full(SHAPE, 1e9)
    values[0, 0, 0] += 1e-3
    with pytest.raises(UserError) as caught:
        read_stored(_odd_file(tmp_path, values))
    assert caught.value.code == "constant_image"


def test_values_too_large(tmp_path: Path) -> None:
    values = random_values("f8")
    values[1, 2, 3] = 2 * MAX_VALUE
    with pytest.raises(UserError) as caught:
        read_stored(_odd_file(tmp_path, values))
    assert caught.value.code == "values_too_large"


@pytest.mark.skipif(not REAL, reason="no real scans in ../shared/data")
@pytest.mark.parametrize("path", REAL, ids=lambda path: str(path.relative_to(DATA)))
def test_real_scans_equal_nibabel(path: Path) -> None:
    stored, image = read_stored(path), nib.load(path)
    expected = image.get_fdata(dtype=np.float32).reshape(stored.values.shape)
    np.testing.assert_array_equal(stored.orientation.from_ras(stored.to_volume().data), expected)
    np.testing.assert_array_equal(stored.affine, image.affine)


def test_thickness_and_second_place_survive_writing(tmp_path: Path) -> None:
    affine, mirrored = np.diag([-1.0, 1.0, 3.0, 1.0]), np.diag([1.0, 1.0, 3.0, 1.0])
    scan = Stored(random_values("i2"), affine, thickness=2.4, other=mirrored)
    write_stored(tmp_path / "a.nii.gz", scan, "synthetic")
    found = read_stored(tmp_path / "a.nii.gz")
    np.testing.assert_allclose(found.affine, affine)
    assert found.other is not None
    np.testing.assert_allclose(found.other, mirrored, atol=1e-5)
    assert found.thickness == 2.4 and found.slices == (2, 2.4)
    assert [note.level for note in found.notes] == ["warning"] and "one mirrors the other" in found.notes[0].text
    filled = found.replace(np.zeros(found.ras_shape, bool), np.zeros(found.ras_shape, np.float32))
    assert filled.thickness == 2.4 and filled.other is not None


def test_a_sheared_grid_is_noted_with_distances_across_it(tmp_path: Path) -> None:
    affine = np.diag([1.0, 1.0, 2.25, 1.0])
    affine[1, 2] = 0.75
    write_stored(tmp_path / "a.nii", Stored(random_values("i2"), affine))
    found = read_stored(tmp_path / "a.nii")
    assert found.to_volume().spacing == pytest.approx((1, 1, 2.25))
    assert "2.25 mm apart, 2.37 mm along" in found.notes[0].text
    assert place_notes(tmp_path / "a.nii", "Guide")[0].text.startswith("Guide: The grid is sheared")
