import torch

from core.diffusion.schedule import times
from core.imaging.options import Options
from core.imaging.published.average import recipe
from tests.core.imaging.fakes import Slices, assert_the_seed_is_the_sample, draw_one, planes_of, view_of


def test_three_planes_are_asked_at_every_step() -> None:
    network = Slices()
    planes = planes_of(network, Options(steps=2))
    draw_one(recipe, planes)
    assert [plane for plane, _ in network.turns] == [2, 1, 0] * len(times(2))
    assert planes.calls == 2 * (3 + 5 + 2)


def test_the_last_step_is_the_mean_of_what_they_say() -> None:
    one, other = (
        draw_one(recipe, planes_of(Slices(each), Options(steps=1))).residual for each in ((0, 0, 0), (1, 2, 6))
    )
    assert torch.allclose(other - one, 3 * torch.from_numpy(view_of().region), atol=1e-5)


def test_the_seed_is_the_sample() -> None:
    assert_the_seed_is_the_sample(recipe, Options(steps=4))
