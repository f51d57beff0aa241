from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.failure.data.labelled_patches import read_patches
from core.failure.data.splits import folds
from core.failure.diagnostics.data_prior import spectrum_prior
from core.failure.models.plain_classifiers import NEAREST, PLAIN_CLASSIFIERS, PlainClassifier
from core.spectra.patches import PatchSet
from tests.core.failure.made_up_patches import patches


@pytest.mark.parametrize("plain", [*PLAIN_CLASSIFIERS, NEAREST], ids=lambda plain: plain.name)
def test_a_plain_classifier_learns_the_level(plain: PlainClassifier) -> None:
    train, test = patches(60, 0, level=0.3), patches(60, 1, level=0.3)
    logits = plain.fit(train.ir, train.labels, 4)(test.ir)
    assert logits.shape == (60, 4)
    assert (logits.argmax(axis=1) == test.labels).mean() > 0.85
    # the fourth class has no example
    assert logits[:, 3].max() < -20


def test_the_spread_tells_what_the_mean_does_not() -> None:
    train, test = patches(90, 0, form=4.0, classes=2), patches(90, 1, form=4.0, classes=2)
    spread = next(each for each in PLAIN_CLASSIFIERS if each.name == "moments")
    assert (spread.fit(train.ir, train.labels, 2)(test.ir).argmax(axis=1) == test.labels).mean() > 0.9


def five_fold(plain: PlainClassifier, given: PatchSet) -> float:
    right = np.zeros(len(given))
    for test in folds(given, 5, 0, "patch"):
        train = np.setdiff1d(np.arange(len(given)), test)
        predict = plain.fit(given.ir[train], given.labels[train], len(given.classes))
        right[test] = predict(given.ir[test]).argmax(axis=1) == given.labels[test]
    return float(right.mean())


def test_real_tissue_is_mostly_told_by_one_number(shared_data: Path) -> None:
    given = read_patches([shared_data / "infrared" / "collagen.csv"]).patches
    by_name = {each.name: each for each in PLAIN_CLASSIFIERS}
    assert five_fold(by_name["score"], given) == pytest.approx(0.82, abs=0.03)
    assert five_fold(by_name["discriminant"], given) == pytest.approx(0.98, abs=0.02)
    assert spectrum_prior(given.ir, None, 10).figure.value == pytest.approx(0.640, abs=0.005)
