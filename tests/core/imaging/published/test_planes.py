from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from core import device
from core.diffusion.sampler import white
from core.events import finish
from core.imaging.options import Options, PublishedOptions
from core.imaging.published import planes as module
from core.imaging.published import slicewise
from core.imaging.published.planes import estimated
from core.nets.plane_net import PlaneNet
from tests.core.imaging.fakes import SIDES, Slices, draw_one, planes_of, view_of

TOUCHED = (3, 5, 2)
LEVEL = torch.tensor([-1.0])


def network() -> PlaneNet:
    torch.manual_seed(0)
    net = PlaneNet(2, 2, (8, 8), (1, 1), norm="channel")
    for value in net.parameters():
        torch.nn.init.normal_(value, std=0.15)
    return net.eval().requires_grad_(False)


def noise(seed: int = 0) -> torch.Tensor:
    return torch.randn(1, 1, *SIDES, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(autouse=True)
def in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "fast_bfloat16", lambda: False)


@pytest.mark.parametrize("plane", range(3))
def test_the_slices_that_touch_the_region_are_asked_and_counted(plane: int) -> None:
    network = Slices((1.0, 1.0, 1.0))
    planes = planes_of(network, Options())
    clean, log_variance = finish(planes.predict(view_of(), plane, 0 * noise(), LEVEL))
    assert planes.calls == sum(call.count for call in network.calls) == TOUCHED[plane]
    touched = torch.from_numpy(view_of().region.any(axis=tuple(axis for axis in range(3) if axis != plane)))
    each = clean[0, 0].movedim(plane, 0).flatten(1)
    assert each[~touched].eq(0).all() and each[touched].ne(0).any(dim=1).all()
    assert log_variance[0, 0].movedim(plane, 0)[touched].eq(plane).all()


@pytest.mark.parametrize("plane", range(3))
@pytest.mark.parametrize("coarse", [None, noise(7)])
@pytest.mark.parametrize("batch", [1, 3, 100])
def test_batches_do_not_change_the_answer(
    monkeypatch: pytest.MonkeyPatch, plane: int, coarse: torch.Tensor | None, batch: int
) -> None:
    monkeypatch.setattr(module, "BATCH", batch)
    net, view = network(), view_of(box=(slice(0, 8), slice(0, 12), slice(0, 8)))
    planes = planes_of(net, Options(), view)
    shares = list(planes.predict(view, plane, noise(), LEVEL, coarse))
    assert shares == sorted(shares) and shares[-1] == 1 and len(shares) == math.ceil(SIDES[plane] / batch)
    context = torch.from_numpy(np.asarray(view.context))[None]
    whole = net(noise(), context, LEVEL, None, plane, None, coarse)
    for mine, expected in zip(finish(planes.predict(view, plane, noise(), LEVEL, coarse)), whole, strict=True):
        assert torch.allclose(mine, expected, atol=1e-5)


def test_the_mean_of_planes_is_that_of_estimates_and_of_variances() -> None:
    network = Slices((0.0, 3.0, 9.0))
    view = view_of(box=(slice(0, 8), slice(0, 12), slice(0, 8)))
    planes = planes_of(network, Options(), view)
    alone = [finish(planes.one(view, plane)(noise(), LEVEL))[0] for plane in range(3)]
    clean, log_variance = finish(planes.mean(view, (2, 1, 0))(noise(), LEVEL))
    assert torch.allclose(clean, sum(alone, torch.zeros(1)) / 3, atol=1e-6)
    assert torch.allclose(clean - alone[0], torch.full_like(clean, 4.0), atol=1e-5)
    assert torch.allclose(log_variance.exp(), torch.full_like(clean, (1 + math.e + math.e**2) / 3), atol=1e-4)
    shares = list(planes.mean(view, (2, 1, 0))(noise(), LEVEL))
    assert shares == sorted(shares) and shares[-1] == 1


def test_noise_is_shared_between_slices_unless_that_is_switched_off() -> None:
    mask, generator = torch.ones(1, 1, 12, 12, 12), torch.Generator().manual_seed(0)
    for plane in range(3):
        drawn = planes_of(Slices(), Options()).noise(plane)(mask, generator).movedim(2 + plane, 2)
        assert float((drawn[:, :, 1:] * drawn[:, :, :-1]).mean()) > 0.6
    assert planes_of(Slices(), Options(published=PublishedOptions(correlated=False))).noise(0) is white


@pytest.mark.parametrize("samples", [1, 3])
def test_an_estimate_counts_its_calls_and_calibrates_its_doubt(samples: int) -> None:
    options = Options(steps=4, samples=samples)
    planes = planes_of(Slices(), options)
    made = finish(estimated(planes, options, slicewise.recipe, 2.0))
    assert made.calls == 4 * samples * TOUCHED[2]
    inside = view_of().region > 0
    assert made.deviation is not None
    assert (made.values[~inside] == 0).all() and (made.values[inside] != 0).all()
    if samples == 1:
        assert np.allclose(made.deviation[inside], 2 * math.e, rtol=1e-5)
        one = draw_one(slicewise.recipe, planes_of(Slices(), options), options.seed * 1_000_003)
        assert np.allclose(made.values, one.residual[0, 0].numpy(), atol=1e-6)
    else:
        assert (made.deviation[inside] > 2 * math.e).all()
