import pytest

from core.diffusion.schedule import log_snr, times
from core.imaging.options import Options, PublishedOptions
from core.imaging.published.slicewise import recipe
from tests.core.imaging.fakes import Slices, assert_the_seed_is_the_sample, draw_one, planes_of


@pytest.mark.parametrize("order", [(2, 1, 0), (1, 0, 2)])
def test_one_plane_is_asked_once_a_step(order: tuple[int, int, int]) -> None:
    network = Slices()
    draw_one(recipe, planes_of(network, Options(steps=4), order=order))
    assert {plane for plane, _ in network.turns} == {order[0]}
    assert [level for _, level in network.turns] == pytest.approx([log_snr(time) for time in times(4)], abs=1e-3)


def test_the_seed_is_the_sample() -> None:
    assert_the_seed_is_the_sample(recipe, Options(steps=4))
    assert_the_seed_is_the_sample(recipe, Options(steps=4, published=PublishedOptions(correlated=False)))
