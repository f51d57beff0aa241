from __future__ import annotations

import math
from typing import get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.diffusion.schedule import signal, times, times_from
from core.imaging.options import Options, PublishedOptions, Stages
from core.imaging.published.hierarchical import AXIAL, CORONAL, UNNATURAL, recipe, times_taken
from core.imaging.published.planes import Planes
from tests.core.imaging.fakes import (
    Float,
    Slices,
    assert_the_seed_is_the_sample,
    draw_one,
    followed,
    planes_of,
    view_of,
)

WHOLE = (slice(0, 8), slice(0, 12), slice(0, 8))


def once(**published: object) -> Options:
    return Options(steps=8, published=PublishedOptions(resamples=1, **published))  # type: ignore[arg-type]


@pytest.mark.parametrize(("stages", "plane"), [("axial", AXIAL), ("coronal", CORONAL)])
def test_a_stage_by_itself_is_drawn_from_noise_in_its_plane(stages: Stages, plane: int) -> None:
    network = Slices()
    draw_one(recipe, planes_of(network, once(stages=stages)))
    assert [turn for turn, _ in network.turns] == [plane] * len(times(8))
    assert all(call.coarse is None for call in network.calls)


@pytest.mark.parametrize("start", [0.125, 0.5, 1.0])
def test_the_second_stage_goes_on_from_part_of_the_noise(start: float) -> None:
    network = Slices()
    view = view_of(box=WHOLE)
    draw_one(recipe, planes_of(network, once(start=start), view))
    second = times_from(start, 8)
    assert [turn for turn, _ in network.turns] == [AXIAL] * 8 + [CORONAL] * len(second)
    coarse = draw_one(recipe, planes_of(Slices(), once(stages="axial"), view)).residual
    begun = next(call for call in network.calls if call.plane == CORONAL)
    noise = begun.noisy - math.sqrt(signal(start)) * coarse
    # slices share their noise: the variance of a few is not known well
    assert float(noise.var()) == pytest.approx(1 - signal(start), rel=0.35)
    assert abs(float(torch.corrcoef(torch.stack([noise.flatten(), coarse.flatten()]))[0, 1])) < 0.3


@pytest.mark.parametrize("conditioned", [True, False])
def test_the_second_stage_is_told_of_the_first_if_wished(conditioned: bool) -> None:
    network = Slices()
    view = view_of(box=WHOLE)
    draw_one(recipe, planes_of(network, once(conditioned=conditioned), view))
    coarse = draw_one(recipe, planes_of(Slices(), once(stages="axial"), view)).residual
    for call in network.calls:
        if call.plane == AXIAL or not conditioned:
            assert call.coarse is None
        else:
            assert call.coarse is not None and torch.equal(call.coarse, coarse)


@pytest.mark.parametrize(("unnatural", "taken"), [(1.0, 1), (1.3, 2), (0.8, 2), (2.0, 3), (0.5, 3), (0.0, 3)])
def test_steps_are_taken_again_where_the_fill_is_unnatural(unnatural: float, taken: int) -> None:
    network, measured = Slices(), set()

    def measure(residual: Float, axis: int) -> float:
        measured.add(axis)
        return unnatural

    draw_one(recipe, planes_of(network, Options(steps=8, published=PublishedOptions(resamples=3)), unnatural=measure))
    planes = [plane for plane, _ in network.turns]
    assert planes.count(AXIAL) == 8 + 7 * (taken - 1)
    assert planes.count(CORONAL) == 5 + 4 * (taken - 1)
    assert measured == {AXIAL, CORONAL}


def test_nothing_is_measured_or_taken_again_with_resampling_off() -> None:
    def measure(residual: Float, axis: int) -> float:
        raise AssertionError("measured")

    network = Slices()
    draw_one(recipe, planes_of(network, once(), unnatural=measure))
    assert len(network.turns) == 13


@given(st.floats(1, 100), st.integers(1, 10))
def test_steps_too_small_are_as_unnatural_as_steps_too_large(ratio: float, most: int) -> None:
    taken = times_taken(ratio, most)
    assert 1 <= taken <= most
    assert taken <= times_taken(1.5 * ratio, most)
    assert times_taken(1 / ratio, most) == taken
    assert times_taken(1.0, most) == 1
    assert times_taken(1.01 * UNNATURAL, most) == times_taken(0.0, most) == most


@pytest.mark.parametrize("stages", get_args(Stages))
def test_progress_rises_over_both_stages(stages: Stages) -> None:
    planes: Planes = planes_of(
        Slices(), Options(steps=4, published=PublishedOptions(stages=stages)), unnatural=lambda *_: 1.0
    )
    shares, _ = followed(recipe(planes, view_of(), torch.Generator().manual_seed(0)))
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)


def test_the_seed_is_the_sample() -> None:
    for stages in get_args(Stages):
        assert_the_seed_is_the_sample(recipe, Options(steps=4, published=PublishedOptions(stages=stages)))
