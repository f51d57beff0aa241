"""Gradient boosting of regression trees: squared error, features in bins, leaves split best first.

Friedman 2001 (Annals of Statistics 29, algorithm 2); bins and the order of splits as in LightGBM (Ke 2017).
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.imaging.translate.trees import Model
from core.nets.boosted_trees import LEAF, LEAVES, NODES, TREES

Float = NDArray[np.float32]
Double = NDArray[np.float64]
Bins = NDArray[np.uint16]
Rows = NDArray[np.int64]

BINS = 255
RATE = 0.1
# samples in a leaf, at least
SMALLEST_LEAF = 20
# samples counted at once, so that their bins stay in the cache of a core
BLOCK = 4096


class Split(NamedTuple):
    """Samples whose ``feature`` lies in bin ``highest`` or below go left, which reduces the squared error by ``gain``;
    0 where nothing can be split."""

    gain: float
    feature: int
    highest: int


@dataclass(eq=False)
class Node:
    """The samples ``rows`` of a node and its best ``split``; ``children`` once it is split.

    histogram: (2, F, ``BINS``), the sum of the residuals and the number of the samples in each bin of each feature.
    """

    rows: Rows
    histogram: Double
    split: Split
    children: tuple[Node, Node] | None = None


def constant(value: float) -> Model:
    """Return the model that predicts ``value`` everywhere: ``TREES`` trees of one leaf each, which add 0."""
    nodes = np.zeros((TREES, NODES, 3), np.float32)
    nodes[:, :, 0] = LEAF
    return Model(nodes, value)


def boost(features: Float, target: Float, trees: int = TREES) -> Model:
    """Return the model of ``trees`` trees of at most ``LEAVES`` leaves that predicts ``target`` (N,) from ``features``
    (N, F), finite numbers; trees that are lacking to ``TREES`` add 0.

    Thresholds and values are rounded to float32 before the next tree is fitted, so that what is stored is what learnt.
    """
    edges = [_edges(column.astype(np.float64)) for column in features.T]
    bins = np.empty(features.shape, np.uint16)
    for feature, highest in enumerate(edges):
        bins[:, feature] = feature * BINS + np.searchsorted(highest, features[:, feature])
    start = float(np.float32(target.mean(dtype=np.float64)))
    nodes = constant(start).nodes
    residual = target - np.float64(start)
    for tree in nodes[:trees]:
        _write(_grow(bins, residual), edges, residual, tree, 0)
    return Model(nodes, start)


def _edges(column: Double) -> Float:
    """Return the highest value of each bin but the last: halfway between distinct values, or quantiles of many."""
    values = np.unique(column)
    if len(values) <= BINS:
        return np.unique(((values[:-1] + values[1:]) / 2).astype(np.float32))
    inner = np.linspace(0, 100, BINS + 1)[1:-1]
    return np.unique(np.percentile(column, inner, method="averaged_inverted_cdf").astype(np.float32))


def _grow(bins: Bins, residual: Double) -> Node:
    """Return the root of a tree for ``residual`` (N,), the leaf with the highest gain being split next.

    bins: (N, F), of each sample and feature its bin, those of feature f being numbered from f ``BINS`` on.
    """
    every = np.arange(len(residual))
    root = _node(every, _histogram(bins, residual, every))
    # of equal gains the older node is split first
    waiting = [(-root.split.gain, 0, root)]
    for leaves in range(1, LEAVES):
        *_, node = heapq.heappop(waiting)
        if node.split.gain <= 0:
            break
        node.children = _divide(node, bins, residual)
        for age, child in enumerate(node.children, 2 * leaves):
            heapq.heappush(waiting, (-child.split.gain, age, child))
    return root


def _divide(node: Node, bins: Bins, residual: Double) -> tuple[Node, Node]:
    feature = node.split.feature
    below = bins[node.rows, feature] <= feature * BINS + node.split.highest
    left, right = node.rows[below], node.rows[~below]
    # the larger child's histogram is what the smaller one leaves of the parent's
    if len(left) <= len(right):
        counted = _histogram(bins, residual, left)
        return _node(left, counted), _node(right, node.histogram - counted)
    counted = _histogram(bins, residual, right)
    return _node(left, node.histogram - counted), _node(right, counted)


def _node(rows: Rows, histogram: Double) -> Node:
    return Node(rows, histogram, _best(histogram))


def _histogram(bins: Bins, residual: Double, rows: Rows) -> Double:
    features = bins.shape[1]
    histogram = np.zeros((2, features * BINS))
    for low in range(0, len(rows), BLOCK):
        block = rows[low : low + BLOCK]
        places = bins.take(block, axis=0).ravel().astype(np.intp)
        histogram[0] += np.bincount(places, residual.take(block).repeat(features), features * BINS)
        histogram[1] += np.bincount(places, minlength=features * BINS)
    return histogram.reshape(2, features, BINS)


def _best(histogram: Double) -> Split:
    """Return the split with the highest gain, the first of equals, that leaves ``SMALLEST_LEAF`` samples or more."""
    total, count = histogram[:, 0].sum(axis=1)
    if count < 2 * SMALLEST_LEAF:
        return Split(0.0, 0, 0)
    left, below = histogram.cumsum(axis=2)
    right, above = total - left, count - below
    with np.errstate(divide="ignore", invalid="ignore"):
        explained = left * left / below + right * right / above
    explained[np.minimum(below, above) < SMALLEST_LEAF] = 0
    feature, highest = np.unravel_index(explained.argmax(), explained.shape)
    return Split(float(explained[feature, highest] - total * total / count), int(feature), int(highest))


def _write(node: Node, edges: list[Float], residual: Double, nodes: Float, index: int) -> int:
    """Write ``node`` and all below it into ``nodes`` (N, 3) from ``index`` on, subtract the leaves' values from their
    samples' ``residual``, and return the next index."""
    if node.children is None:
        total, count = node.histogram[:, 0].sum(axis=1)
        nodes[index, 1] = RATE * total / count
        residual[node.rows] -= nodes[index, 1]
        return index + 1
    left, right = node.children
    middle = _write(left, edges, residual, nodes, index + 1)
    nodes[index] = node.split.feature, edges[node.split.feature][node.split.highest], middle
    return _write(right, edges, residual, nodes, middle)
