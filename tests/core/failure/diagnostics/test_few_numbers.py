from __future__ import annotations

import numpy as np
import pytest

from core.failure.diagnostics.few_numbers import few_numbers
from core.spectra.score import fit_score, fit_scores
from tests.core.failure.diagnostics.formula_models import TRAIN, by_form, by_score, under_test

SCORES = fit_scores(TRAIN.spectra(), TRAIN.labels, 3)


def by_two(values: np.ndarray) -> np.ndarray:
    """A model of two numbers of the mean spectrum, and of no one of them alone."""
    first, second = SCORES.of(values.mean(axis=(2, 3)))[:, :2].T
    places = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
    return np.asarray(first[:, None] * places[:, 0] + second[:, None] * places[:, 1], np.float32)


def test_a_model_of_two_numbers_is_told_from_one_of_one() -> None:
    one, two = (few_numbers(under_test(each), SCORES).figures for each in (by_score, by_two))
    assert one["one"].value > 0.8 and one["swap_one"].value > 0.9
    assert two["one"].value < 0.65 and two["two"].value > two["one"].value + 0.2
    assert two["swap_two"].value > 0.95 > two["swap_one"].value + 0.2


def test_a_model_of_form_follows_no_number() -> None:
    found = few_numbers(under_test(by_form), SCORES)
    assert found.figure.value < 0.15 and not found.decides
    assert all(found.figures[f"swap_{name}"].value < 0.05 for name in ("one", "two", "three"))


def test_scores_are_uncorrelated_and_begin_with_the_one_dimensional_score() -> None:
    spectra = TRAIN.spectra()
    found = SCORES.of(spectra)
    assert found.shape == (len(spectra), 3)
    assert abs(np.corrcoef(found[:, 0], fit_score(spectra, TRAIN.labels).of(spectra))[0, 1]) == pytest.approx(1)
    # two classes have one discriminant; components of the rest follow
    two = fit_scores(spectra, (TRAIN.labels > 1).astype(np.int64), 3).of(spectra)
    for each in (found, two):
        assert np.abs(np.cov(each.T, bias=True) - np.eye(3)).max() < 1e-3


def test_a_move_along_a_pattern_moves_that_score_alone() -> None:
    moved = SCORES.of(TRAIN.spectra() + SCORES.patterns[1]) - SCORES.of(TRAIN.spectra())
    assert np.abs(moved - np.array([0, 1, 0])).max() < 1e-4
