"""Training sets of the arms, and that no group is on two sides."""

from __future__ import annotations

import numpy as np
import pytest

from core.augment.arms import ALONE, CLASSIC, DUPLICATES, OPEN, SHUFFLED, SYNTHETIC, Protocol, title_of, training_set
from core.augment.exchange_rate import Arm
from core.augment.image_set import StudyData, nested_order, require_enough
from core.errors import UserError
from tests.core.augment.planted import points


def test_a_group_in_two_parts_is_refused() -> None:
    pool, test = points(40, 4, 0, 1), points(40, 4, 10, 2)
    StudyData((pool,), test, None, "file", "points")
    with pytest.raises(ValueError, match="two parts"):
        StudyData((pool,), test, points(40, 4, 13, 3), "file", "points")
    with pytest.raises(ValueError, match="two parts"):
        StudyData((pool, points(40, 4, 3, 3)), test, None, "file", "points")


def test_every_beginning_of_an_order_has_all_classes() -> None:
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    order = nested_order(labels, 3)
    assert sorted(order) == list(range(100))
    for count in (20, 50, 80):
        shares = np.bincount(labels[order[:count]], minlength=3) / count
        np.testing.assert_allclose(shares, [0.6, 0.3, 0.1], atol=0.06)
    assert (nested_order(labels, 3) == order).all() and (nested_order(labels, 4) != order).any()


def test_too_few_images_are_refused() -> None:
    data = StudyData((points(40, 4, 0, 1),), points(40, 4, 10, 2), None, "file", "points")
    require_enough(data, (10, 20))
    with pytest.raises(UserError, match="too_few_images"):
        require_enough(data, (10, 21))


def test_what_each_arm_is_trained_on() -> None:
    pool = points(60, 4, 0, 1)
    order = nested_order(pool.labels, 0)
    new = points(80, 1, 50, 9)
    made = new.values, new.labels
    base = pool.values[order[:20]]

    def of(name: str, added: int = 40) -> tuple[int, bool, np.ndarray, np.ndarray]:
        found = training_set(
            Arm(name, 20, added), pool, order, made if name in (SYNTHETIC, SHUFFLED, ALONE) else None, 0
        )
        return len(found), bool((found.values[:20] == base).all()), found.values, found.labels

    assert of(SYNTHETIC)[:2] == (60, True)
    assert (of(SYNTHETIC)[2][20:] == new.values[:40]).all()
    assert of(ALONE)[:2] == (40, False)
    assert of(CLASSIC, 0)[:2] == (20, True)
    shuffled = of(SHUFFLED)
    assert (shuffled[2] == of(SYNTHETIC)[2]).all() and (shuffled[3] != of(SYNTHETIC)[3]).any()
    assert sorted(shuffled[3]) == sorted(of(SYNTHETIC)[3])
    assert {each.tobytes() for each in of(DUPLICATES)[2]} == {each.tobytes() for each in base}


def test_an_open_set_is_an_arm_of_its_own_at_every_amount() -> None:
    closed, with_open = (Protocol((30, 60), (1.0, 4.0), (0, 1), 240, is_open) for is_open in (False, True))
    more = set(with_open.arms()) - set(closed.arms())
    assert more == {Arm(OPEN, base, base * multiple) for base in (30, 60) for multiple in (1, 4)}
    assert title_of(Arm(SYNTHETIC, 30, 120)) == "Real + synthetic, 30 + 120"
