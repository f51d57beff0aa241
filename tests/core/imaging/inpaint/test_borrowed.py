from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from core.imaging.inpaint.borrowed import Borrowed, borrow
from core.imaging.problem import Problem

Spacing = tuple[float, float, float]
SIDE = 44
PERIOD = 14
FINE: Spacing = (1.5, 1.5, 1.5)


def ball(
    centre: tuple[int, int, int], radius: float, spacing: Spacing, shape: tuple[int, int, int]
) -> NDArray[np.bool_]:
    x, y, z = (
        (index - middle) * size
        for index, middle, size in zip(np.ogrid[: shape[0], : shape[1], : shape[2]], centre, spacing, strict=True)
    )
    return np.asarray(x**2 + y**2 + z**2 < radius**2)


def problem_of(image: NDArray[np.float32], mask: NDArray[np.bool_], spacing: Spacing = FINE) -> Problem:
    head = image > 0
    return Problem(np.where(mask, np.float32(0), image), mask & head, head, spacing)


def repeated() -> NDArray[np.float32]:
    """A box of texture that repeats along Y."""
    rng = np.random.default_rng(1)
    one = ndimage.gaussian_filter(rng.standard_normal((SIDE, PERIOD, SIDE)), 1.5, mode="wrap")
    image = np.zeros((SIDE + 8, 5 * PERIOD + 8, SIDE + 8), np.float32)
    image[4:-4, 4:-4, 4:-4] = 1 + 2 * np.tile(one, (1, 5, 1)).clip(-0.4, 0.4)
    return image


def borrowed(problem: Problem, whole: NDArray[np.float32], opposite: bool = True) -> Borrowed:
    """Borrow for a mask in which the mean of the head is likely, and everywhere as unsure."""
    level = np.full(whole.shape, whole[problem.head].mean(), np.float32)
    return borrow(problem, level, np.ones(whole.shape, np.float32), opposite)


def test_texture_that_repeats_is_continued() -> None:
    whole = repeated()
    problem = problem_of(whole, ball((26, 39, 26), 9, FINE, whole.shape))
    made = borrowed(problem, whole)
    assert made.known[problem.mask].mean() > 0.95
    error = np.abs(made.values - whole)[made.known].mean()
    assert error < 0.1 * np.abs(whole[problem.mask] - whole[problem.mask].mean()).mean()


@pytest.mark.parametrize("opposite", [True, False])
def test_the_other_side_is_taken_from_only_where_it_may_be(opposite: bool) -> None:
    rng = np.random.default_rng(2)
    half = ndimage.gaussian_filter(rng.standard_normal((SIDE // 2, SIDE, SIDE)), 2)
    texture = np.concatenate([half, half[::-1]])
    head = ball((SIDE // 2, SIDE // 2, SIDE // 2), 30, FINE, texture.shape)
    whole = np.where(head, 1 + 2 * texture.clip(-0.4, 0.4), 0).astype(np.float32)
    problem = problem_of(whole, ball((32, 22, 22), 7, FINE, whole.shape))
    made = borrowed(problem, whole, opposite)
    likeness = np.corrcoef(made.values[made.known], whole[made.known])[0, 1]
    if opposite:
        assert made.across > 0.9 and likeness > 0.9
    else:
        assert made.across == 0 and likeness < 0.8


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.9, 1.1, 5.0), (3.0, 3.0, 3.0)])
def test_what_is_borrowed_lies_in_the_mask_and_is_the_same_each_time(spacing: Spacing) -> None:
    shape = tuple(max(12, round(60 / size)) for size in spacing)
    rng = np.random.default_rng(3)
    texture = ndimage.gaussian_filter(rng.standard_normal(shape), [2 / size for size in spacing])
    centre = (shape[0] // 2, shape[1] // 2, shape[2] // 2)
    head = ball(centre, 27, spacing, (shape[0], shape[1], shape[2]))
    whole = np.where(head, 500 + 200 * texture / texture.std(), 0).clip(0, 1200).astype(np.float32)
    problem = problem_of(
        whole, ball((centre[0] + round(8 / spacing[0]), *centre[1:]), 9, spacing, whole.shape), spacing
    )
    made, again = borrowed(problem, whole), borrowed(problem, whole)
    assert made.known.any() and not made.known[~problem.mask].any() and not made.values[~made.known].any()
    assert np.isfinite(made.values).all() and 0 <= made.across <= 1
    assert np.array_equal(made.values, again.values) and np.array_equal(made.known, again.known)


def test_a_mask_that_leaves_nearly_nothing_borrows_nearly_nothing() -> None:
    head = ball((16, 16, 16), 14, (1.0, 1.0, 1.0), (33, 33, 33))
    whole = np.where(head, 1.0, 0).astype(np.float32)
    problem = problem_of(whole, ball((16, 16, 16), 13, (1.0, 1.0, 1.0), (33, 33, 33)), (1.0, 1.0, 1.0))
    made = borrowed(problem, whole)
    assert made.known[problem.mask].mean() < 0.3
    assert np.isfinite(made.values).all()
