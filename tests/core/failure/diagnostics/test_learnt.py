from __future__ import annotations

import numpy as np
import pytest

from core.failure.diagnostics.learnt import gate, learnt
from core.failure.diagnostics.model_under_test import weighted_outcomes
from core.measure.intervals import Interval

PATIENTS = np.repeat(np.arange(8), 40)


def lower(logits: np.ndarray, labels: np.ndarray, groups: np.ndarray | None) -> float:
    outcomes = weighted_outcomes(logits, labels, np.zeros(len(labels)), labels, groups, 200)
    return learnt(outcomes).figure.low


def test_noise_seldom_passes_the_gate() -> None:
    passed = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        # one answer for each patient: 320 patches are eight patients
        logits = np.eye(2)[rng.integers(0, 2, 8)[PATIENTS]]
        passed += lower(logits, PATIENTS % 2, PATIENTS) > 0
    assert passed <= 3


def test_naming_the_commonest_class_is_nothing_learnt_and_the_truth_is_something() -> None:
    labels = (PATIENTS > 4).astype(np.int64)
    always, right = np.tile([1.0, 0.0], (320, 1)), np.eye(2)[labels]
    assert lower(always, labels, PATIENTS) <= 0 < lower(right, labels, PATIENTS)
    assert lower(always, labels, None) <= 0 < lower(right, labels, None)


def test_the_gate_is_the_accuracy_less_the_commonest_class() -> None:
    found = gate(Interval(0.24, 0.15, 0.35), 0.45)
    assert (found.figure.value, found.figure.low, found.figure.high) == pytest.approx((-0.21, -0.30, -0.10))
    assert (found.figures["accuracy"].value, found.figures["chance"].value) == (0.24, 0.45)
    assert found.code == "D0" and found.decides
