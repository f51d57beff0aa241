"""The generator: its space, its seeds, and that it learns what differs between two classes."""

from __future__ import annotations

import numpy as np
import pytest

from core.augment.classifier import classic, train_classifier
from core.augment.generator import train_generator, with_weights
from core.augment.image_set import ImageSet, Kind
from core.augment.pixel_space import fit_space
from core.events import finish


def blobs(count: int, seed: int, kind: Kind = "rgb", channels: int = 3, side: int = 6) -> ImageSet:
    """Return images with a bright left half (class 0) or right half (class 1)."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    values = 0.4 + 0.05 * rng.standard_normal((count, channels, side, side))
    values[labels == 0, :, :, : side // 2] += 0.3
    values[labels == 1, :, :, side // 2 :] += 0.3
    return ImageSet(values.astype(np.float32), labels.astype(np.int64), ("left", "right"), np.arange(count), kind)


def test_a_space_is_undone_and_has_variance_one() -> None:
    images = blobs(40, 0)
    space = fit_space(images)
    inside = space.encode(images.values)
    assert inside.shape == (40, 3, 8, 8)
    np.testing.assert_allclose(inside[:, :, :6, :6].std(axis=(0, 2, 3)), 1, atol=0.05)
    np.testing.assert_allclose(space.decode(inside, np.random.default_rng(0)), images.values, atol=1e-4)


def test_many_bands_become_six_components_and_their_noise_comes_back() -> None:
    images = blobs(60, 0, "ir", channels=20)
    space = fit_space(images)
    assert space.channels == 6
    again = space.decode(space.encode(images.values), np.random.default_rng(0))
    np.testing.assert_allclose(again.std(axis=(0, 2, 3)), images.values.std(axis=(0, 2, 3)), rtol=0.1)


def test_a_generator_draws_what_its_classes_show() -> None:
    images = blobs(40, 0)
    values, labels = finish(train_generator(images, 150, 1)).images(32, 5)
    assert values.shape == (32, *images.values.shape[1:])
    assert np.bincount(labels).tolist() == [16, 16]
    brighter = values[..., :3].mean(axis=(1, 2, 3)) > values[..., 3:].mean(axis=(1, 2, 3))
    assert (brighter == (labels == 0)).mean() > 0.9


@pytest.mark.parametrize("kind", ["rgb", "ir"])
def test_a_seed_fixes_training_and_images(kind: Kind) -> None:
    images = blobs(40, 0, kind, channels=3 if kind == "rgb" else 8)
    trained, again = (finish(train_generator(images, 5, 1)) for _ in range(2))
    values, _ = trained.images(20, 5)
    assert values.min() >= images.values.min() and values.max() <= images.values.max()
    assert (again.images(20, 5)[0] == values).all()
    assert (trained.images(20, 6)[0] != values).any()
    restored = with_weights(images, trained.network.state_dict())
    assert (restored.images(20, 5)[0] == values).all()


def test_a_classifier_learns_and_its_seed_fixes_it() -> None:
    training, test = blobs(40, 0), blobs(60, 9)
    steps = train_classifier(training, 30, 0)
    assert next(steps) == 1
    trained = finish(steps)
    assert trained.correct(test).mean() > 0.9
    assert trained.features(test.values).shape == (60, 64)
    again = finish(train_classifier(training, 30, 0))
    assert (again.features(test.values) == trained.features(test.values)).all()
    # turned to and fro, left and right cannot be told apart
    assert finish(train_classifier(training, 30, 0, classic)).correct(test).mean() < 0.9
