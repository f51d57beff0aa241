import pytest

from core.imaging.options import Options, PublishedOptions
from core.imaging.published.repaint import recipe
from core.imaging.published.slicewise import recipe as plain
from tests.core.imaging.fakes import Slices, assert_the_seed_is_the_sample, draw_one, planes_of


@pytest.mark.parametrize("resamples", [1, 2, 5])
@pytest.mark.parametrize("jump", [1, 2, 4])
def test_every_part_of_the_way_is_taken_so_many_times(resamples: int, jump: int) -> None:
    network = Slices()
    planes = planes_of(network, Options(steps=8, published=PublishedOptions(resamples=resamples, jump=jump)))
    draw_one(recipe, planes)
    assert {plane for plane, _ in network.turns} == {2}
    assert len(network.turns) == 8 + (resamples - 1) * jump * (7 // jump)
    assert planes.calls == 2 * len(network.turns)


def test_taken_once_it_is_the_slices_by_themselves() -> None:
    options = Options(steps=4, published=PublishedOptions(resamples=1))
    mine, theirs = (draw_one(each, planes_of(Slices(), options)).residual for each in (recipe, plain))
    assert mine.equal(theirs)


def test_the_seed_is_the_sample() -> None:
    assert_the_seed_is_the_sample(recipe, Options(steps=4))
