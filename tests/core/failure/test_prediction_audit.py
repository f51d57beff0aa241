from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import UserError
from core.failure.data.predictions import Predictions
from core.failure.prediction_audit import audit_predictions
from core.failure.results_json import from_json, to_json
from tests.core.failure.diagnostics.formula_models import TEST, by_score


def answers(follow: bool = True) -> Predictions:
    # the classes in the order of their density
    logits = (
        by_score(TEST.ir)[:, [0, 2, 3, 1]]
        if follow
        else np.random.default_rng(0).standard_normal((300, 4)).astype(np.float32)
    )
    logits = logits + 4 * np.eye(4, dtype=np.float32)[TEST.labels] * (not follow)
    return Predictions(logits, TEST.labels, TEST.spectra(), TEST.wavenumbers, TEST.classes, TEST.groups)


def test_answers_of_one_number_are_told_from_others() -> None:
    leaning, healthy = (audit_predictions(answers(each), draws=50) for each in (True, False))
    assert [each.code for each in leaning.models[0].diagnostics] == ["D0", "D1", "D2", "D3", "D10"]
    assert len(leaning.models[0].calibration) == 1
    within = [found.models[0].diagnostics[3].figures["within"].value for found in (leaning, healthy)]
    assert within[0] > 0.8 > 0.05 > within[1]
    # no shift can be tried, so neither is red and neither is without a warning
    assert {found.verdicts["ir"].level for found in (leaning, healthy)} == {"amber"}
    assert any("shift" in each for each in healthy.verdicts["ir"].reasons)


def test_answers_that_are_no_better_than_the_commonest_class_are_not_judged() -> None:
    guessed = replace(answers(), logits=np.random.default_rng(1).standard_normal((300, 4)).astype(np.float32))
    assert audit_predictions(guessed, draws=50).verdicts["ir"].level == "unlearnt"


def test_the_result_keeps_to_the_schema() -> None:
    found = audit_predictions(answers(), draws=20)
    text = to_json(found)
    assert to_json(from_json(text)) == text
    assert found.data.mode == "predictions"


def test_without_groups_it_says_so() -> None:
    found = audit_predictions(replace(answers(), groups=None), draws=20)
    assert "No patient or slide" in found.data.notices[0]
    assert any("patients or slides" in each for each in found.verdicts["ir"].reasons)


@pytest.mark.parametrize(
    "change",
    [
        {"labels": TEST.labels[:-1]},
        {"labels": TEST.labels + 1},
        {"labels": np.zeros(300, np.int64)},
        {"logits": np.zeros((300, 3), np.float32)},
        {"logits": np.full((300, 4), np.nan, np.float32)},
        {"spectra": TEST.spectra()[:, :5]},
        {"groups": np.zeros(3, np.int64)},
    ],
)
def test_what_does_not_belong_together_is_refused(change: dict[str, np.ndarray]) -> None:
    with pytest.raises(UserError) as caught:
        replace(answers(), **change)  # type: ignore[arg-type]
    assert caught.value.code == "patches_mismatch"
