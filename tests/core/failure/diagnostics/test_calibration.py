from __future__ import annotations

import math

import numpy as np
import pytest

from core.failure.diagnostics.calibration import calibration_rise, expected_error, probabilities, reliability
from core.measure.intervals import Interval


def test_a_model_that_is_as_right_as_it_says_has_no_error() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.3, 1, 20_000)
    right = (rng.random(20_000) < confidence).astype(float)
    ones = np.ones((1, 20_000))
    assert expected_error(confidence, right, ones)[0] < 0.02
    assert expected_error(np.minimum(confidence + 0.2, 1), right, ones)[0] > 0.12


def test_the_error_is_the_gap_of_the_only_bin() -> None:
    assert expected_error(np.full(4, 0.9), np.array([1.0, 0, 1, 0]), np.ones((1, 4)))[0] == pytest.approx(0.4)


def test_scores_of_a_sure_and_right_model() -> None:
    labels = np.arange(30) % 3
    found = reliability("id", 50 * np.eye(3)[labels], labels, np.ones((3, 30)))
    assert found.ece.value == pytest.approx(0, abs=1e-9)
    assert found.brier.value == pytest.approx(0, abs=1e-9)
    assert found.nll.value == pytest.approx(0, abs=1e-9)
    assert (found.confidence, found.accuracy, found.share) == ((1.0,), (1.0,), (1.0,))
    doubtful = reliability("id", np.zeros((30, 3)), labels, np.ones((3, 30)))
    assert doubtful.nll.value == pytest.approx(math.log(3))
    assert doubtful.brier.value == pytest.approx(2 / 3)


def test_the_rise_is_that_of_the_worst_set() -> None:
    found = calibration_rise({"id": Interval(0.04), "external": Interval(0.10), "mie": Interval(0.30)})
    assert found.figure.value == pytest.approx(0.26)
    assert "scattering by cells" in found.title and found.decides
    assert math.isnan(calibration_rise({"id": Interval(0.04)}).figure.value)


def test_large_logits_do_not_overflow() -> None:
    np.testing.assert_allclose(probabilities(np.array([[1e5, 0.0], [-1e5, -1e5]])), [[1.0, 0.0], [0.5, 0.5]])
