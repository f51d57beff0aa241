from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from core.bench.regions import hole

Bool = NDArray[np.bool_]
SPACING = (3.0, 4.0, 3.5)


def ball(radius_mm: float) -> Bool:
    x, y, z = np.ogrid[:30, :30, :30]
    squares = ((x - 14.5) * SPACING[0]) ** 2 + ((y - 14.5) * SPACING[1]) ** 2 + ((z - 14.5) * SPACING[2]) ** 2
    return np.asarray(squares < radius_mm**2)


BRAIN = ball(42)
PLACES = {"cortex": BRAIN & ~ball(33), "white matter": ball(30)}


@given(st.floats(2.0, 45.0), st.integers(0, 50), st.text(max_size=8))
def test_a_hole_is_connected_inside_the_brain_and_of_the_size_asked(volume_ml: float, index: int, subject: str) -> None:
    made = hole(BRAIN, PLACES, SPACING, volume_ml, subject, index)
    assert not (made.mask & ~BRAIN).any()
    assert made.mask[made.centre]
    assert PLACES[made.place][made.centre]
    assert ndimage.label(made.mask)[1] == 1
    assert made.mask.sum() * np.prod(SPACING) / 1000 == pytest.approx(volume_ml, abs=0.022)


def test_the_same_seed_gives_the_same_hole_and_another_another() -> None:
    first, again, other = (hole(BRAIN, PLACES, SPACING, 12.0, "1015", index) for index in (0, 0, 1))
    assert np.array_equal(first.mask, again.mask)
    assert not np.array_equal(first.mask, other.mask)


def test_the_surface_stays_known_by_the_margin() -> None:
    deep, reaching = (hole(BRAIN, {"cortex": ball(33)}, SPACING, 45.0, "1018", 0, margin) for margin in (8.0, 0.0))
    assert not (deep.mask & ~ball(39)).any()
    assert (reaching.mask & ~ball(39)).any()


def test_places_take_turns() -> None:
    assert {hole(BRAIN, PLACES, SPACING, 5.0, "1015", index).place for index in (0, 1)} == set(PLACES)


def test_no_room_is_said() -> None:
    with pytest.raises(ValueError, match="no room"):
        hole(BRAIN, PLACES, SPACING, 500.0, "1015", 0)
    with pytest.raises(ValueError, match="no room"):
        hole(BRAIN, {"cortex": np.zeros_like(BRAIN)}, SPACING, 5.0, "1015", 0)
