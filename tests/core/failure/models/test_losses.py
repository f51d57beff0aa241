from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from core.failure.models.losses import LOSSES, Batch, diversity

IMAGES = torch.randn(24, 5, 4, 4, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(24) % 3
SLIDES = torch.arange(24) // 8


def network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(80, 3))


def batch(strength: float = 1.0, done: float = 0.9, slides: torch.Tensor = SLIDES) -> Batch:
    return Batch(IMAGES, LABELS, slides, done, strength, torch.Generator().manual_seed(0))


def risks(net: nn.Module) -> torch.Tensor:
    logits = net(IMAGES)
    return torch.stack([functional.cross_entropy(logits[each == SLIDES], LABELS[each == SLIDES]) for each in range(3)])


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_is_a_number_with_a_gradient(name: str) -> None:
    net = network()
    loss = LOSSES[name](net, batch(0.3))
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.ndim == 0 and torch.isfinite(loss)
    assert all(part.grad is not None and torch.isfinite(part.grad).all() for part in net.parameters())


def test_decoupling_adds_the_mean_square_of_the_logits() -> None:
    net = network()
    added = LOSSES["decoupling"](net, batch(0.2)) - LOSSES["plain"](net, batch())
    assert float(added.detach()) == pytest.approx(0.2 * float(net(IMAGES).detach().square().mean()), rel=1e-4)


def test_vrex_adds_the_variance_between_slides_once_it_is_warm() -> None:
    net = network()
    expected = risks(net).detach()
    warm, cold = (float(LOSSES["vrex"](net, batch(10.0, done=done)).detach()) for done in (0.9, 0.0))
    assert warm == pytest.approx(float(expected.mean() + 10 * expected.var(correction=0)) / 10, rel=1e-4)
    assert cold == pytest.approx(float(expected.mean() + expected.var(correction=0)), rel=1e-4)


def test_the_irm_penalty_is_the_slope_of_the_risk_in_the_scale() -> None:
    net = network()
    logits = net(IMAGES).detach()
    step = 1e-3
    input_times_gradient = [
        (
            functional.cross_entropy((1 + step) * logits[each == SLIDES], LABELS[each == SLIDES])
            - functional.cross_entropy((1 - step) * logits[each == SLIDES], LABELS[each == SLIDES])
        )
        / (2 * step)
        for each in range(3)
    ]
    expected = float(functional.cross_entropy(logits, LABELS)) + float(np.mean(np.square(input_times_gradient)))
    assert float(LOSSES["irm"](net, batch(1.0)).detach()) == pytest.approx(expected, rel=1e-2)


def test_groupdro_comes_to_look_at_the_worst_slide() -> None:
    net, one = network(), batch(5.0)
    found = [float(LOSSES["groupdro"](net, one).detach()) for _ in range(12)]
    expected = risks(net).detach()
    assert found[0] >= float(expected.mean()) - 1e-5
    assert found[-1] == pytest.approx(float(expected.max()), rel=0.05)


def test_members_that_are_alike_cost_more() -> None:
    net, other = network(), network(1)
    plain = float(LOSSES["plain"](net, batch()).detach()) * 2
    # the cosine of a gradient with itself is 1
    assert float(diversity([net, net], batch()).detach()) == pytest.approx(plain + 1, rel=1e-3)
    separate = float(LOSSES["plain"](net, batch()).detach()) + float(LOSSES["plain"](other, batch()).detach())
    assert float(diversity([net, other], batch()).detach()) < separate + 0.9
