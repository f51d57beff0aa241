from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from torch import Tensor, nn

from core.events import Progress
from core.imaging.inpaint.classical import interpolate
from core.imaging.inpaint.network import setting
from core.imaging.inpaint.realistic import RIM, TRUST, blend, continued, grafted, origin
from core.imaging.options import MEAN_CALLS, Options
from core.imaging.problem import Estimate, Problem

SIDE = 40


class Mean(nn.Module):
    """Predicts 0 with a variance that grows away from the border of the mask."""

    multiple = 8

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(
        self, noisy: Tensor, context: Tensor, level: Tensor, conditioning: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        self.calls += 1
        distance = ndimage.distance_transform_edt(context[0, 1].numpy() > 0)
        variance = torch.from_numpy(np.maximum(0.02 * distance, 1e-3).astype(np.float32))
        return torch.zeros_like(noisy), variance.log()[None, None]


def symmetric(middle: int) -> tuple[Problem, np.ndarray]:
    """A textured brain that is its own mirror image, with a mask around X = ``middle``; and the whole of it."""
    texture = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((SIDE,) * 3), 1.2)
    image = (1 + 2 * (texture + texture[::-1])).astype(np.float32)
    x, y, z = np.ogrid[:SIDE, :SIDE, :SIDE]
    head = (x - 19.5) ** 2 + (y - 19.5) ** 2 + (z - 19.5) ** 2 < 18**2
    image = np.where(head, np.maximum(image, 0.05), 0).astype(np.float32)
    mask = ((x - middle) ** 2 + (y - 20) ** 2 + (z - 20) ** 2 < 6**2) & head
    return Problem(np.where(mask, np.float32(0), image), mask, head, (1.0, 1.0, 1.0)), image


def made_of(problem: Problem, options: Options) -> tuple[Estimate, list[Progress], int]:
    network, seen = Mean(), []
    steps = grafted(network, setting(problem, 8), options, 1.0)
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as end:
            return end.value, seen, network.calls


def test_a_brain_that_is_its_own_mirror_image_is_given_back_where_the_network_does_not_know() -> None:
    problem, whole = symmetric(31)
    made, progress, calls = made_of(problem, Options("realistic", steps=8))
    deep = ndimage.binary_erosion(problem.mask, iterations=4)
    # the network's mean is the smooth fill: its residual is 0
    smooth = interpolate(problem.image, problem.mask, order=2)
    assert np.abs(made.values - whole)[deep].mean() < 0.3 * np.abs(smooth - whole)[deep].mean()
    assert made.calls == calls == MEAN_CALLS
    assert made.notice.startswith(
        "100% of the masked region shows tissue from elsewhere in this head, 100% of it from the"
    )
    assert made.deviation is not None and (made.deviation[problem.mask] > 0).all()
    assert not made.values[~problem.mask].any()
    assert all(one.fraction <= two.fraction for one, two in pairwise(progress))


def test_without_the_other_hemisphere_tissue_is_of_the_same_side_and_real() -> None:
    problem, whole = symmetric(31)
    made, _, _ = made_of(problem, Options("realistic", opposite=False))
    deep = ndimage.binary_erosion(problem.mask, iterations=3)
    assert "from elsewhere in this head:" in made.notice and "hemisphere" not in made.notice
    # what is borrowed is as lively as tissue is, and no copy of the mirror image
    assert 0.6 < made.values[deep].std() / whole[deep].std() < 1.6
    assert np.corrcoef(made.values[deep], whole[deep])[0, 1] < 0.9


@pytest.mark.parametrize("seed", [3, 4])
def test_a_mask_across_the_midline_has_real_texture_and_no_need_of_chance(seed: int) -> None:
    problem, whole = symmetric(20)
    made, progress, calls = made_of(problem, Options("realistic", steps=4, seed=seed))
    first, _, _ = made_of(problem, Options("realistic", steps=1, seed=0))
    deep = ndimage.binary_erosion(problem.mask, iterations=3)
    assert made.calls == calls == MEAN_CALLS and progress[-1].text == "Looking for tissue that fits"
    assert 0.6 < made.values[deep].std() / whole[deep].std() < 1.6
    assert np.array_equal(made.values, first.values)


@pytest.mark.parametrize(
    ("share", "across", "words"),
    [
        (0.0, 0.0, ""),
        (0.97, 0.0, "97% of the masked region shows tissue from elsewhere in this head" + TRUST),
        (1.0, 0.4, "elsewhere in this head, 40% of it from the other hemisphere" + TRUST + " If the other side is ill"),
    ],
)
def test_the_sentence_has_how_much_comes_from_where(share: float, across: float, words: str) -> None:
    sentence = origin(share, across)
    assert words in sentence and bool(sentence) == bool(words)
    assert ("Other hemisphere off" in sentence) == (across > 0)


@given(st.integers(0, 2**31))
def test_a_blend_lies_between_and_is_the_mean_where_nothing_is_grafted(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mean, graft = rng.normal(size=(2, 5, 6, 7)).astype(np.float32)
    deviation = rng.uniform(0, 1, mean.shape).astype(np.float32)
    known = rng.random(mean.shape) < 0.7
    made = blend(mean, deviation, graft, known)
    assert (made >= np.minimum(mean, graft) - 1e-6).all() and (made <= np.maximum(mean, graft) + 1e-6).all()
    assert np.array_equal(made[~known], mean[~known])
    doubted = known & (deviation >= np.median(deviation[known]) + 1e-6)
    assert np.allclose(made[doubted], graft[doubted])


def test_the_ragged_edge_of_what_is_known_is_stretched_a_little() -> None:
    values = np.arange(10, dtype=np.float32)[:, None, None] * np.ones((1, 3, 3), np.float32)
    known = np.zeros(values.shape, bool)
    known[:4] = True
    wide, there = continued(values, known)
    assert there[: 4 + RIM].all() and not there[4 + RIM :].any()
    assert (wide[4 : 4 + RIM] == 3).all() and np.array_equal(wide[:4], values[:4])
    nothing, nowhere = continued(values, np.zeros_like(known))
    assert nothing is values and not nowhere.any()
