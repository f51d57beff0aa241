import pytest
import torch

from core.imaging.options import Options, PublishedOptions
from core.imaging.published.tpdm import recipe
from tests.core.imaging.fakes import Slices, assert_the_seed_is_the_sample, draw_one, planes_of, view_of


@pytest.mark.parametrize("ratio", range(2, 9))
@pytest.mark.parametrize("order", [(2, 1, 0), (1, 0, 2)])
def test_one_of_so_many_steps_is_the_second_planes(ratio: int, order: tuple[int, int, int]) -> None:
    network = Slices()
    draw_one(recipe, planes_of(network, Options(steps=8, published=PublishedOptions(ratio=ratio)), order=order))
    primary, auxiliary, _ = order
    turns = [auxiliary if step % ratio == ratio - 1 else primary for step in range(8)]
    assert [plane for plane, _ in network.turns] == turns


def test_noise_is_shared_in_the_plane_that_sees_it_next() -> None:
    network = Slices()
    view = view_of(box=(slice(0, 8), slice(0, 12), slice(0, 8)))
    draw_one(recipe, planes_of(network, Options(steps=2), view))
    first = network.calls[0].noisy[0, 0]

    def alike(values: torch.Tensor, axis: int) -> float:
        turned = values.movedim(axis, 0)
        return float(torch.corrcoef(torch.stack([turned[1:].flatten(), turned[:-1].flatten()]))[0, 1])

    assert alike(first, 2) > 0.6 > 0.3 > abs(alike(first, 1))


def test_the_seed_is_the_sample() -> None:
    assert_the_seed_is_the_sample(recipe, Options(steps=4))
