import pytest
import torch
from torch import Tensor

from core.nets.unet import UNet, head


def network(dimensions: int, stream: bool) -> UNet:
    torch.manual_seed(0)
    return UNet(dimensions, 2, 1, 5, (8, 8), (1, 1), "channel", stream=stream)


def spoken(unet: UNet) -> UNet:
    """Return ``unet`` with a last convolution that says something."""
    torch.nn.init.normal_(unet.leave[-1].weight, std=0.1)  # type: ignore[arg-type]
    return unet


@pytest.mark.parametrize("dimensions", [2, 3])
def test_an_untrained_network_says_nothing_with_or_without_a_stream(dimensions: int) -> None:
    image, conditions = torch.randn(3, 2, *[8] * dimensions), torch.randn(3, 5)
    for stream in (False, True):
        out = network(dimensions, stream).folded(image, conditions)
        assert out.shape == (3, 2**dimensions, *[4] * dimensions)
        assert out.eq(0).all()


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_stream_changes_nothing_at_its_start(dimensions: int) -> None:
    plain, streamed = spoken(network(dimensions, False)), network(dimensions, True)
    missing, unknown = streamed.load_state_dict(plain.state_dict(), strict=False)
    assert {name.split(".")[0] for name in missing} == {"stream", "weigh"} and not unknown
    image, conditions = torch.randn(1, 2, *[8] * dimensions), torch.randn(1, 5)
    out = plain.folded(image, conditions)
    assert out.abs().max() > 0.01
    assert torch.equal(streamed.folded(image, conditions), out)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_stream_keeps_how_large_a_deviation_is(dimensions: int) -> None:
    unet = network(dimensions, True)
    assert unet.stream is not None and unet.enter.bias is not None
    torch.nn.init.normal_(unet.stream.weight, std=0.1)
    with torch.no_grad():
        # blocks that add nothing: what runs past them is linear in the image
        unet.enter.bias.zero_()
        for name, value in unet.named_parameters():
            if "conv2" in name or name.endswith("shortcut.bias"):
                value.zero_()
    image, conditions = torch.randn(1, 2, *[8] * dimensions), torch.randn(1, 5)
    once, twice = unet.folded(image, conditions), unet.folded(2 * image, conditions)
    assert once.abs().max() > 0.01
    assert torch.allclose(twice, 2 * once, atol=1e-5)


def test_the_stream_is_weighed_by_what_is_told() -> None:
    unet = network(2, True)
    assert unet.stream is not None and unet.weigh is not None
    torch.nn.init.normal_(unet.stream.weight, std=0.1)
    image, conditions = torch.randn(1, 2, 8, 8), torch.randn(2, 1, 5)
    assert torch.equal(unet.folded(image, conditions[0]), unet.folded(image, conditions[0]))
    torch.nn.init.normal_(unet.weigh.weight)
    assert not torch.allclose(unet.folded(image, conditions[0]), unet.folded(image, conditions[1]), atol=1e-3)


@pytest.mark.parametrize("sides", [(4, 6), (4, 6, 2)])
def test_each_item_gets_the_head_it_asks_for(sides: tuple[int, ...]) -> None:
    outputs = torch.randn(2, 6, *sides)
    conditioning = torch.tensor([[7.0, 0, 1, 0], [7.0, 0, 0, 1]])
    chosen: Tensor = head(outputs, 3, conditioning)
    assert torch.equal(chosen, torch.stack([outputs[0, 2:4], outputs[1, 4:6]]))
    assert head(outputs, 1, conditioning) is outputs


@pytest.mark.parametrize(("rows", "alone"), [((0, 0), True), ((2, 2), True), ((1, 2), False)])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_head_that_all_choose_is_computed_alone(dimensions: int, rows: tuple[int, int], alone: bool) -> None:
    torch.manual_seed(0)
    unet = UNet(dimensions, 2, 3, 5, (8, 8), (1, 1), "channel", direct=True, stream=True)
    for parameter in unet.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    image, conditions = torch.randn(2, 2, *[8] * dimensions), torch.randn(2, 5)
    conditioning = torch.cat([torch.randn(2, 1), torch.eye(3)[list(rows)]], dim=1)
    learning = unet.folded(image, conditions, 3, conditioning)
    called = []
    with torch.inference_mode(), unet.leave[2].register_forward_hook(lambda module, *_: called.append(module)):
        found = unet.folded(image, conditions, 3, conditioning)
    assert torch.allclose(found, learning, atol=1e-5)
    # the layer that ends in all heads is called where the items differ
    assert bool(called) != alone
