"""Quality of samples: good ones, collapsed ones, and copies, which are caught."""

from __future__ import annotations

import numpy as np
import pytest

from core.augment.sample_quality import Float, coverage, memorisation, nearest
from core.spectra.simulated_tissue import simulate


@pytest.fixture(scope="module")
def pictures() -> Float:
    found = simulate("none", 420, 5).rgb
    assert found is not None
    return found


def test_new_real_images_lie_among_real_ones() -> None:
    rng = np.random.default_rng(0)
    real, made = rng.standard_normal((2, 300, 4)).astype(np.float32)
    found = coverage(real, made)
    assert min(found.precision, found.recall, found.coverage) > 0.9


def test_a_collapsed_generator_is_precise_and_covers_little() -> None:
    rng = np.random.default_rng(0)
    real = rng.standard_normal((300, 4)).astype(np.float32)
    found = coverage(real, 0.1 * rng.standard_normal((300, 4)).astype(np.float32))
    assert found.precision > 0.9 and found.recall < 0.1 and found.coverage < 0.3


def test_noise_is_not_precise() -> None:
    rng = np.random.default_rng(0)
    real = rng.standard_normal((300, 4)).astype(np.float32)
    assert coverage(real, 20 * rng.standard_normal((300, 4)).astype(np.float32)).precision < 0.1


@pytest.mark.parametrize("change", ["none", "noise", "brightness", "a quarter of them"])
def test_a_generator_that_returns_training_images_is_caught(pictures: Float, change: str) -> None:
    training, fresh, other = pictures[:100], pictures[100:300], pictures[300:]
    made = training.copy()
    if change == "noise":
        made = made + 0.05 * np.random.default_rng(0).standard_normal(made.shape).astype(np.float32)
    if change == "brightness":
        made = 0.97 * made
    if change == "a quarter of them":
        made[25:] = other[:75]
    found = memorisation(training, fresh, made)
    assert found.copies, found
    assert found.share.value > 0.2


def test_new_images_and_blurred_ones_are_no_copies(pictures: Float) -> None:
    training, fresh, other = pictures[:100], pictures[100:300], pictures[300:]
    assert not memorisation(training, fresh, other).copies
    mean = np.repeat(training.mean(axis=0, keepdims=True), 100, axis=0)
    assert not memorisation(training, fresh, mean).copies


def test_the_nearest_training_image_is_found(pictures: Float) -> None:
    numbers, distances = nearest(pictures[:50], pictures[[7, 30]])
    assert numbers.tolist() == [7, 30] and (distances == 0).all()
