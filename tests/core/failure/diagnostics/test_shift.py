from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.events import finish
from core.failure.corruptions.registry import CORRUPTIONS, OF_AMOUNT, corruptions_of
from core.failure.corruptions.shift_words import changes_amount
from core.failure.diagnostics.shift import calibration_errors, corruption_curves, worst_drop
from core.failure.results import Corrupted
from core.measure.intervals import Interval
from tests.core.failure.diagnostics.formula_models import TEST, mean_spectrum, under_test


def test_every_corruption_is_tried_and_a_model_of_the_mean_falls_with_the_thickness() -> None:
    found = finish(corruption_curves(under_test(mean_spectrum), "ir", tuple(map(float, TEST.wavenumbers)), (1, 3, 5)))
    assert {each.name for each in found} == set(corruptions_of("ir"))
    by_name = {each.name: each for each in found}
    assert all(each.severities == (0, 1, 3, 5) for each in found)
    assert by_name["thickness_up"].accuracy[3] < by_name["thickness_up"].accuracy[0] - 0.2
    # what a mean over pixels averages away
    assert by_name["noise"].accuracy[2] > by_name["noise"].accuracy[0] - 0.1
    assert by_name["thickness_up"].physical and not by_name["blur"].physical and not by_name["noise"].physical


MILD = Corrupted("mie", True, (0, 1, 3, 5), (0.9, 0.9, 0.7, 0.1), (0.05, 0.05, 0.2, 0.6))
NOISE = Corrupted("noise", False, (0, 1, 3, 5), (0.9, 0.4, 0.3, 0.2), (0.05, 0.3, 0.4, 0.5))


def test_only_mild_physical_changes_count() -> None:
    accuracy = {"id": Interval(0.92), "external": Interval(0.85), "conflict": Interval(0.2)}
    found = worst_drop([MILD, NOISE], accuracy)
    assert found.figure.value == pytest.approx(0.2)
    assert found.title == "Largest loss under a shift: scattering by cells"
    assert found.figures["drop external"].value == found.figures["amount"].value == pytest.approx(0.07)
    thin = replace(MILD, name="thickness_down")
    assert worst_drop([thin, NOISE], accuracy).figures["amount"].value == pytest.approx(0.2)
    assert found.figures["noise"].value == pytest.approx(0.6)
    assert "drop noise" not in found.figures and "drop conflict" not in found.figures
    assert found.figures["balanced_error"].value == pytest.approx(1 - np.mean([0.9, 0.7, 0.1, 0.4, 0.3, 0.2]))


def test_calibration_errors_of_corruptions_start_from_that_of_the_set() -> None:
    found = calibration_errors(
        [MILD, NOISE], {"id": Interval(0.03), "conflict": Interval(0.5), "external": Interval(0.1)}
    )
    assert found.keys() == {"id", "external", "mie"}
    assert found["mie"].value == pytest.approx(0.03 + 0.15)


def test_without_any_shift_nothing_is_claimed() -> None:
    found = worst_drop([NOISE], {"id": Interval(0.9)})
    assert np.isnan(found.figure.value) and np.isnan(found.figures["amount"].value)


def test_changes_of_the_amount_are_physical_and_of_both_modalities() -> None:
    assert all(CORRUPTIONS[name].physical and not CORRUPTIONS[name].spatial for name in OF_AMOUNT)
    assert {CORRUPTIONS[name].modality for name in OF_AMOUNT} == {"ir", "rgb"}
    assert changes_amount("external") and changes_amount("thickness_up") and not changes_amount("fringe")
