from __future__ import annotations

import numpy as np
import pytest

from core.imaging.superres.slice_gain import FEWEST_SLICES, FOUND, gain_strength, slice_gain
from tests.core.imaging.superres.alternating import SAMPLED, SPACING, anatomy, gain

SEEDS = range(4)


@pytest.mark.parametrize("seed", SEEDS)
def test_slices_that_do_not_alternate_are_left_alone(seed: int) -> None:
    slices = SAMPLED.measure(anatomy(seed))
    assert slice_gain(slices, SPACING, 2) is None
    # nor are anatomy beside a gain that drifts without alternating, a bias field, or noise taken for it
    random = np.random.default_rng(seed)
    drifting = slices * np.linspace(0.9, 1.1, slices.shape[2], dtype=np.float32)
    assert slice_gain(drifting, SPACING, 2) is None
    noisy = np.abs(slices + 20 * random.normal(size=slices.shape)).astype(np.float32)
    assert slice_gain(noisy, SPACING, 2) is None


@pytest.mark.parametrize(("drift", "tilt"), [(0, 0), (0.8, 0), (0, 2)], ids=["even", "drifting", "left against right"])
@pytest.mark.parametrize("axis", [0, 2])
def test_an_alternating_gain_is_found_and_measured(drift: float, tilt: float, axis: int) -> None:
    true = gain(0.02, drift, tilt)
    slices = SAMPLED.measure(anatomy(0))
    striped, spacing = np.moveaxis(slices * true, 2, axis), [2.0, 2.0, 2.0]
    spacing[axis] = SPACING[2]
    found = slice_gain(np.ascontiguousarray(striped), (spacing[0], spacing[1], spacing[2]), axis)
    assert found is not None and found.strength > FOUND
    tissue = slices > 200
    apart = (np.moveaxis(found.gain, axis, 2) - true)[tissue]
    size = np.sqrt(np.square(true - 1)[tissue].mean())
    assert np.sqrt(np.square(apart).mean()) < 0.4 * size
    assert found.typical == pytest.approx(size, rel=0.35)
    assert found.typical < found.largest < 3 * found.typical
    assert f"by {200 * found.typical:.1f}% from one to the next" in found.figures


def test_without_slices_enough_or_with_negative_voxels_nothing_is_found() -> None:
    striped = SAMPLED.measure(anatomy(0)) * gain(0.03)
    assert slice_gain(striped, SPACING, 2) is not None
    few = np.ascontiguousarray(striped[..., 6 : 5 + FEWEST_SLICES])
    assert slice_gain(few, SPACING, 2) is None and gain_strength(few, SPACING, 2) == 0
    assert slice_gain(striped - 1, SPACING, 2) is None
    assert slice_gain(np.zeros_like(striped), SPACING, 2) is None


def test_a_gain_too_small_to_see_is_left_alone() -> None:
    flat = np.full(SAMPLED.coarse, 300, np.float32)
    assert slice_gain(flat * gain(0.002), SPACING, 2) is None
    found = slice_gain(flat * gain(0.004), SPACING, 2)
    assert found is not None and found.typical == pytest.approx(0.004, rel=0.1)
