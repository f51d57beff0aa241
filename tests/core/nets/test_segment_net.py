import torch

from core.nets.segment_net import CLASSES, SHARES, SegmentNet


def small() -> SegmentNet:
    torch.manual_seed(0)
    network = SegmentNet(widths=(8, 8), blocks=(1, 1))
    for value in network.parameters():
        torch.nn.init.normal_(value, std=0.1)
    return network


def test_every_voxel_gets_a_score_for_each_tissue() -> None:
    logits = SegmentNet(widths=(8, 8), blocks=(1, 1))(torch.randn(2, 1, 8, 12, 16), torch.randn(2, len(SHARES)))
    assert logits.shape == (2, CLASSES, 8, 12, 16)
    assert logits.eq(0).all()


def test_every_weight_learns() -> None:
    network = small()
    network(torch.randn(1, 1, 8, 8, 8), torch.randn(1, len(SHARES))).square().mean().backward()
    assert all(value.grad is not None and value.grad.abs().sum() > 0 for value in network.parameters())


def test_the_answer_depends_on_the_contrast_that_is_told() -> None:
    network, image = small(), torch.randn(1, 1, 8, 8, 8)
    dark, bright = (network(image, torch.full((1, len(SHARES)), level)) for level in (0.2, 0.8))
    assert (dark - bright).abs().max() > 1e-3
