from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from core.nets.blocks import fused_with_noisy
from core.nets.plane_net import PLANES, REACH, PlaneNet
from core.nets.unet import EMBEDDING

SIDES = (8, 12, 16)


def network(**config: int | bool) -> PlaneNet:
    """Return a network whose every weight counts."""
    torch.manual_seed(0)
    made = PlaneNet(context=3, slab=2, widths=(8, 8), blocks=(1, 1), **config)  # type: ignore[arg-type]
    for value in made.parameters():
        torch.nn.init.normal_(value, std=0.15)
    return made.eval().requires_grad_(False)


def inputs(seed: int = 0, items: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    noisy = torch.randn(items, 1, *SIDES, generator=generator)
    return noisy, torch.randn(items, 3, *SIDES, generator=generator), torch.full((items,), -1.0)


NET = network()


@given(st.integers(0, 2), st.data())
def test_a_span_is_answered_as_the_same_slices_of_the_whole(plane: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, SIDES[plane] - 1))
    stop = data.draw(st.integers(start + 1, SIDES[plane]))
    whole, part = NET(*inputs(), None, plane), NET(*inputs(), None, plane, slice(start, stop))
    for every, some in zip(whole, part, strict=True):
        assert every.shape == (1, 1, *SIDES)
        assert torch.allclose(every.narrow(2 + plane, start, stop - start), some, atol=1e-5)


@pytest.mark.parametrize("plane", range(3))
def test_a_slice_depends_on_its_neighbours_within_reach_and_on_their_slab_alone(plane: int) -> None:
    noisy, context, level = inputs()
    before, _ = NET(noisy, context, level, None, plane)
    middle = 4
    for channel, reach in ((0, REACH), (1, REACH), (2, 0)):
        changed = context.clone()
        changed.select(2 + plane, middle)[:, channel] += 1
        after, _ = NET(noisy, changed, level, None, plane)
        moved = (after - before).abs().movedim(2 + plane, 0).flatten(1).amax(dim=1) > 1e-5
        assert moved.nonzero().flatten().tolist() == list(range(middle - reach, middle + reach + 1))
    stirred = noisy.clone()
    stirred.select(2 + plane, middle).add_(1)
    after, _ = NET(stirred, context, level, None, plane)
    moved = (after - before).abs().movedim(2 + plane, 0).flatten(1).amax(dim=1) > 1e-5
    assert moved.nonzero().flatten().tolist() == [middle]


@pytest.mark.parametrize("plane", range(3))
def test_at_the_ends_the_last_slice_is_repeated(plane: int) -> None:
    noisy, context, level = inputs()
    axis, count = 2 + plane, SIDES[plane]
    order = torch.arange(-REACH, count + REACH).clamp(0, count - 1)
    longer = [values.index_select(axis, order) for values in (noisy, context)]
    whole, _ = NET(noisy, context, level, None, plane)
    inner, _ = NET(longer[0], longer[1], level, None, plane, slice(REACH, count + REACH))
    assert torch.allclose(whole, inner, atol=1e-5)


@pytest.mark.parametrize(("one", "other"), [(0, 1), (0, 2), (1, 2)])
def test_planes_differ_in_what_is_told_of_them_alone(one: int, other: int) -> None:
    noisy, context, level = inputs()
    net = network()

    def answers() -> tuple[Tensor, Tensor]:
        straight, _ = net(noisy, context, level, None, one)
        turned, _ = net(noisy.movedim(2 + one, 2 + other), context.movedim(2 + one, 2 + other), level, None, other)
        return straight, turned.movedim(2 + other, 2 + one)

    assert not torch.allclose(*answers(), atol=1e-3)
    first = net.condition[0]
    assert isinstance(first, torch.nn.Linear)
    first.weight[:, EMBEDDING : EMBEDDING + PLANES] = 0
    assert torch.allclose(*answers(), atol=1e-5)


@pytest.mark.parametrize("plane", range(3))
def test_an_untrained_network_gives_the_best_linear_guess(plane: int) -> None:
    noisy, context, _ = inputs()
    level = torch.tensor([1.5])
    residual, log_variance = PlaneNet(3, 2, (8, 8), (1, 1), stream=True)(noisy, context, level, None, plane)
    assert torch.allclose(residual, level.sigmoid().sqrt() * noisy, atol=1e-6)
    assert torch.allclose(log_variance, torch.nn.functional.logsigmoid(-level), atol=1e-6)


@pytest.fixture
def unfused(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Tensor, Tensor]]:
    """What a network says by itself, before that is weighed with the noisy voxels."""

    def answer(net: PlaneNet, *given: object) -> tuple[Tensor, Tensor]:
        with monkeypatch.context() as patch:
            patch.setattr("core.nets.plane_net.fused_with_noisy", lambda residual, variance, *_: (residual, variance))
            predictions: tuple[Tensor, Tensor] = net(*given)
            return predictions

    return answer


@pytest.mark.parametrize("plane", range(3))
def test_an_untrained_network_adds_nothing_of_its_own_to_the_base(
    plane: int, unfused: Callable[..., tuple[Tensor, Tensor]]
) -> None:
    noisy, context, level = inputs()
    residual, log_variance = unfused(PlaneNet(3, 2, (8, 8), (1, 1), stream=True), noisy, context, level, None, plane)
    assert residual.eq(0).all()
    assert log_variance.eq(0).all()


@pytest.mark.parametrize("plane", range(3))
def test_an_answer_weighs_the_slices_of_a_span_with_their_own_noisy_voxels(
    plane: int, unfused: Callable[..., tuple[Tensor, Tensor]]
) -> None:
    noisy, context, level = inputs(items=2)
    span = slice(1, 6)
    predictions, own = unfused(NET, noisy, context, level, None, plane, span)
    residual, log_variance = NET(noisy, context, level, None, plane, span)
    here = noisy.narrow(2 + plane, 1, 5)
    expected, variance = fused_with_noisy(predictions, own, here, level)
    assert torch.allclose(residual, expected, atol=1e-5) and torch.allclose(log_variance, variance, atol=1e-5)
    assert not torch.allclose(residual, predictions, atol=1e-3)


@pytest.mark.parametrize("plane", range(3))
def test_with_next_to_no_noise_the_slices_of_a_span_are_their_own_noisy_voxels(plane: int) -> None:
    noisy, context, _ = inputs(items=2)
    residual, log_variance = NET(noisy, context, torch.full((2,), 30.0), None, plane, slice(1, 6))
    assert torch.allclose(residual, noisy.narrow(2 + plane, 1, 5), atol=1e-4)
    assert (log_variance < -29).all()


def test_an_earlier_estimate_is_seen_and_told_of() -> None:
    noisy, context, level = inputs()
    alone, _ = NET(noisy, context, level)
    of_zeros, _ = NET(noisy, context, level, coarse=torch.zeros_like(noisy))
    conditioned, _ = NET(noisy, context, level, coarse=torch.ones_like(noisy))
    assert not torch.allclose(alone, of_zeros, atol=1e-4)
    assert not torch.allclose(of_zeros, conditioned, atol=1e-4)


def test_items_of_a_batch_keep_their_own_facts_and_heads() -> None:
    net = network(conditioning=3, heads=2)
    noisy, context, _ = inputs(items=2)
    levels, conditioning = torch.tensor([-2.0, 1.0]), torch.tensor([[0.3, 1, 0], [2.0, 0, 1]])
    both = net(noisy, context, levels, conditioning, 1, slice(2, 7))
    for item in range(2):
        here = slice(item, item + 1)
        alone = net(noisy[here], context[here], levels[here], conditioning[here], 1, slice(2, 7))
        for every, one in zip(both, alone, strict=True):
            assert torch.allclose(every[here], one, atol=1e-5)
    other = net(noisy, context, levels, conditioning[:, [0, 2, 1]], 1, slice(2, 7))
    assert not torch.allclose(other[0], both[0], atol=1e-3)


def test_every_weight_learns() -> None:
    net = network(direct=True, stream=True).requires_grad_(True)
    noisy, context, level = inputs()
    residual, log_variance = net(noisy, context, level, None, 0, None, noisy)
    (residual.square().mean() + log_variance.mean()).backward()
    assert all(value.grad is not None and value.grad.abs().sum() > 0 for value in net.parameters())
