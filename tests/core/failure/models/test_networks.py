from __future__ import annotations

import numpy as np
import pytest
import torch

from core.failure.models.networks import NETWORKS, build


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", [(24, 24), (9, 12), (1, 1)])
def test_every_network_gives_logits_of_every_size(name: str, size: tuple[int, int]) -> None:
    network = build(name, 6, size, 3).eval()
    images = torch.randn(4, 6, *size)
    assert network(images).shape == (4, 3)
    np.testing.assert_allclose(network.head(network.body(images)).detach(), network(images).detach(), rtol=1e-5)


def test_the_small_cnn_is_small() -> None:
    assert sum(part.numel() for part in build("cnn", 32, (24, 24), 4).parameters()) == 28_244


@pytest.mark.parametrize(("name", "blind"), [("pixel", True), ("linear", True), ("cnn", False), ("vit", False)])
def test_pixel_networks_are_blind_to_where_a_pixel_is(name: str, blind: bool) -> None:
    torch.manual_seed(0)
    network = build(name, 6, (8, 8), 3).eval()
    images = torch.randn(4, 6, 8, 8)
    order = torch.randperm(64)
    mixed = images.flatten(2)[:, :, order].reshape(images.shape)
    same = torch.allclose(network(images), network(mixed), atol=1e-5)
    assert same is blind


def test_a_bottleneck_passes_as_many_features_as_it_says() -> None:
    network = build("bottleneck-2", 10, (8, 8), 3)
    first = network.body[0]  # type: ignore[index]
    assert first.weight.shape == (2, 10, 1, 1)
