"""What a model trained elsewhere is given, and how its answers are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.errors import UserError
from core.failure.given_audit import bands_of
from core.failure.models.given_input import NORMALISATIONS, Float, GivenInput, raw_predict

AT = (1000.0, 1200.0, 1400.0, 1655.0)
PATCHES = np.random.default_rng(0).uniform(0.5, 1.5, (6, 4, 4, 4)).astype(np.float32)
CLASSES = ("benign", "tumour")


def seen(given: GivenInput, patches: Float = PATCHES) -> Float:
    """Return what a model gets."""
    kept: list[Float] = []

    def model(values: Float) -> Float:
        kept.append(values)
        return np.zeros((len(values), 2), np.float32)

    raw_predict(model, given, PATCHES, AT, CLASSES)(patches)
    return kept[0]


def answered(found: Any, given: GivenInput | None = None, classes: tuple[str, ...] = CLASSES) -> Float:
    """Return the logits of a model that answers ``found``."""
    answers = np.asarray(found, np.float32)
    return raw_predict(lambda values: answers, given or GivenInput(), PATCHES, AT, classes)(PATCHES[: len(answers)])


def test_bands_are_interpolated_to_those_of_the_model_in_its_order() -> None:
    found = seen(GivenInput(bands=(1655.0, 1100.0)))
    np.testing.assert_allclose(found[:, 0], PATCHES[:, 3], rtol=1e-6)
    np.testing.assert_allclose(found[:, 1], (PATCHES[:, 0] + PATCHES[:, 1]) / 2, rtol=1e-6)
    with pytest.raises(UserError) as caught:
        seen(GivenInput(bands=(1655.0, 2924.0)))
    assert caught.value.code == "model_bands"


LAYOUTS: dict[str, Callable[[Float], Float]] = {
    "NCHW": lambda patches: patches,
    "NHWC": lambda patches: patches.transpose(0, 2, 3, 1),
    "NC": lambda patches: patches.mean(axis=(2, 3)),
    "N1C": lambda patches: patches.mean(axis=(2, 3))[:, None],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout(layout: Any) -> None:
    np.testing.assert_allclose(seen(GivenInput(layout=layout)), LAYOUTS[layout](PATCHES), rtol=1e-5)


def test_normalisation_comes_before_the_constants() -> None:
    highest = PATCHES / PATCHES.max(axis=1, keepdims=True)
    found = seen(GivenInput(normalisation="max", mean=(0.5,), scale=(1, 2, 4, 8)))
    scales = np.array([1, 2, 4, 8], np.float32)[None, :, None, None]
    np.testing.assert_allclose(found, (highest - 0.5) / scales, rtol=1e-5)
    standard = seen(GivenInput(normalisation="standard"), 3 * PATCHES)
    deviation = PATCHES.std(axis=(0, 2, 3), ddof=1, keepdims=True)
    mean = PATCHES.mean(axis=(0, 2, 3), keepdims=True)
    np.testing.assert_allclose(standard, (3 * PATCHES - mean) / deviation, rtol=1e-3)
    for name in NORMALISATIONS:
        assert np.isfinite(seen(GivenInput(normalisation=name))).all(), name
    with pytest.raises(UserError) as caught:
        seen(GivenInput(mean=(1, 2)))
    assert caught.value.code == "model_bands"


def test_patches_are_resized() -> None:
    flat = np.ones((2, 4, 4, 4), np.float32)
    found = seen(GivenInput(size=9), flat)
    assert found.shape == (2, 4, 9, 9) and np.allclose(found, 1)


def test_classes_of_the_model_are_brought_into_the_order_of_the_data() -> None:
    given = GivenInput(classes=("Tumour", "necrosis", "benign"))
    assert answered([[3, 9, 1], [0, 9, 2]], given).tolist() == [[1, 3], [2, 0]]
    with pytest.raises(UserError) as caught:
        answered([[1, 2]], GivenInput(classes=("benign", "stroma")))
    assert caught.value.code == "model_classes"


def test_probabilities_become_logits_and_logits_stay() -> None:
    np.testing.assert_allclose(np.exp(answered([[0.9, 0.1], [0.2, 0.8]])), [[0.9, 0.1], [0.2, 0.8]], rtol=1e-5)
    assert answered([[0.9, 0.1]], GivenInput(answers="logits")).tolist() == [[np.float32(0.9), np.float32(0.1)]]
    assert answered([[3, -1], [0.2, 0.8]])[0].tolist() == [3, -1]
    np.testing.assert_allclose(np.exp(answered([[0.75]])), [[0.25, 0.75]], rtol=1e-5)
    assert answered([[-2], [5]]).tolist() == [[0, -2], [0, 5]]


@pytest.mark.parametrize("found", [[[1, 2, 3]], [[np.nan, 1]], [1.0, 2.0]])
def test_answers_of_another_form_are_refused(found: Any) -> None:
    with pytest.raises(UserError) as caught:
        answered(found)
    assert caught.value.code == "model_output"


@pytest.mark.parametrize("text", ["1000-1800", "1000-1800/1", "a/3", "1000-1800/99999999"])
def test_bands_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(UserError) as caught:
        bands_of(text)
    assert caught.value.code == "bad_parameter"
