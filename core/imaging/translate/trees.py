"""Translation by boosted trees on a voxel and its surroundings: the strongest plain method; our network is told of it.

Friedman 2001, as the histogram trees of scikit-learn; its own code walks the trees here too.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.contrasts import CONTRASTS
from core.events import Progress
from core.imaging.brain_position import places
from core.imaging.options import Options
from core.imaging.problem import Estimate, Sources
from core.imaging.translate.regression import Start, neighbourhood
from core.nets.boosted_trees import LEAVES, MODELS, NODES, TREES
from core.weights import load

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

WEIGHTS = "translate-trees"
SIGMAS = (1.0, 2.0, 4.0)
PER_CONTRAST = 5 + len(SIGMAS)
# voxels asked for at once: their features are copied in double precision
CHUNK = 200_000


@dataclass(frozen=True, eq=False)
class Model:
    """One of ``core.nets.boosted_trees.MODELS``: its nodes (``TREES``, ``NODES``, 3) float32 and what they add to."""

    nodes: Float
    start: float


def patch_maps(image: Float) -> Float:
    """Return (``PER_CONTRAST``, X, Y, Z) float32 of an image that is 0 outside the brain: the voxel, Gaussians of 1, 2
    and 4 voxels, gradient magnitude, Laplacian, minimum and maximum of 5 x 5 x 5 voxels."""
    maps = [
        image,
        *(ndimage.gaussian_filter(image, sigma, mode="constant") for sigma in SIGMAS),
        ndimage.gaussian_gradient_magnitude(image, 1.0, mode="constant"),
        ndimage.gaussian_laplace(image, 1.0, mode="constant"),
        ndimage.minimum_filter(image, 5, mode="constant"),
        ndimage.maximum_filter(image, 5, mode="constant"),
    ]
    return np.stack(maps).astype(np.float32)


def gather(maps: Mapping[str, Float], place: Float, picked: Bool | NDArray[np.int64]) -> Float:
    """Return the features (N, F) float32 of the ``picked`` voxels.

    maps: contrast -> ``patch_maps``; place: (3, X, Y, Z), where each voxel lies in the brain's box, from ``places``.
    picked: (X, Y, Z) bool, or flat indices (N,).
    """
    parts = [*(maps[name] for name in CONTRASTS if name in maps), place]
    where = picked if picked.dtype == bool else np.unravel_index(picked, place.shape[1:])
    spots = (where,) if isinstance(where, np.ndarray) else where
    return np.concatenate([part[(slice(None), *spots)] for part in parts]).T.astype(np.float32)


def beside(features: Mapping[str, Float], place: Float, names: Collection[str]) -> Float:
    """Return the ``features`` of contrasts ``names`` and the ``place`` (N, 3) of voxels, ordered as by ``gather``."""
    return np.concatenate([*(features[name] for name in CONTRASTS if name in names), place], axis=1)


def regressor(trees: int = TREES) -> Any:
    """Return ``trees`` as scikit-learn fits them, to features as of ``gather`` and the target's values."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(max_iter=trees, max_leaf_nodes=LEAVES, random_state=0)


def silent() -> Float:
    """Return the nodes of trees that are one leaf each and say 0."""
    nodes = np.zeros((TREES, NODES, 3), np.float32)
    nodes[:, :, 0] = -1
    return nodes


def encode(fitted: Any) -> Model:
    """Return a fitted ``regressor`` as arrays; where it has fewer trees than ``TREES`` the others add 0."""
    nodes = silent()
    for number, (tree,) in enumerate(fitted._predictors):
        own, leaf = tree.nodes, tree.nodes["is_leaf"] == 1
        part = nodes[number, : len(own)]
        part[:, 0] = np.where(leaf, -1, own["feature_idx"])
        part[:, 1] = np.where(leaf, own["value"], own["num_threshold"])
        part[:, 2] = own["right"]
    return Model(nodes, float(fitted._baseline_prediction.item()))


def predict(model: Model, features: Float) -> Float:
    """Return what ``model`` gives for ``features`` (N, F), (N,) float32."""
    from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

    bits = np.zeros((0, 8), np.uint32)
    nowhere = np.zeros(features.shape[1], np.uint32)
    trees = []
    order = np.arange(NODES)
    for tree in model.nodes:
        feature, right = tree[:, 0].astype(np.int64), tree[:, 2].astype(np.int64)
        # the walk checks nothing: what leads nowhere, or back, ends it
        inner = (tree[:, 0] >= 0) & (feature < features.shape[1]) & (right > order) & (right < NODES)
        nodes = np.zeros(NODES, PREDICTOR_RECORD_DTYPE)
        nodes["is_leaf"] = ~inner
        nodes["feature_idx"], nodes["right"] = np.where(inner, (feature, right), 0)
        nodes["left"] = order + 1
        nodes["num_threshold"] = nodes["value"] = tree[:, 1]
        trees.append(TreePredictor(nodes, bits, bits))
    out = np.full(len(features), model.start)
    for low in range(0, len(features), CHUNK):
        part = features[low : low + CHUNK].astype(np.float64)
        for each in trees:
            # on busy cores the threads of a team wait for each other, tree by tree
            out[low : low + CHUNK] += each.predict(part, bits, nowhere, 1)
    return out.astype(np.float32)


def number(sources: Collection[str], target: str) -> int:
    """Return which of ``MODELS`` makes ``target`` from ``sources``."""
    told = tuple(index for index, name in enumerate(CONTRASTS) if name in sources)
    return MODELS.index((told, CONTRASTS.index(target)))


def said(images: Mapping[str, Float], brain: Bool, target: str) -> Float:
    """Return what the shipped trees say of the scaled ``target``, (x, y, z) float32, 0 outside the ``brain``, from
    contrast -> ``scaled`` image."""
    shipped, index = load(WEIGHTS), number(images, target)
    nodes, base = (shipped.get_parameter(name).detach()[index].numpy() for name in ("nodes", "start"))
    maps = {name: patch_maps(image) for name, image in images.items()}
    values = np.zeros(brain.shape, np.float32)
    values[brain] = predict(Model(nodes, float(base)), gather(maps, places(brain), brain))
    return values


def trees(sources: Sources, options: Options) -> Generator[Progress, None, Estimate]:
    """Translate voxel by voxel; values are in units of the target's 99.5th percentile in the brain."""
    yield Progress(0.0, 0, 1, "Looking at the surroundings of each voxel")
    box, brain, images = neighbourhood(sources)
    begun = Start(box, brain, images, said(images, brain, sources.target))
    return Estimate(begun.finished(sources, begun.base))
