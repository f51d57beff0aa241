from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from webapp.study import run_lengths as runs

SHAPE = (4, 3, 5)
masks = arrays(np.bool_, SHAPE, elements=st.booleans())


@given(masks)
def test_a_mask_is_its_runs(mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> None:
    found = runs.of_mask(mask)
    assert runs.valid(list(found), SHAPE)
    assert np.array_equal(runs.to_mask(found, SHAPE), mask)


@given(masks, masks)
def test_the_share_inside_is_that_of_the_voxels(
    marked: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], region: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
) -> None:
    share = runs.share_inside(runs.of_mask(marked), runs.of_mask(region))
    wanted = float((marked & region).sum()) / marked.sum() if marked.any() else math.nan
    assert share == wanted or (math.isnan(share) and math.isnan(wanted))


@given(masks.filter(lambda mask: bool(mask.any())))
def test_the_middle_is_that_of_the_voxels(mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> None:
    assert runs.middle(runs.of_mask(mask), SHAPE) == tuple(round(float(mean)) for mean in np.argwhere(mask).mean(0))


def test_a_mark_has_an_end() -> None:
    many = [value for start in range(runs.MOST_RUNS + 1) for value in (2 * start, 1)]
    assert not runs.valid(many, (200, 200, 200))
    assert runs.valid(many[2:], (200, 200, 200))


def test_x_is_fastest() -> None:
    mask = np.zeros(SHAPE, np.bool_)
    mask[1:3, 2, 4] = True
    assert runs.of_mask(mask) == (1 + 2 * 4 + 4 * 12, 2)


@pytest.mark.parametrize(
    "bad", [None, "0,1", [0], [0, 0], [0, -1], [5, 2, 4, 1], [0, 61], [0, True], [0.0, 1], [-1, 2], [[0, 1]]]
)
def test_what_came_from_outside_is_checked(bad: object) -> None:
    assert not runs.valid(bad, SHAPE)
    assert runs.valid([0, 60], SHAPE)
