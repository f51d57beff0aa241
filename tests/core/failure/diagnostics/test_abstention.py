from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from core.failure.diagnostics.abstention import abstention, area, distances


def test_the_area_is_that_under_the_roc_curve() -> None:
    rng = np.random.default_rng(0)
    home, away = rng.normal(1, 1, 80), rng.normal(0, 1, 50).round(1)
    truth = np.repeat([1, 0], [80, 50])
    assert area(home, away) == pytest.approx(roc_auc_score(truth, np.concatenate([home, away])))


def test_a_model_that_is_less_sure_away_is_right_where_it_answers() -> None:
    rng = np.random.default_rng(1)
    labels = np.arange(300) % 3
    sure, unsure = 6 * np.eye(3)[labels], 6 * np.eye(3)[labels]
    wrong = rng.random(300) < 0.5
    unsure[wrong] = 0.1 * rng.standard_normal((int(wrong.sum()), 3))
    found = abstention(
        {"id": sure + 0.1 * rng.standard_normal((300, 3)), "conflict": unsure}, {"id": labels, "conflict": labels}
    )
    assert found.figure.value > 0.7 and not found.decides
    assert found.figures["accuracy_kept conflict"].value == 1
    assert found.figures["kept conflict"].value < 0.6
    # the curve falls as it answers more
    curve = next(line for line in found.lines if line.name == "conflict")
    assert curve.y[0] == 1 and curve.y[-1] < 0.75


def test_a_model_that_is_as_sure_away_does_not_know() -> None:
    rng = np.random.default_rng(2)
    labels = np.arange(400) % 4
    home = 5 * np.eye(4)[labels] + rng.standard_normal((400, 4))
    found = abstention({"id": home, "conflict": home[::-1]}, {"id": labels, "conflict": labels})
    assert found.figure.value == pytest.approx(0.5)
    assert found.figures["kept conflict"].value == pytest.approx(0.9, abs=0.01)


def test_features_far_from_every_class_are_told_by_their_distance() -> None:
    rng = np.random.default_rng(3)
    labels = np.arange(200) % 2
    known = rng.standard_normal((200, 5)) + 3 * labels[:, None]
    home, away = known[:50], known[:50] + np.array([9.0, -9, 0, 0, 0])
    features = {"id": distances(known, labels, home), "external": distances(known, labels, away)}
    assert features["id"].shape == (50, 2)
    logits = {name: np.zeros((50, 2)) for name in features}
    found = abstention(logits, {name: labels[:50] for name in features}, features)
    assert found.figures["distance external"].value > 0.95
    assert found.figures["area external"].value == pytest.approx(0.5)
