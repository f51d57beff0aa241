from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.errors import UserError
from core.imaging.superres.geometry import describe_geometry, geometry, in_file_order
from core.tasks import find
from core.volume import Orientation, corners, orientation_of, ras_affine, spacing

Affine = NDArray[np.float64]
DEFAULT = find("superres").parse({})


def grid(*size: float) -> Affine:
    affine = np.diag([*size, 1.0])
    affine[:3, 3] = (-90, -126, -72)
    return affine


def params(**given: object) -> dict[str, Any]:
    return find("superres").parse(given)


def refused(code: str, shape: tuple[int, int, int], affine: Affine, **given: object) -> str:
    with pytest.raises(UserError) as caught:
        geometry(shape, affine, params(**given))
    assert caught.value.code == code
    return str(caught.value)


@pytest.mark.parametrize(
    ("own", "made"),
    [
        ((1, 1, 4), (1, 1, 1)),
        ((0.4, 0.4, 6), (0.4, 0.4, 1)),
        ((2, 2, 2), (1, 1, 1)),
        ((1.1, 1.1, 5), (1.1, 1.1, 1.1)),
        ((0.9, 3.3, 1.2), (0.9, 1, 1.2)),
        ((1.5, 1.5, 5), (1, 1, 1)),
    ],
)
def test_thick_axes_become_a_millimetre_and_fine_ones_stay(own: tuple[float, ...], made: tuple[float, ...]) -> None:
    found = geometry((60, 60, 30), grid(*own), DEFAULT)
    assert found.target == pytest.approx(made)
    assert spacing(found.affine) == pytest.approx(made)
    for axis in range(3):
        assert (axis in found.refined) == (made[axis] != own[axis])
        assert found.acquisition.axes[axis].untouched == (axis not in found.refined)


sizes = st.floats(0.3, 7)


@given(
    st.tuples(sizes, sizes, st.floats(2, 7)),
    st.tuples(*[st.integers(8, 40)] * 3),
    st.tuples(*[st.floats(0.5, 1.5)] * 3),
    st.tuples(*[st.floats(-0.5, 0.5)] * 3),
)
def test_every_measured_voxel_lies_where_its_slice_was(
    own: tuple[float, float, float],
    shape: tuple[int, int, int],
    target: tuple[float, float, float],
    turn: tuple[float, float, float],
) -> None:
    affine = grid(*own)
    c, s = np.cos(turn[0]), np.sin(turn[0])
    affine[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ affine[:3, :3]
    found = geometry(shape, affine, params(spacing=target))
    centres = [axis.centres for axis in found.acquisition.axes]
    rng = np.random.default_rng(0)
    for _ in range(5):
        index = [int(rng.integers(side)) for side in shape]
        place = np.array([*(centres[axis][index[axis]] for axis in range(3)), 1.0])
        np.testing.assert_allclose(found.affine @ place, affine @ [*index, 1.0], atol=1e-4)
    # the same field of view, to half a new voxel at each end
    middle, middle_made = (
        corners(each, sides).mean(axis=0) for each, sides in ((affine, shape), (found.affine, found.shape))
    )
    np.testing.assert_allclose(middle_made, middle, atol=1e-4)
    extents = (np.array(found.shape) * found.target, np.array(shape) * np.array(own))
    assert (np.abs(extents[0] - extents[1]) <= 0.5 * np.array(found.target) + 1e-6).all()
    assert found.acquisition.coarse == shape


@given(st.permutations([0, 1, 2]), st.tuples(*[st.booleans()] * 3))
def test_the_way_back_to_the_file_is_exact(axes: list[int], flips: tuple[bool, bool, bool]) -> None:
    orientation = Orientation((axes[0], axes[1], axes[2]), flips)
    shape = (20, 30, 40)
    ras = grid(1.0, 0.9, 1.3)
    stored = in_file_order(ras, shape, orientation)
    in_file = orientation.from_ras(np.zeros(shape)).shape
    found = orientation_of(stored)
    assert (found.axes, found.flips) == (tuple(axes), flips)
    np.testing.assert_allclose(ras_affine(stored, in_file), ras, atol=1e-9)


def test_slices_thinner_than_their_distance_leave_gaps_and_thicker_ones_overlap() -> None:
    gap = geometry((60, 60, 20), grid(1, 1, 5), params(thickness=4))
    assert gap.acquisition.axes[2].thickness == pytest.approx(4)
    assert "gaps of 1 mm" in " ".join(describe_geometry(gap))
    wide = geometry((60, 60, 20), grid(1, 1, 5), params(thickness=6, profile="gaussian"))
    words = " ".join(describe_geometry(wide))
    assert "overlapping by 1 mm" in words and "Gaussian" in words and "Relax" in words
    plain = describe_geometry(geometry((60, 50, 20), grid(1, 1, 5), DEFAULT))
    assert plain[1] == "Taken as 20 axial slices, each 5 mm thick with a box profile, touching (no thickness is known)."
    assert plain[2].startswith("To be made: 60 x 50 x 100 voxels of 1 x 1 x 1 mm.")


def test_the_thickness_that_a_header_states_is_taken_where_none_is_given() -> None:
    stated = geometry((60, 60, 20), grid(1, 1, 4.8), DEFAULT, (2, 4.0))
    assert stated.thickness == pytest.approx((1, 1, 4)) and stated.acquisition.axes[2].thickness == pytest.approx(4)
    assert "gaps of 0.8 mm (as the scan's header states)" in describe_geometry(stated)[1]
    given = geometry((60, 60, 20), grid(1, 1, 4.8), params(thickness=4.8), (2, 4.0))
    assert given.thickness[2] == pytest.approx(4.8) and "(as given)" in describe_geometry(given)[1]


def test_a_stated_thickness_of_another_axis_or_an_impossible_one_is_not_taken() -> None:
    assert geometry((20, 60, 60), grid(4.8, 1, 1), DEFAULT, (2, 0.9)).thickness == pytest.approx((4.8, 1, 1))
    odd = geometry((60, 60, 20), grid(1, 1, 4.8), DEFAULT, (2, 20.0))
    assert odd.thickness[2] == pytest.approx(4.8) and "20 mm thick" in odd.notices[0]


def test_distances_across_a_slanted_axis_are_perpendicular() -> None:
    affine = grid(1, 1, 2.25)
    affine[1, 2] = 0.75
    found = geometry((60, 60, 20), affine, DEFAULT)
    assert found.measured == pytest.approx((1, 1, 2.25))


def test_thickness_is_that_of_the_thickest_axis() -> None:
    found = geometry((20, 60, 30), grid(5, 1, 2), params(thickness=4))
    assert found.thickness == pytest.approx((4, 1, 2))
    assert "sagittal" in describe_geometry(found)[1]


def test_an_axis_finer_than_the_target_stays_and_says_so() -> None:
    found = geometry((60, 60, 30), grid(0.5, 1, 4), params(spacing=[1, 1, 2]))
    assert found.target == pytest.approx((0.5, 1, 2))
    assert "Along X the scan is finer" in found.notices[0]


@pytest.mark.parametrize("own", [(1, 1, 1), (0.9, 1.2, 0.9), (0.4, 0.4, 1.2)])
def test_a_scan_that_is_sharp_already_is_refused(own: tuple[float, ...]) -> None:
    assert "no axis is coarser" in refused("no_thick_axis", (60, 60, 60), grid(*own))


@pytest.mark.parametrize("wrong", [0.5, 0.99, 10.1, 20])
def test_an_implausible_thickness_is_refused_with_what_is_accepted(wrong: float) -> None:
    assert "1 to 10 mm are accepted" in refused("bad_thickness", (60, 60, 30), grid(1, 1, 5), thickness=wrong)


def test_absurd_sizes_are_refused_with_the_numbers() -> None:
    assert "20 from one" in refused("factor_too_large", (60, 60, 10), grid(1, 1, 10), spacing=[0.5, 0.5, 0.5])
    assert "1100" in refused("result_too_large", (60, 60, 220), grid(1, 1, 5), spacing=[1, 1, 1])
    assert "million" in refused("result_too_large", (300, 300, 300), grid(2, 2, 2), spacing=[1, 1, 1])
    notice = geometry((60, 60, 10), grid(1, 1, 10), DEFAULT).notices
    assert "more than the network was trained for" in notice[0]
