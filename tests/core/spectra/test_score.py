from __future__ import annotations

import numpy as np
import pytest

from core.spectra.score import fit_score


def two_sources(count: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Spectra = class level x first pattern + large nuisance x second pattern + noise."""
    rng = np.random.default_rng(0)
    labels = np.arange(count) % 4
    first, second = np.eye(12)[2] + np.eye(12)[5], np.eye(12)[5] - np.eye(12)[8]
    cue = labels - 1.5 + 0.2 * rng.standard_normal(count)
    spectra = np.outer(cue, first) + np.outer(5 * rng.standard_normal(count), second)
    return spectra + 0.05 * rng.standard_normal((count, 12)) + 1, labels, cue


def test_the_score_follows_the_class_and_not_the_nuisance() -> None:
    spectra, labels, cue = two_sources()
    score = fit_score(spectra, labels, shrinkage=1e-3)
    found = score.of(spectra)
    assert abs(np.corrcoef(found, cue)[0, 1]) > 0.99
    assert found.std() == pytest.approx(1, abs=1e-6)
    assert found.mean() == pytest.approx(0, abs=1e-6)


def test_one_step_along_the_pattern_is_one_unit_of_score() -> None:
    spectra, labels, _ = two_sources()
    score = fit_score(spectra, labels)
    np.testing.assert_allclose(score.of(spectra + 0.7 * score.pattern), score.of(spectra) + 0.7, atol=1e-9)


def test_more_absorbance_is_a_higher_score() -> None:
    rng = np.random.default_rng(1)
    labels = np.arange(90) % 3
    spectra = 1 + 0.3 * labels[:, None] + 0.01 * rng.standard_normal((90, 5))
    assert np.corrcoef(fit_score(spectra, labels).of(spectra), spectra.mean(axis=1))[0, 1] > 0.99
