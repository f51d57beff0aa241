from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.failure.data.labelled_patches import read_patches
from core.failure.diagnostics.leakage import leakage
from core.spectra.patches import PatchSet


def spectra(patients: int = 20, own: float = 1.0, truth: float = 0.0) -> PatchSet:
    """Each patient has a class and a spectrum of their own; the class itself adds ``truth``."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(patients), 10)
    labels = groups % 2
    values = own * rng.standard_normal((patients, 12))[groups] + 0.3 * rng.standard_normal((len(groups), 12))
    values[:, 4] += truth * labels
    return PatchSet(
        values.astype(np.float32)[:, :, None, None], np.linspace(900, 1800, 12), labels, ("a", "b"), groups=groups
    )


def test_spectra_of_known_patients_look_solved_and_new_patients_are_not() -> None:
    found = {each.name: each for each in leakage(spectra(), draws=100)}
    nearest = found["nearest"]
    assert nearest.figures["by_spectrum"].value > 0.95
    assert nearest.figures["by_group"].value < 0.75
    assert nearest.figure.value == pytest.approx(
        nearest.figures["by_spectrum"].value - nearest.figures["by_group"].value
    )
    assert nearest.figure.low > 0
    assert nearest.figures["majority"].value == 0.5


def test_without_anything_to_know_of_the_patient_there_is_no_gap() -> None:
    found = {each.name: each for each in leakage(spectra(own=0.0, truth=2.0), draws=100)}
    assert abs(found["discriminant"].figure.value) < 0.03
    assert found["discriminant"].figures["by_group"].value > 0.95


def test_without_groups_or_with_too_few_nothing_is_claimed() -> None:
    assert leakage(replace(spectra(), groups=None)) == ()
    assert leakage(spectra(patients=2)) == ()


def test_the_brain_spectra_leak(shared_data: Path) -> None:
    path = shared_data / "infrared" / "ketan_brain_atr.npz"
    found = {each.name: each for each in leakage(read_patches([path]).patches, draws=100)}
    derivative = found["derivative"].figures
    # measured: 0.82 over spectra, 0.47 over patients, majority class 0.45
    assert derivative["by_spectrum"].value == pytest.approx(0.82, abs=0.03)
    assert derivative["by_group"].value == pytest.approx(derivative["majority"].value, abs=0.06)
    assert found["derivative"].figure.low > 0.2
    assert found["nearest"].figures["by_group"].value < derivative["majority"].value
