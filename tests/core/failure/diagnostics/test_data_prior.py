from __future__ import annotations

import numpy as np
import pytest

from core.failure.diagnostics.data_prior import (
    class_by_group,
    class_noise,
    first_component,
    fisher,
    one_of_all,
    spectrum_prior,
)
from core.spectra.noise import noise_of
from core.spectra.simulated_tissue import simulate


def test_the_share_of_the_first_component() -> None:
    rng = np.random.default_rng(0)
    points = rng.standard_normal((5000, 3)) * np.sqrt([6.0, 3, 1])
    np.testing.assert_allclose(first_component(points, np.ones((1, 5000))), 0.6, atol=0.02)


def test_density_makes_the_first_component_of_tissue_larger() -> None:
    dense, none = (spectrum_prior(simulate(name, 150, 0).ir, None, 20) for name in ("density", "none"))
    assert dense.figure.value > none.figure.value + 0.1
    assert dense.figures["condition"].value > 5


@pytest.mark.parametrize(("preset", "leaks"), [("density", True), ("noise-floor", True), ("none", False)])
def test_noise_that_tells_the_class_is_seen(preset: str, leaks: bool) -> None:
    made = simulate(preset, 300, 1)
    found = class_noise(made.ir, made.labels, made.classes, noise_of(made.ir), made.groups, 50)
    assert (found.figure.value >= 0.10) is leaks
    assert len(found.lines[0].y) == 4


def test_without_pixels_or_bands_the_noise_of_a_patch_is_not_known() -> None:
    made = simulate("density", 40, 1)
    assert made.rgb is not None
    for values in (made.ir[:, :, :1, :1], made.rgb):
        found = class_noise(values, made.labels, made.classes, noise_of(values), made.groups, 50)
        assert np.isnan(found.figure.value) and not found.decides and found.reason.startswith("Not measured")


def test_the_band_that_differs_has_the_largest_fisher_ratio() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 3
    values = rng.standard_normal((90, 5, 1, 1))
    values[:, 3, 0, 0] += 4 * labels
    found = fisher(values.astype(np.float32), labels, (1.0, 2.0, 3.0, 4.0, 5.0))
    assert int(np.argmax(found.lines[0].y)) == 3
    assert found.figure.value > 5


def test_groups_that_hold_one_class_tell_it() -> None:
    labels = np.repeat([0, 1], 20)
    assert class_by_group(labels, np.repeat(np.arange(8), 5), 2).figure.value == pytest.approx(1)
    mixed = class_by_group(np.tile([0, 1], 20), np.repeat(np.arange(8), 5), 2)
    assert mixed.figure.value < 0.3
    assert np.isnan(class_by_group(labels, None, 2).figure.value)


def test_one_number_over_all_bands() -> None:
    one, every = np.tile([1.0, 0], 20), np.ones(40)
    found = one_of_all(one, every, np.ones((3, 40)))
    assert found.figure.value == pytest.approx(0.5)
