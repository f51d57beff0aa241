from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.events import finish
from core.failure.data.modality import channels, images
from core.failure.models.remedies import MATCHED, REMEDIES
from core.failure.models.trained_model import TrainedModel, fit_last_layer
from core.failure.models.training import TrainingSet, fit
from tests.core.failure.made_up_patches import patches


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def training(modality: str = "ir", **how: float) -> TrainingSet:
    made = patches(60, level=0.3, **how)  # type: ignore[arg-type]
    assert made.groups is not None
    balanced = patches(30, seed=1, level=0.3)
    return TrainingSet(
        images(made, modality),
        made.labels,
        3,
        made.groups,
        channels(made, modality)[1],
        modality == "rgb",
        (images(balanced, modality), balanced.labels),
    )


@pytest.mark.parametrize("name", REMEDIES)
def test_every_remedy_trains_and_answers(name: str) -> None:
    remedy, given = REMEDIES[name], training()
    steps = fit(remedy, "cnn", given, 2, 0)
    epochs = []
    while True:
        try:
            epochs.append(next(steps))
        except StopIteration as end:
            trained: TrainedModel = end.value
            break
    assert [each.number for each in epochs] == list(range(1, len(epochs) + 1))
    assert {each.total for each in epochs} == {len(epochs)}
    assert all(np.isfinite(each.loss) and 0 <= each.accuracy <= 1 for each in epochs)
    assert trained.logits(given.values).shape == (60, 3)
    assert trained.features(given.values).shape == (60, 64 * remedy.members)
    assert trained.input_times_gradient(given.values[:4]).shape == given.values[:4].shape
    assert len(trained.members) == remedy.members
    assert np.isfinite(trained.logits(given.values)).all()


@pytest.mark.parametrize("name", ["erm", "full", "dropout", "mixup", "jtt"])
def test_the_same_seed_gives_the_same_bits_and_another_others(name: str) -> None:
    given = training()
    first, again, other = (
        finish(fit(REMEDIES[name], "cnn", given, 1, seed)).logits(given.values) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_what_is_drawn_elsewhere_between_epochs_changes_nothing() -> None:
    given = training()

    def disturbed() -> TrainedModel:
        steps = fit(REMEDIES["dropout"], "cnn", given, 2, 0)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                trained: TrainedModel = end.value
                return trained
            torch.rand(100)

    calm = finish(fit(REMEDIES["dropout"], "cnn", given, 2, 0))
    np.testing.assert_array_equal(disturbed().logits(given.values), calm.logits(given.values))


def test_a_network_learns_what_is_easy() -> None:
    given, test = training(), patches(60, seed=9, level=0.3)
    trained = finish(fit(REMEDIES["erm"], "cnn", given, 30, 0))
    assert trained.losses[-1] < 0.5 * trained.losses[0]
    assert trained.accuracy(test.ir, test.labels) > 0.85


def test_pictures_are_learnt_by_form_and_withstand_another_light() -> None:
    made, test = (patches(120, seed=seed, level=0.3, form=6.0) for seed in (0, 9))
    assert made.groups is not None and test.rgb is not None
    given = TrainingSet(images(made, "rgb"), made.labels, 3, made.groups, channels(made, "rgb")[1], pictures=True)
    trained = finish(fit(REMEDIES["erm"], "cnn", given, 25, 0))
    assert trained.accuracy(test.rgb, test.labels) > 0.9
    # a network of the brightness would not
    assert trained.accuracy(np.clip(0.8 * test.rgb, 0, 1), test.labels) > 0.8


def test_the_matched_picture_trains() -> None:
    given = training("rgb")
    assert finish(fit(MATCHED, "cnn", given, 1, 0)).logits(given.values).shape == (60, 3)


def test_refitting_without_such_patches_is_refused() -> None:
    with pytest.raises(ValueError, match="without the shortcut"):
        finish(fit(REMEDIES["dfr"], "cnn", replace(training(), balanced=None), 1, 0))


@pytest.mark.parametrize("kinds", [2, 3])
def test_a_last_layer_is_a_logistic_regression_of_the_raw_features(kinds: int) -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(120) % kinds
    features = (100 + 3 * rng.standard_normal((120, 5)) + 8 * np.eye(5)[labels]).astype(np.float32)
    weight, bias = fit_last_layer(features, labels, classes=4)
    logits = features @ weight.T + bias
    assert (logits.argmax(axis=1) == labels).mean() > 0.9
    # a class without an example is never chosen
    assert logits[:, kinds:].max() < logits[:, :kinds].max(axis=1).min()
