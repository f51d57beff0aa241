from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from core.imaging.inpaint.network import RESIDUAL, setting
from core.imaging.problem import Problem

RNG = np.random.default_rng(0)
IMAGE = ndimage.gaussian_filter(1 + 2.0 * RNG.normal(size=(24, 24, 24)), 1.0).astype(np.float32)
MASK = np.zeros(IMAGE.shape, bool)
MASK[8:16, 9:15, 8:14] = True
HEAD = np.ones(IMAGE.shape, bool)
PROBLEM = Problem(np.where(MASK, np.float32(0), IMAGE), MASK, HEAD, (1.0, 1.0, 1.0))


@pytest.mark.parametrize("axis", range(3))
def test_true_tissue_is_natural_and_spikes_are_not(axis: int) -> None:
    seen = setting(PROBLEM, 8)
    assert seen.unnatural is not None
    smooth = seen.finished(np.zeros(IMAGE.shape, np.float32), np.ones(IMAGE.shape, np.float32)).values
    unit = RESIDUAL * np.percentile(IMAGE[~MASK], 95)
    true = np.where(MASK, (IMAGE - smooth) / unit, 0).astype(np.float32)
    spikes = np.where(MASK, 3 * RNG.normal(size=IMAGE.shape), 0).astype(np.float32)
    assert seen.unnatural(true, axis) == pytest.approx(1, abs=0.2)
    assert seen.unnatural(np.zeros(IMAGE.shape, np.float32), axis) < 0.8
    assert seen.unnatural(spikes, axis) > 1.5


def test_without_a_ring_nothing_but_the_hole_is_hidden_and_nothing_of_it_was_measured() -> None:
    seen = setting(PROBLEM, 8)
    assert np.array_equal(seen.views(0).region > 0, MASK)
    assert seen.measured is not None and seen.measured("cpu").counts.eq(0).all()


@pytest.mark.parametrize("ring", [1, 3])
def test_a_ring_is_measured_around_the_hole_and_left_as_it_is(ring: int) -> None:
    seen = setting(PROBLEM, 8, ring)
    assert seen.measured is not None
    measured = seen.measured("cpu")
    around = ndimage.binary_dilation(MASK, iterations=ring) & ~MASK
    assert np.array_equal(measured.counts[0, 0].numpy() > 0, around)
    made = seen.finished(np.zeros(IMAGE.shape, np.float32), np.ones(IMAGE.shape, np.float32))
    assert made.deviation is not None and np.array_equal(made.deviation > 0, MASK)
    # the fill is the scan there: nothing is left of the residual
    unit = np.percentile(IMAGE[~MASK], 95)
    fill = (0.3 * np.asarray(seen.views(0).context)[0] + 0.6) * unit
    assert np.allclose(fill[around], IMAGE[around], atol=1e-4)
    assert measured.measured.eq(0).all()


def test_a_ring_ends_with_the_head() -> None:
    head = np.zeros(IMAGE.shape, bool)
    head[:18] = True
    seen = setting(Problem(PROBLEM.image, MASK, head, (1.0, 1.0, 1.0)), 8, 3)
    assert seen.measured is not None
    counts = seen.measured("cpu").counts[0, 0].numpy() > 0
    assert counts[:18].any() and not counts[18:].any()
