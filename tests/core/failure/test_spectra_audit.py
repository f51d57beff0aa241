from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import pytest

from core.events import finish
from core.failure.data.dataset import user_folds
from core.failure.data.labelled_patches import Loaded
from core.failure.data_verdict import LEAKING
from core.failure.diagnostics.battery import Depth
from core.failure.models import plain_classifiers
from core.failure.results import Results
from core.failure.spectra_audit import audit_spectra
from core.failure.verdict import NOTHING_LEARNT
from core.spectra.patches import PatchSet

# of a forest: a forest is fitted in every fold, and most of what the tests took were its trees
FEW_TREES = 20
POSITION = np.linspace(950, 1800, 20)
PATIENTS, EACH = 20, 6


@pytest.fixture(scope="module", autouse=True)
def small_forests() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_classifiers, "TREES", FEW_TREES)
        yield


def spectra(own: float, truth: float, noise: float = 0.02) -> PatchSet:
    """Each patient has a class and a spectrum of their own; the class itself adds ``truth``."""
    rng = np.random.default_rng(4)
    groups = np.repeat(np.arange(PATIENTS), EACH)
    labels = groups % 2
    values = 0.4 + own * rng.standard_normal((PATIENTS, 20))[groups] + noise * rng.standard_normal((len(groups), 20))
    values[:, 9:12] += truth * labels[:, None]
    return PatchSet(values.astype(np.float32)[:, :, None, None], POSITION, labels, ("benign", "tumour"), groups)


@lru_cache
def audited(own: float, truth: float) -> Results:
    # three of the five folds, for the time that they take
    folds = user_folds(Loaded(spectra(own, truth)), 0)[:3]
    return finish(audit_spectra(folds, Depth(100, (3,), bands=False, few=False), 0))


def test_noise_gets_the_sentence_of_the_gate_from_every_classifier() -> None:
    found = audited(0.0, 0.0)
    assert found.verdicts["ir"].text == NOTHING_LEARNT
    assert all(model.verdict is not None and model.verdict.level == "unlearnt" for model in found.models)


def test_spectra_that_are_known_by_their_patient_have_leakage_at_the_head_and_nothing_learnt() -> None:
    found = audited(0.1, 0.0)
    assert list(found.verdicts) == ["data", "ir"]
    assert (found.verdicts["data"].level, found.verdicts["data"].text) == ("amber", LEAKING)
    assert found.verdicts["ir"].level == "unlearnt"
    assert "patch" not in " ".join(found.verdicts["ir"].not_tested)


def test_what_is_learnt_is_judged_over_all_folds() -> None:
    found = audited(0.0, 0.2)
    verdict = found.verdicts["ir"]
    assert verdict.level in ("amber", "red", "none")
    assert verdict.reasons[0].startswith("Judged is the best classifier at home: ")
    assert found.verdicts["data"].level == "none"
    linear = next(model for model in found.models if model.network == "discriminant")
    assert linear.verdict is not None
    # two classes and a linear model: one number whatever it learnt
    assert any("one number by construction" in each for each in linear.verdict.not_tested)
    assert not any("One number" in each or "follow one number" in each for each in linear.verdict.reasons)


def test_the_contamination_sweep_is_made_where_it_is_wanted() -> None:
    folds = user_folds(Loaded(spectra(0.0, 0.2)), 0)[:1]
    found = finish(audit_spectra(folds, Depth(20, (3,), bands=False), 0, swept=True))
    assert any(each.name == "few_numbers" for each in found.models[0].diagnostics)
    assert [each.name for each in found.contamination] == ["ir-discriminant", "ir-emsc", "ir-forest"]
    assert audited(0.0, 0.2).contamination == ()


def test_every_patient_is_tested_once_and_chance_is_that_of_all() -> None:
    tested: list[int] = []
    folds = user_folds(Loaded(spectra(0.1, 0.0)), 0)
    for each in folds:
        train, test = each.train.groups, each.tests["id"].groups
        assert train is not None and test is not None and not set(train) & set(test)
        tested += np.unique(test).tolist()
    assert len(folds) == 5 and sorted(tested) == list(range(PATIENTS))
    found = audited(0.1, 0.0)
    assert found.data.chance == pytest.approx(0.5)
    assert set(found.accuracies) == {model.name for model in found.models} >= {"ir-emsc", "ir-pls", "ir-forest"}
    # the audited classifiers are not listed again as plain ones
    assert {each.name for each in found.shallow} == {"score"}
