from __future__ import annotations

import numpy as np
import pytest

from core.failure.diagnostics.ablation import hide, hide_structures, prominence_of, remove_mean, shuffle_pixels
from core.failure.diagnostics.model_under_test import Float
from tests.core.failure.diagnostics.formula_models import TEST, by_form, mean_spectrum, under_test


def test_a_model_of_the_mean_spectrum_keeps_all_when_pixels_are_shuffled() -> None:
    found = shuffle_pixels(under_test(mean_spectrum))
    assert found.figure.value == pytest.approx(1, abs=0.02)
    assert found.figures["logits"].value == pytest.approx(1, abs=0.02)
    assert found.decides


def test_a_model_that_knows_the_form_keeps_nothing() -> None:
    labels = TEST.labels

    def knowing(values: np.ndarray) -> np.ndarray:
        # right on the patches as they are, and at a loss about any others
        same = len(values) == len(labels) and np.array_equal(values, TEST.ir)
        return np.eye(4, dtype=np.float32)[labels if same else (labels + np.arange(len(labels))) % 4]

    found = shuffle_pixels(under_test(knowing))
    assert abs(found.figure.value) < 0.15
    assert found.figures["logits"].value < 0.1
    assert remove_mean(under_test(knowing)).figure.value < 0.4


def test_what_is_left_of_the_logits_does_not_mind_that_shuffled_pixels_look_like_one_class() -> None:
    def biased(values: Float) -> Float:
        # of the mean spectrum, and sure of the first class where neighbours differ much
        rough = np.abs(np.diff(values, axis=3)).mean(axis=(1, 2, 3))
        limit = np.abs(np.diff(TEST.ir, axis=3)).mean(axis=(1, 2, 3)).max()
        first = np.eye(4, dtype=np.float32)[0]
        return np.asarray(mean_spectrum(values) + 100 * (rough > limit)[:, None] * first, np.float32)

    found = shuffle_pixels(under_test(biased))
    assert abs(found.figure.value) < 0.15
    assert found.figures["logits"].value > 0.8


def test_without_its_mean_a_model_of_the_mean_is_at_chance() -> None:
    found = remove_mean(under_test(mean_spectrum))
    assert found.figures["accuracy"].value < 0.4
    assert not found.decides


def test_hiding_paints_the_pixels_that_stand_out() -> None:
    values = np.full((1, 3, 10, 10), 0.2, np.float32)
    values[:, :, 4:6, 4:6] = 1.0
    prominence = prominence_of(values, np.full(3, 0.01))
    hidden = hide(values, prominence, 0.1)
    np.testing.assert_allclose(hidden, 0.2, atol=1e-6)
    np.testing.assert_array_equal(hide(values, prominence, 0.0)[:, :, 0], values[:, :, 0])


def test_hidden_structures_cost_a_model_of_the_mean_little() -> None:
    found = hide_structures(under_test(mean_spectrum))
    assert found.figure.value > 0.4
    assert found.lines[0].x == (0.0, 0.1, 0.3, 0.5)
    assert found.figure.value > hide_structures(under_test(by_form)).figure.value or np.isnan(
        hide_structures(under_test(by_form)).figure.value
    )
