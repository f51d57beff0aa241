from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.errors import UserError
from core.files.nifti_header import HEADER_BYTES, NIFTI1, NIFTI2, TYPES, parse_header
from tests.core.files.grids import SHAPE, nib

TURNS = st.tuples(*[st.floats(-1, 1, width=32)] * 4).filter(lambda turn: np.linalg.norm(turn) > 0.1)


def sound(version: int = 1) -> Any:
    made = (nib.Nifti1Header if version == 1 else nib.Nifti2Header)()
    made.set_data_shape(SHAPE)
    made.set_data_dtype(np.int16)
    made["vox_offset"] = 352 if version == 1 else 544
    if version == 1:
        made["magic"] = b"n+1"
    return made


def parsed(made: Any) -> Any:
    return parse_header(made.structarr.tobytes().ljust(HEADER_BYTES, b"\0"))


def test_layouts_agree_with_nibabel() -> None:
    for ours, theirs in ((NIFTI1, nib.nifti1.header_dtype), (NIFTI2, nib.nifti2.header_dtype)):
        assert ours.itemsize == theirs.itemsize
        assert ours.fields is not None
        for name, (_, offset, *_rest) in ours.fields.items():
            renamed = {"intent_p": "intent_p1", "quatern": "quatern_b", "qoffset": "qoffset_x", "srow": "srow_x"}
            if name != "unused":
                assert theirs.fields[renamed.get(name, name)][1] == offset, name


@pytest.mark.parametrize("code", TYPES)
def test_types_agree_with_nibabel(code: int) -> None:
    assert nib.nifti1.data_type_codes.dtype[code] == np.dtype(TYPES[code])


@given(turn=TURNS, left=st.booleans(), version=st.sampled_from([1, 2]))
def test_qform_agrees_with_nibabel(turn: tuple[float, ...], left: bool, version: int) -> None:
    made = sound(version)
    affine = np.eye(4)
    affine[:3, :3] = nib.quaternions.quat2mat(turn) * (0.5, 1.5, -3.0 if left else 3.0)
    affine[:3, 3] = (10, -20.5, 3)
    made.set_qform(affine, 1)
    made.set_sform(None, 0)
    near_half_turn = abs(turn[0]) < 0.01 * float(np.linalg.norm(turn))
    # there nibabel may refuse what it wrote itself: its bound on rounding in NIfTI-2 is below that of one product
    assume(not (near_half_turn and version == 2))
    np.testing.assert_allclose(parsed(made).affine, made.get_qform(), atol=4e-3 if near_half_turn else 1e-6)


def test_half_turn_stays_straight_despite_rounding() -> None:
    made = sound()
    made["qform_code"] = 1
    made["quatern_c"] = made["quatern_d"] = np.sqrt(0.5)
    np.testing.assert_allclose(parsed(made).affine[:3, :3], [[-1, 0, 0], [0, 0, 1], [0, 1, 0]], atol=1e-12)


def test_sform_is_preferred_where_it_is_usable() -> None:
    made = sound()
    made.set_qform(np.diag([1.0, 1, 1, 1]), 1)
    made.set_sform(np.diag([2.0, 2, 2, 1]), 1)
    np.testing.assert_array_equal(parsed(made).affine, np.diag([2.0, 2, 2, 1]))
    made["srow_y"] = 0
    np.testing.assert_array_equal(parsed(made).affine, np.eye(4))


@pytest.mark.parametrize(
    ("sizes", "accepted"), [((0.05, 1, 20), True), ((0.0499, 1, 1), False), ((1, 1, 20.01), False)]
)
def test_limits_of_the_voxel_size(sizes: tuple[float, float, float], accepted: bool) -> None:
    made = sound(2)
    made.set_qform(np.diag([1.0, 1, 1, 1]), 1)
    made["pixdim"][1:4] = sizes
    if accepted:
        assert parsed(made).shape == SHAPE
    else:
        with pytest.raises(UserError) as caught:
            parsed(made)
        assert caught.value.code == "bad_voxel_size"


@pytest.mark.parametrize(
    ("broken", "value"), [("pixdim", [1, 0, 0, 0]), ("pixdim", [1, 1, -1, 1]), ("pixdim", [2, 1, 1, 1])]
)
def test_sizes_of_a_qform_do_not_matter_beside_a_sform(broken: str, value: list[float]) -> None:
    made = sound()
    made.set_qform(np.diag([1.0, 1, 1, 1]), 1)
    made.set_sform(np.diag([2.0, 2, 2, 1]), 1)
    made[broken][:4] = value
    found = parsed(made)
    np.testing.assert_array_equal(found.affine, np.diag([2.0, 2, 2, 1]))
    assert found.other is None


@pytest.mark.parametrize("form", ["sform", "qform"])
@pytest.mark.parametrize(("unit", "mm"), [("meter", 1000), ("mm", 1), ("micron", 0.001), ("unknown", 1)])
def test_places_come_in_mm_whatever_the_unit_of_the_header(form: str, unit: str, mm: float) -> None:
    made, affine = sound(), np.diag([-1.0, 1.5, 4, 1])
    affine[:3, 3] = (90, -126.5, -72)
    stated = affine.copy()
    stated[:3] /= mm
    made.set_xyzt_units(unit, "sec")
    (made.set_sform if form == "sform" else made.set_qform)(stated, 1)
    np.testing.assert_allclose(parsed(made).affine, affine, rtol=1e-6)


def test_metres_beside_sizes_in_mm_are_mm() -> None:
    made = sound()
    made.set_xyzt_units("meter")
    made.set_sform(np.diag([1.0, 1, 4, 1]), 1)
    np.testing.assert_array_equal(parsed(made).affine, np.diag([1.0, 1, 4, 1]))


@pytest.mark.parametrize("side", [8, 1024])
def test_limits_of_the_shape(side: int) -> None:
    made = sound()
    made.set_sform(np.eye(4), 1)
    made["dim"] = [3, side, 8, 8, 1, 1, 1, 1]
    header = parsed(made)
    assert header.shape == (side, 8, 8)
    assert header.nbytes == side * 128
    made["dim"] = [3, 512, 512, 512, 1, 1, 1, 1]
    assert parsed(made).shape == (512, 512, 512)


@pytest.mark.parametrize(
    ("stored", "meant"), [((2, 3), (2, 3)), ((0, 3), (1, 0)), ((np.nan, np.nan), (1, 0)), ((-1, 0), (-1, 0))]
)
def test_scaling(stored: tuple[float, float], meant: tuple[float, float]) -> None:
    made = sound()
    made.set_sform(np.eye(4), 1)
    made["scl_slope"], made["scl_inter"] = stored
    assert (parsed(made).slope, parsed(made).intercept) == meant


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(("apart", "two"), [(0.0, False), (0.4, False), (12.0, True)])
def test_a_qform_elsewhere_is_kept_beside_the_sform(version: int, apart: float, two: bool) -> None:
    made = sound(version)
    affine, moved = np.diag([-1.0, 1.0, 2.0, 1.0]), np.diag([-1.0, 1.0, 2.0, 1.0])
    moved[1, 3] += apart
    made.set_qform(moved, 1)
    made.set_sform(affine, 2)
    found = parsed(made)
    np.testing.assert_allclose(found.affine, affine)
    assert (found.other is not None) == two
    if two:
        np.testing.assert_allclose(found.other, moved, atol=1e-5)


@pytest.mark.parametrize(
    ("text", "thickness"),
    [
        (b"slice thickness 4.8 mm", 4.8),
        (b"synthetic, Counterscan 1; slice thickness 4 mm", 4.0),
        (b"slice thickness 0 mm", None),
        (b"slice thickness -4 mm", None),
        (b"slice thickness 1e9 mm", None),
        (b"thickness", None),
    ],
)
def test_the_thickness_of_slices_is_read_from_the_description(text: bytes, thickness: float | None) -> None:
    made = sound()
    made.set_sform(np.eye(4), 1)
    made["descrip"] = text
    assert parsed(made).thickness == thickness
