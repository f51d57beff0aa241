from __future__ import annotations

import numpy as np
import pytest

from core.failure.diagnostics.capacity import gain_over_plain, last_layer_gap, unmeasured_gap
from core.failure.diagnostics.model_under_test import weighted_outcomes


def test_the_gain_is_over_the_best_plain_classifier() -> None:
    labels = np.arange(100) % 4
    ten_wrong, half_wrong = labels.copy(), labels.copy()
    ten_wrong[:10] += 1
    half_wrong[:50] += 1
    outcomes = weighted_outcomes(np.eye(5)[labels], labels, labels.astype(np.float64), labels, None, 30)
    found = gain_over_plain(outcomes, {"all": ten_wrong, "one": half_wrong})
    assert found.figure.value == pytest.approx(0.1)
    assert found.figures["one"].value == pytest.approx(0.5)
    assert found.decides and "all" in found.reason


def test_a_new_last_layer_finds_features_that_the_old_one_ignored() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 4
    features = (rng.standard_normal((400, 6)) + 6 * np.eye(6)[labels]).astype(np.float32)
    old = rng.standard_normal((200, 4)).astype(np.float32)
    halves = (features[:200], labels[:200]), (features[200:], labels[200:])
    found = last_layer_gap(*halves, old, np.ones((5, 200)))
    assert found.figures["after"].value > 0.95
    assert found.figure.value == pytest.approx(found.figures["after"].value - found.figures["before"].value)
    assert not found.decides


def test_without_such_patches_it_is_not_measured() -> None:
    assert np.isnan(unmeasured_gap().figure.value)
