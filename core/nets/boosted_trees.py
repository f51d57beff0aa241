"""Boosted trees from a voxel and its surroundings in some contrasts to another contrast, as tensors."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import nn

CONTRASTS = 4
TREES = 100
LEAVES = 63
NODES = 2 * LEAVES - 1
# in place of a feature in the nodes that are leaves
LEAF = -1
# sources and target, as numbers of contrasts, of each model
MODELS: tuple[tuple[tuple[int, ...], int], ...] = tuple(
    (sources, target)
    for count in range(1, CONTRASTS)
    for sources in combinations(range(CONTRASTS), count)
    for target in range(CONTRASTS)
    if target not in sources
)


class BoostedTrees(nn.Module):
    """A sum of ``TREES`` regression trees for each of ``MODELS``.

    nodes (28, ``TREES``, ``NODES``, 3) float32: of each node the number of its feature, or ``LEAF``; the highest value
    that goes left, or the value of the leaf; the node on the right. Depth first: the node on the left is the next one,
    the node on the right follows all that is on the left. Nodes after a tree are leaves.
    start (28,) float32: what the values of the leaves are added to.
    """

    def __init__(self) -> None:
        super().__init__()
        self.nodes = nn.Parameter(torch.zeros(len(MODELS), TREES, NODES, 3))
        self.start = nn.Parameter(torch.zeros(len(MODELS)))
