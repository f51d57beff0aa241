"""Translation by boosted trees on a voxel and its surroundings: the strongest plain method, an input of our network.

Friedman 2001; ``core.train.boosting`` fits them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Generator, Mapping, Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from core import device as devices
from core.contrasts import CONTRASTS
from core.errors import UserError
from core.events import Progress
from core.imaging.brain_position import places
from core.imaging.options import Options
from core.imaging.problem import Estimate, Sources
from core.imaging.translate.feature_codes import Code, FeatureCodes
from core.imaging.translate.regression import Start, neighbourhood
from core.nets.boosted_trees import LEAF, MODELS, NODES
from core.smoothing import Order, along, gaussian
from core.weights import load

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]
Bytes = NDArray[np.uint8]

WEIGHTS = "translate-trees"
SIGMAS = (1.0, 2.0, 4.0)
ORDERS: tuple[Order, Order, Order] = (0, 1, 2)
PER_CONTRAST = 5 + len(SIGMAS)
# voxels predicted at once: what a tree computes of them stays in the cache of a core
CHUNK = 131_072


class Split(NamedTuple):
    """An inner node: its ``feature``, the ``highest`` code that goes left, and how many leaves lie on the right."""

    feature: int
    highest: int
    leaves_right: int
    left_is_leaf: bool
    right_is_leaf: bool


class Tree(NamedTuple):
    """A regression tree: its splits from the last node to the first, and its leaves' values (L,) float64 from right to
    left."""

    splits: tuple[Split, ...]
    leaves: NDArray[np.float64]


class Model:
    """A sum of regression trees, whose layout is checked here and relied upon by ``predict``.

    nodes: (T, ``NODES``, 3) float32, laid out as in ``BoostedTrees``; start: what the trees add to.
    UserError weights_damaged where the nodes are no trees. width: the number of features that the trees need; codes:
    feature -> how it is compared.
    """

    def __init__(self, nodes: Float, start: float) -> None:
        if nodes.shape[1:] != (NODES, 3) or not np.isfinite(nodes).all():
            raise _damaged()
        feature = nodes[:, :, 0]
        if (feature < LEAF).any() or (feature != np.floor(feature)).any():
            raise _damaged()
        self.nodes, self.start = nodes, start
        self.width = int(feature.max(initial=LEAF)) + 1
        values, ranks = nodes[:, :, 1], np.zeros(feature.shape, np.intp)
        self.codes: dict[int, FeatureCodes] = {}
        for number in np.unique(feature[feature != LEAF]):
            own = feature == number
            thresholds = np.unique(values[own])
            ranks[own] = np.searchsorted(thresholds, values[own])
            self.codes[int(number)] = FeatureCodes(thresholds)
        self.trees = [_tree(own, rank) for own, rank in zip(nodes, ranks, strict=True)]


def _tree(nodes: Float, ranks: NDArray[np.intp]) -> Tree:
    """Return the tree of ``nodes`` (N, 3), read from the last to the first: children come before their parent.

    ranks: of each threshold among those of its feature, the highest code that goes left.
    """
    splits: list[Split] = []
    values: list[float] = []
    orphans: list[tuple[int, int]] = []  # first node and number of leaves of the subtrees without a parent
    for index, (feature, value, right) in reversed(list(enumerate(nodes.tolist()))):
        leaves = 1
        if feature == LEAF:
            values.append(value)
        elif len(orphans) > 1 and orphans[-2][0] == right:
            (_, on_left), (_, on_right) = orphans.pop(), orphans.pop()
            splits.append(Split(int(feature), int(ranks[index]), on_right, on_left == 1, on_right == 1))
            leaves = on_left + on_right
        else:
            raise _damaged()
        orphans.append((index, leaves))
    *unused, (_, leaves) = orphans
    if any(count > 1 for _, count in unused):
        raise _damaged()
    return Tree(tuple(splits), np.array(values[-leaves:]))


def patch_maps(image: Float) -> Float:
    """Return (``PER_CONTRAST``, X, Y, Z) float32 of an image that is 0 outside the brain: the voxel, Gaussians of 1, 2
    and 4 voxels, gradient magnitude, Laplacian, minimum and maximum of 5 x 5 x 5 voxels."""
    maps = np.empty((PER_CONTRAST, *image.shape), np.float32)
    maps[0] = image
    maps[1], maps[4], maps[5] = _smooth_steep_curved(image)
    for place, sigma in enumerate(SIGMAS[1:], 2):
        maps[place] = gaussian(image, sigma, "constant")
    maps[6], maps[7] = _extreme(np.minimum, image), _extreme(np.maximum, image)
    return maps


def _smooth_steep_curved(image: Float) -> tuple[Float, Float, Float]:
    """Return an ``image`` (X, Y, Z) smoothed by a Gaussian of one voxel, the magnitude of its gradient and its
    Laplacian."""

    def step(given: Float, axis: int, order: Order = 0) -> Float:
        return along(given, axis, SIGMAS[0], order, "constant")

    x, slope_x, curve_x = (step(image, 0, order) for order in ORDERS)
    xy, slope_y, curve_y = (step(x, 1, order) for order in ORDERS)
    smooth, slope_z, curve_z = (step(xy, 2, order) for order in ORDERS)
    slopes = step(step(slope_x, 1), 2), step(slope_y, 2), slope_z
    steep = np.sqrt(sum(slope * slope for slope in slopes))
    return smooth, steep, step(step(curve_x, 1) + curve_y, 2) + curve_z


def _extreme(best: np.ufunc, image: Float) -> Float:
    """Return the ``best`` of two voxels, the lower or the higher one, over 5 x 5 x 5 voxels, 0 beyond the grid."""
    for axis in range(image.ndim):
        line = np.moveaxis(np.pad(image, [(2, 2) if each == axis else (0, 0) for each in range(3)]), axis, 0)
        two = best(line[:-1], line[1:])
        four = best(two[:-2], two[2:])
        image = np.moveaxis(best(four[:-1], line[4:]), 0, axis)
    return image


def gather(maps: Mapping[str, Float], place: Float, picked: Bool | NDArray[np.int64]) -> Float:
    """Return the features (N, F) float32 of the ``picked`` voxels.

    maps: contrast -> ``patch_maps``; place: (3, X, Y, Z), where each voxel lies in the brain's box, from ``places``.
    picked: (X, Y, Z) bool, or flat indices (N,).
    """
    parts = [*(maps[name] for name in CONTRASTS if name in maps), place]
    where = np.flatnonzero(picked) if picked.dtype == bool else picked
    flat = [part.reshape(len(part), math.prod(part.shape[1:])) for part in parts]
    return np.concatenate([part.take(where, axis=1) for part in flat]).T.astype(np.float32, copy=False)


def beside(features: Mapping[str, Float], place: Float, names: Collection[str]) -> Float:
    """Return the ``features`` of contrasts ``names`` and the ``place`` (N, 3) of voxels, ordered as by ``gather``."""
    return np.concatenate([*(features[name] for name in CONTRASTS if name in names), place], axis=1)


def predict(model: Model, features: Float) -> Float:
    """Return ``start`` and the trees' values added up in float64, (N,) float32, for ``features`` (N, F) float32; not a
    number goes right.

    UserError weights_damaged where a tree needs more than F features.
    """
    if model.width > features.shape[1]:
        raise _damaged()
    parts = [features[low : low + CHUNK] for low in range(0, len(features), CHUNK)]
    made = devices.side_by_side(lambda part: _predicted_part(model, part), parts)
    return np.concatenate([np.empty(0, np.float32), *made])


def _predicted_part(model: Model, features: Float) -> Float:
    columns = {number: codes.of(np.ascontiguousarray(features[:, number])) for number, codes in model.codes.items()}
    total, values = np.full(len(features), model.start), np.empty(len(features))
    for tree in model.trees:
        if tree.splits:
            total += np.take(tree.leaves, _reached(tree.splits, columns), out=values, mode="clip")
        else:
            total += tree.leaves[0]
    return total.astype(np.float32)


def _reached(splits: Sequence[Split], columns: Mapping[int, Code]) -> Bytes:
    """Return the number (N,) of the leaf, from right to left, in which each voxel ends; columns: feature -> codes (N,).

    Every split is computed for every voxel, children first, and numbers leaves within its own subtree: passes over
    bytes, which no voxel's path interrupts.
    """
    found: list[Bytes] = []
    for split in splits:
        leaf = np.less_equal(columns[split.feature], split.highest).view(np.uint8)
        if not split.left_is_leaf:
            left = found.pop()
            left += split.leaves_right
            leaf *= left
        elif not split.right_is_leaf:
            leaf *= split.leaves_right
        if not split.right_is_leaf:
            # any number on the left is higher than all on the right
            np.maximum(leaf, found.pop(), out=leaf)
        found.append(leaf)
    return found[0]


def number(sources: Collection[str], target: str) -> int:
    """Return which of ``MODELS`` makes ``target`` from ``sources``."""
    present = tuple(index for index, name in enumerate(CONTRASTS) if name in sources)
    return MODELS.index((present, CONTRASTS.index(target)))


def said(images: Mapping[str, Float], brain: Bool, target: str) -> Float:
    """Return what the shipped trees predict of the scaled ``target``, (x, y, z) float32, 0 outside the ``brain``, from
    contrast -> ``scaled`` image."""
    shipped, index = load(WEIGHTS), number(images, target)
    nodes, base = (shipped.get_parameter(name).detach()[index].numpy() for name in ("nodes", "start"))
    maps = dict(zip(images, devices.side_by_side(patch_maps, images.values()), strict=True))
    values = np.zeros(brain.shape, np.float32)
    values[brain] = predict(Model(nodes, float(base)), gather(maps, places(brain), brain))
    return values


_predicted: WeakKeyDictionary[Sources, Float] = WeakKeyDictionary()


def predicted(sources: Sources) -> Float:
    """Return ``said`` of the scaled ``sources`` in the box around the brain; computed once for the same ones."""
    if sources not in _predicted:
        _, brain, images = neighbourhood(sources)
        _predicted[sources] = said(images, brain, sources.target)
    return _predicted[sources]


def trees(sources: Sources, options: Options) -> Generator[Progress, None, Estimate]:
    """Translate voxel by voxel; values are in units of the target's 99.5th percentile in the brain."""
    yield Progress(0.0, 0, 1, "Looking at the surroundings of each voxel")
    box, brain, images = neighbourhood(sources)
    begun = Start(box, brain, images, predicted(sources))
    return Estimate(begun.finished(sources, begun.base))


def _damaged() -> UserError:
    return UserError(
        "weights_damaged",
        f"The nodes of the network {WEIGHTS!r} are no trees.",
        "Get assets/weights of the repository again, or choose a method without a network.",
    )
