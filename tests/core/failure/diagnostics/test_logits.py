from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.failure.diagnostics.logits import agreement, effective_rank, one_component, participation_ratio, rank
from core.failure.diagnostics.model_under_test import weighted_outcomes
from tests.core.failure.diagnostics.formula_models import by_score, under_test


@given(st.integers(1, 30))
def test_the_rank_of_equal_directions_is_their_number(count: int) -> None:
    singular = np.linalg.svd(np.eye(count), compute_uv=False)
    assert effective_rank(singular) == pytest.approx(count, abs=1e-6)
    assert participation_ratio(singular) == pytest.approx(count)


def test_the_rank_of_one_direction_is_one() -> None:
    singular = np.linalg.svd(np.outer([1.0, 2, 3], [1.0, -1]), compute_uv=False)
    assert effective_rank(singular) == pytest.approx(1, abs=1e-6)
    assert effective_rank([0.0, 0.0]) == participation_ratio([0.0]) == 0


def test_a_model_of_one_number_keeps_a_high_rank_and_that_is_why_rank_does_not_decide() -> None:
    found = rank(under_test(by_score).outcomes, np.eye(300)[:, :7])
    assert found.figure.value < 0.97 and found.figures["erank"].value > 1.2
    assert not found.decides and "Not used for the verdict" in found.reason
    assert found.figures["feature_erank"].value > 6
    assert sum(found.lines[0].y) == pytest.approx(1)


def test_two_classes_have_one_direction_and_the_reason_says_so() -> None:
    logits = np.random.default_rng(0).standard_normal((40, 1)) * np.array([[1.0, -1.0]])
    labels = (logits[:, 0] < 0).astype(np.int64)
    found = rank(weighted_outcomes(logits, labels, logits[:, 0], labels, None, 10))
    assert found.figure.value == pytest.approx(1)
    assert "two classes" in found.reason


def test_one_component_is_enough_for_two_classes() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 2
    logits = np.outer(4.0 * labels - 2 + rng.standard_normal(200), [-1.0, 1.0])
    found = one_component(weighted_outcomes(logits, labels, logits[:, 0], labels, None, 20))
    assert found.figure.value == pytest.approx(1, abs=0.03)
    assert not found.decides


def test_agreement_with_itself_is_whole_and_of_errors_too() -> None:
    outcomes = under_test(by_score).outcomes
    found = agreement(outcomes)
    assert found.figure.value == 1
    assert found.figures["error_kappa"].value == pytest.approx(1)


def test_errors_that_are_drawn_apart_do_not_agree() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(4, size=4000)
    first, second = (np.where(rng.random(4000) < 0.3, (labels + 1) % 4, labels) for _ in range(2))
    found = agreement(weighted_outcomes(np.eye(4)[first], labels, labels.astype(np.float64), second, None, 10))
    assert abs(found.figures["error_kappa"].value) < 0.06
    assert found.figure.value == pytest.approx(0.58, abs=0.04)
