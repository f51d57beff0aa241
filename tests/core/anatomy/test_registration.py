from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.anatomy.registration import register
from core.volume import Volume
from tests.core.brains import brain, grid, inside, rigid


def points() -> NDArray[np.float64]:
    affine, shape = grid()
    return np.asarray(np.argwhere(inside(affine, shape))[::97] @ affine[:3, :3].T + affine[:3, 3])


def error_mm(matrix: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Largest distance, mm, of the brain's voxels from where they belong when ``matrix`` undoes ``truth``."""
    both = matrix @ truth
    return float(np.linalg.norm(points() @ both[:3, :3].T + both[:3, 3] - points(), axis=1).max())


def degrees_of(matrix: NDArray[np.float64]) -> float:
    return float(np.degrees(np.arccos(np.clip((np.trace(matrix[:3, :3]) - 1) / 2, -1, 1))))


@pytest.mark.parametrize(
    ("turn", "shift"),
    [((0, 0, 0), (3, -4, 2)), ((-10, 5, -8), (15, -10, 20)), ((20, -18, 12), (-20, 20, 15))],
)
def test_a_known_movement_is_found_between_two_contrasts(
    turn: tuple[float, float, float], shift: tuple[float, float, float]
) -> None:
    truth = rigid(turn, shift)
    fixed = brain("t1")
    still = brain("t2")
    found = register(fixed, Volume(still.data, truth @ still.affine), fixed.data > 0)
    assert found is not None
    assert error_mm(found.matrix, truth) < 1
    assert degrees_of(found.matrix @ truth) < 1
    moved = np.linalg.norm(points() @ (truth[:3, :3] - np.eye(3)).T + truth[:3, 3], axis=1).mean()
    assert found.distance_mm == pytest.approx(moved, abs=0.5)
    assert found.degrees == pytest.approx(degrees_of(truth), abs=0.5)
    assert found.after > 1.5 * found.before


def test_a_head_that_was_scanned_in_another_position_is_found() -> None:
    # sampled anew in its new place and on other voxels, so that nothing of the grid is shared
    truth = rigid((4, -3, 6), (5, 8, -6))
    fixed = brain("t1")
    affine, shape = grid(2.3, (58, 66, 56))
    found = register(fixed, brain("flair", affine, shape, truth), fixed.data > 0)
    assert found is not None
    assert error_mm(found.matrix, truth) < 1


def test_what_lies_right_is_left_alone() -> None:
    fixed = brain("t1")
    found = register(fixed, brain("t2"), fixed.data > 0)
    assert found is not None
    assert found.distance_mm < 0.3
    assert found.degrees < 0.3
    assert found.after == pytest.approx(found.before, rel=0.01)


def test_the_matrix_is_rigid_and_the_way_back_is_its_inverse() -> None:
    fixed = brain("t1")
    still = brain("t2")
    found = register(fixed, Volume(still.data, rigid((5, 0, 0), (0, 6, 0)) @ still.affine), fixed.data > 0)
    assert found is not None
    np.testing.assert_allclose(found.matrix[:3, :3] @ found.matrix[:3, :3].T, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(found.reversed().matrix @ found.matrix, np.eye(4), atol=1e-9)


def test_the_same_scans_give_the_same_matrix() -> None:
    fixed = brain("t1")
    moving = Volume(brain("t2").data, rigid((2, 0, -3), (4, 0, 0)) @ fixed.affine)
    one, other = (register(fixed, moving, fixed.data > 0) for _ in range(2))
    assert one is not None
    assert other is not None
    np.testing.assert_array_equal(one.matrix, other.matrix)


def test_noise_tells_nothing() -> None:
    fixed = brain("t1")
    noise = np.random.default_rng(0).random(fixed.data.shape).astype(np.float32)
    found = register(fixed, Volume(noise, fixed.affine), fixed.data > 0)
    assert found is None or found.after < 0.1
