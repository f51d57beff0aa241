from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.failure.data.labelled_patches import read_patches
from core.failure.data.splits import folds
from core.failure.diagnostics.data_prior import spectrum_prior
from core.failure.models.plain_classifiers import KNOWN, Labelled, PlainClassifier, Predict, classifiers_of
from core.spectra.patches import PatchSet
from tests.core.failure.made_up_patches import patches


def fitted(plain: PlainClassifier, given: PatchSet, classes: int) -> Predict:
    return plain.fit(Labelled(given.ir, given.labels, classes, tuple(map(float, given.wavenumbers))))


# what looks at the form of a spectrum takes the level for thickness
OF_LEVEL = [each for each in KNOWN.values() if not each.spectral]


@pytest.mark.parametrize("plain", OF_LEVEL, ids=lambda plain: plain.name)
def test_a_plain_classifier_learns_the_level(plain: PlainClassifier) -> None:
    train, test = patches(60, 0, level=0.3), patches(60, 1, level=0.3)
    logits = fitted(plain, train, 4)(test.ir)
    assert logits.shape == (60, 4)
    assert (logits.argmax(axis=1) == test.labels).mean() > 0.85
    # the fourth class has no example
    assert logits[:, 3].max() < -20


def test_colours_have_no_derivatives_and_a_spectrum_no_spread() -> None:
    assert {each.name for each in classifiers_of("rgb", spatial=True)} == {"score", "discriminant", "forest", "moments"}
    assert "moments" not in {each.name for each in classifiers_of("ir", spatial=False)}


POSITION = np.linspace(950, 1800, 90)
BANDS = np.exp(-0.5 * ((POSITION - np.array([[1655], [1240], [1080]])) / 20) ** 2)


def of_ratio(thickness: float = 1.0, slope: float = 0.0, seed: int = 0) -> PatchSet:
    """Classes differ in the ratio of two bands; thickness and baseline are those of an instrument."""
    rng = np.random.default_rng(seed)
    labels = np.arange(80) % 2
    heights = np.stack([np.ones(80), 0.4 + 0.1 * labels, np.full(80, 0.3)], 1) + 0.01 * rng.standard_normal((80, 3))
    spectra = thickness * heights @ BANDS + slope * np.linspace(0, 1, 90) + 0.001 * rng.standard_normal((80, 90))
    return PatchSet(spectra.astype(np.float32)[:, :, None, None], POSITION, labels, ("a", "b"))


def right(name: str, train: PatchSet, test: PatchSet, classes: int = 2) -> float:
    return float((fitted(KNOWN[name], train, classes)(test.ir).argmax(axis=1) == test.labels).mean())


@pytest.mark.parametrize("plain", [each for each in KNOWN.values() if each.spectral], ids=lambda plain: plain.name)
def test_a_classifier_of_spectra_learns_their_form(plain: PlainClassifier) -> None:
    logits = fitted(plain, of_ratio(), 3)(of_ratio(seed=1).ir)
    assert (logits.argmax(axis=1) == of_ratio().labels).mean() > 0.9
    # the third class has no example
    assert logits[:, 2].max() < logits[:, :2].max(axis=1).min()


def test_emsc_sees_through_thickness_and_baseline_which_a_forest_does_not() -> None:
    test = of_ratio(thickness=1.5, slope=0.3, seed=1)
    assert right("emsc", of_ratio(), test) > 0.9 and right("forest", of_ratio(), test) < 0.7


def test_the_spread_tells_what_the_mean_does_not() -> None:
    train, test = patches(90, 0, form=4.0, classes=2), patches(90, 1, form=4.0, classes=2)
    assert (fitted(KNOWN["moments"], train, 2)(test.ir).argmax(axis=1) == test.labels).mean() > 0.9


def five_fold(plain: PlainClassifier, given: PatchSet) -> float:
    right = np.zeros(len(given))
    for test in folds(given, 5, 0, "patch"):
        train = np.setdiff1d(np.arange(len(given)), test)
        predict = fitted(plain, given.take(train), len(given.classes))
        right[test] = predict(given.ir[test]).argmax(axis=1) == given.labels[test]
    return float(right.mean())


def test_real_tissue_is_mostly_told_by_one_number(shared_data: Path) -> None:
    given = read_patches([shared_data / "infrared" / "collagen.csv"]).patches
    assert five_fold(KNOWN["score"], given) == pytest.approx(0.82, abs=0.03)
    assert five_fold(KNOWN["discriminant"], given) == pytest.approx(0.98, abs=0.02)
    assert spectrum_prior(given.ir, None, 10).figure.value == pytest.approx(0.640, abs=0.005)
