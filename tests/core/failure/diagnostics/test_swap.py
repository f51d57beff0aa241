from __future__ import annotations

import numpy as np
import pytest

from core.failure.diagnostics.swap import draw_pairs, swap_noise, swap_score
from tests.core.failure.diagnostics.formula_models import by_floor, by_form, by_score, under_test


def test_a_model_of_one_number_follows_it() -> None:
    found = swap_score(under_test(by_score))
    assert found.figure.value >= 0.95
    assert found.figures["rest"].value <= 0.02
    assert found.figures["gain"].value >= 0.5


def test_a_model_of_form_does_not() -> None:
    found = swap_score(under_test(by_form))
    assert found.figure.value <= 0.02
    assert found.figures["rest"].value >= 0.95


def test_a_model_of_the_noise_floor_passes_the_swap_and_is_caught_by_the_noise_probe() -> None:
    model = under_test(by_floor)
    assert swap_score(model).figure.value < 0.15
    found = swap_noise(model)
    assert found.figure.value >= 0.15
    assert found.decides


@pytest.mark.parametrize("model", [by_score, by_form])
def test_models_that_do_not_look_at_the_noise_are_not_accused_of_it(model: object) -> None:
    assert swap_noise(under_test(model)).figure.value < 0.07  # type: ignore[arg-type]


def test_a_model_that_says_one_class_follows_nothing() -> None:
    found = swap_score(under_test(lambda values: np.tile(np.array([1, 0, 0, 0], np.float32), (len(values), 1))))
    assert (found.figure.value, found.figures["rest"].value) == (0, 1)
    assert np.isnan(swap_noise(under_test(lambda values: np.zeros((len(values), 4), np.float32))).figure.value)


def test_donors_are_of_another_class_and_allowed() -> None:
    classes = np.array([0, 0, 1, 2])
    allowed = np.ones((4, 4), bool)
    allowed[0, 2] = allowed[1, 2] = allowed[1, 3] = False
    pairs = draw_pairs(classes, np.random.default_rng(0), allowed)
    assert dict(zip(pairs.patches, pairs.donors, strict=True))[0] == 3
    assert 1 not in pairs.patches
    assert (classes[pairs.patches] != classes[pairs.donors]).all()
