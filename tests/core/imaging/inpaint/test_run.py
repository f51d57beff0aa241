from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserError
from core.files.nifti import Stored, read_stored, write_stored
from core.imaging.inpaint import run
from core.imaging.inpaint.run import grow, read_case
from core.result import Note
from tests.contract.phantom import write_phantom


def one_voxel(side: int = 11) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    mask = np.zeros((side, side, side), bool)
    mask[side // 2, side // 2, side // 2] = True
    return mask


@given(st.floats(0, 6), st.tuples(*[st.floats(0.5, 3)] * 3))
def test_growing_a_voxel_makes_a_ball_in_millimetres(mm: float, spacing: tuple[float, float, float]) -> None:
    mask = one_voxel()
    centre = np.indices(mask.shape) - mask.shape[0] // 2
    distance = np.sqrt(sum((axis * size) ** 2 for axis, size in zip(centre, spacing, strict=True)))
    near, far = distance <= mm - 1e-9, distance <= mm + 1e-9
    grown = grow(mask, spacing, mm, np.ones_like(mask))
    assert (grown >= (near | mask)).all()
    assert (grown <= (far | mask)).all()


def test_growth_stays_within_the_head_but_keeps_the_mask() -> None:
    mask = one_voxel()
    head = np.zeros_like(mask)
    head[:5] = True
    grown = grow(mask, (1, 1, 1), 3, head)
    assert grown[5, 5, 5]
    assert not (grown & ~mask & ~head).any()
    assert grown[4, 5, 5]


def test_a_case_is_voided_where_the_mask_is(tmp_path: Path) -> None:
    paths = write_phantom(tmp_path)
    case = read_case(paths["t1"], paths["mask"])
    assert not case.problem.image[case.mask].any()
    np.testing.assert_array_equal(case.problem.image[~case.mask], case.volume.data[~case.mask])
    assert case.problem.spacing == pytest.approx((1.0, 1.1, 1.0))
    voxels = int(case.mask.sum())
    assert case.mask_ml == pytest.approx(voxels * 1.1 / 1000, abs=1e-3)
    wider = read_case(paths["t1"], paths["mask"], grow_mm=2)
    assert (wider.mask >= case.mask).all()
    assert wider.mask.sum() > voxels


def test_another_contrast_given_as_t1_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note = Note("warning", "It looks like T2.")
    monkeypatch.setattr(run, "mistaken", lambda contrast, volume, head: (note,) if contrast == "t1" else ())
    paths = write_phantom(tmp_path)
    assert note in read_case(paths["t1"], paths["mask"]).notes


@pytest.mark.parametrize(("fill", "code"), [(0, "empty_mask"), (1, "mask_too_large")])
def test_a_mask_that_cannot_be_filled_is_refused(tmp_path: Path, fill: int, code: str) -> None:
    paths = write_phantom(tmp_path)
    scan = read_stored(paths["t1"])
    head = (scan.values > 0).astype(np.uint8) * np.uint8(fill)
    write_stored(paths["mask"], Stored(head, scan.affine))
    with pytest.raises(UserError) as caught:
        read_case(paths["t1"], paths["mask"])
    assert caught.value.code == code
