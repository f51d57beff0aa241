import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from core.nets.segment_net import CLASSES, SHARES, SegmentNet
from core.train.batch import Batch
from core.train.dice import SMOOTH, overlap, soft_dice


def batch() -> Batch:
    truth = np.zeros((1, 1, 16, 16, 16), np.float32)
    for number in range(1, CLASSES):
        truth[:, :, :, :, 4 * number : 4 * number + 4] = number
    return Batch(truth / 3, truth, np.ones_like(truth), np.zeros((1, len(SHARES)), np.float32))


def test_the_same_maps_overlap_wholly_and_apart_ones_not_at_all() -> None:
    one = F.one_hot(torch.tensor([0, 1, 1, 2, 2, 3, 3]), CLASSES).T[None].float().repeat(1, 1, 1000)
    other = F.one_hot(torch.tensor([0, 2, 2, 3, 3, 1, 1]), CLASSES).T[None].float().repeat(1, 1, 1000)
    assert soft_dice(one, one) == 1
    assert soft_dice(one, other) == pytest.approx(SMOOTH / (4000 + SMOOTH))


def test_an_untrained_network_knows_nothing() -> None:
    loss, (apart, entropy) = overlap(SegmentNet(widths=(8, 8), blocks=(1, 1)), batch(), "cpu")
    assert entropy == pytest.approx(math.log(CLASSES))
    assert apart > 0.9
    assert float(loss.detach()) > entropy


def test_steps_bring_the_maps_together() -> None:
    torch.manual_seed(0)
    network = SegmentNet(widths=(8, 8), blocks=(1, 1))
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(40):
        loss, _ = overlap(network, batch(), "cpu")
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
    assert overlap(network, batch(), "cpu")[1][0] < 0.2
