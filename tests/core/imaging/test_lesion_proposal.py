from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import UserError
from core.imaging.lesion_proposal import propose
from core.volume import Volume

SHAPE = (76, 92, 76)
SPACING = 2.0
AFFINE = np.diag([SPACING, SPACING, SPACING, 1.0])


def ball(centre: tuple[float, float, float], radius: float) -> NDArray[np.bool_]:
    """Return a ball; centre in mm from the middle of the grid."""
    at = np.indices(SHAPE).astype(float) * SPACING
    middle = (np.array(SHAPE) - 1) * SPACING / 2
    apart = [axis - middle[i] - centre[i] for i, axis in enumerate(at)]
    return np.asarray(sum(one**2 for one in apart) < radius**2)


def head(level: float) -> NDArray[np.float32]:
    """Return a stripped brain with dark ventricles on both sides."""
    at = np.indices(SHAPE).astype(float) * SPACING
    middle = (np.array(SHAPE) - 1) * SPACING / 2
    x, y, z = (axis - middle[i] for i, axis in enumerate(at))
    brain = (x / 62) ** 2 + (y / 78) ** 2 + (z / 60) ** 2 < 1
    noise = np.random.default_rng(0).normal(0, 0.1 * level, SHAPE)
    made = np.where(brain, level + noise + 0.001 * level * y, 0)
    for side in (-14, 14):
        made[ball((side, -6, 6), 9)] *= 0.4
    return made.astype(np.float32)


def dice(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def test_a_bright_mass_on_flair_is_proposed_and_the_ventricles_are_not() -> None:
    lesion = ball((30, 10, 10), 16)
    t1, flair = head(800), head(300)
    t1[lesion] *= 0.7
    flair[lesion] *= 1.6
    found = propose(Volume(t1, AFFINE), Volume(flair, AFFINE))
    assert found.basis == "flair"
    assert dice(found.mask, lesion) > 0.8


def test_small_bright_places_are_proposed_where_there_is_no_mass() -> None:
    lesions = ball((30, 20, 10), 5) | ball((-28, 10, 14), 5)
    t1, flair = head(800), head(300)
    flair[lesions] *= 1.5
    found = propose(Volume(t1, AFFINE), Volume(flair, AFFINE))
    assert found.basis == "flair-small"
    assert dice(found.mask, lesions) > 0.7


def test_a_dark_mass_on_t1_alone_is_proposed_on_its_own_side() -> None:
    lesion = ball((30, 10, 10), 16)
    t1 = head(800)
    t1[lesion] *= 0.6
    found = propose(Volume(t1, AFFINE))
    assert found.basis == "t1"
    assert dice(found.mask, lesion) > 0.7


def test_a_healthy_brain_has_no_proposal_and_two_grids_are_refused() -> None:
    healthy = Volume(head(800), AFFINE)
    with pytest.raises(UserError) as nothing:
        propose(healthy)
    assert nothing.value.code == "proposal_empty"
    with pytest.raises(UserError) as refused:
        propose(healthy, Volume(np.ones((4, 4, 4), np.float32), AFFINE))
    assert refused.value.code == "wrong_input"
