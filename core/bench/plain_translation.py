"""Plain ways to translate a contrast, fitted on training subjects: a line, a histogram, boosted trees on patches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.bench.subjects import in_units
from core.contrasts import CONTRASTS
from core.imaging.brain_position import places
from core.imaging.translate.trees import PER_CONTRAST, beside, gather, patch_maps
from core.nets.boosted_trees import LEAVES, TREES

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]
Subject = tuple[Mapping[str, Float], Bool]
"""Contrast -> image (X, Y, Z), any units, and the brain."""
Predictor = Callable[[Mapping[str, Float], Bool], Float]
"""From sources (X, Y, Z), scaled as those it was fitted on, and the brain, to the scaled target, 0 outside."""
Scale = Callable[[Float, Bool], Float]
"""From an image (X, Y, Z) and the brain to one whose scanner shows less."""

VOXELS = 50_000
# number of sources -> bins along each and standard deviation of the smoothing in bins
BINS = {1: (128, 0.0), 2: (64, 1.5), 3: (24, 0.6)}
TOP = 1.2
"""Upper end of the histograms, which take images in units of their 99.5th percentile."""


@dataclass(frozen=True, eq=False)
class Pool:
    """Voxels of training brains: contrast -> patch features (N, ``PER_CONTRAST``) float32, the first column being the
    voxel itself, and where each voxel lies in its brain (N, 3) float32."""

    features: Mapping[str, Float]
    place: Float

    def gather(self, sources: Sequence[str]) -> Float:
        """Return the features of ``sources`` and the place side by side, (N, F)."""
        return beside(self.features, self.place, sources)

    def voxels(self, sources: Sequence[str]) -> Float:
        """Return the voxels of ``sources`` side by side, (N, S)."""
        return np.stack([self.features[name][:, 0] for name in sources], axis=1)


def pool(subjects: Sequence[Callable[[], Subject]], voxels: int = VOXELS, scale: Scale = in_units) -> Pool:
    """Draw ``voxels`` of the brain of each of ``subjects``, read in turn and scaled, the same ones each time."""
    parts: dict[str, list[Float]] = {name: [] for name in CONTRASTS}
    spots: list[Float] = []
    for index, read in enumerate(subjects):
        images, brain = read()
        inside = np.flatnonzero(brain)
        picks = np.sort(np.random.default_rng(index).choice(inside, min(voxels, inside.size), replace=False))
        for name in CONTRASTS:
            parts[name].append(patch_maps(scale(images[name], brain)).reshape(PER_CONTRAST, -1)[:, picks].T)
        spots.append(places(brain).reshape(3, -1)[:, picks].T)
    return Pool({name: np.concatenate(part) for name, part in parts.items()}, np.concatenate(spots))


def save(path: Path, drawn: Pool) -> None:
    """Write a pool as .npz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        np.savez(file, place=drawn.place, allow_pickle=False, **drawn.features)


def restore(path: Path) -> Pool:
    """Read what ``save`` wrote; ValueError, KeyError or OSError where that is not what the file holds."""
    with np.load(path, allow_pickle=False) as stored:
        return Pool({name: stored[name] for name in CONTRASTS}, stored["place"])


def linear(drawn: Pool, sources: Sequence[str], target: str) -> Predictor:
    """Fit the target as a weighted sum of the sources and a constant, by least squares."""
    weights = _line(drawn.voxels(sources), drawn.features[target][:, 0])

    def predict(images: Mapping[str, Float], brain: Bool) -> Float:
        return _filled(brain, _on_line(weights, _at(images, sources, brain)))

    return predict


def histogram(drawn: Pool, sources: Sequence[str], target: str) -> Predictor:
    """Fit the mean target of each cell of the sources' joint histogram; an empty cell takes the linear fit."""
    bins, sigma = BINS[len(sources)]
    values, wanted = drawn.voxels(sources), drawn.features[target][:, 0].astype(np.float64)
    weights = _line(values, wanted)
    shape = (bins,) * len(sources)
    cells = _cells(values, bins)
    count, total = (
        _smooth(np.bincount(cells, weights=weight, minlength=bins ** len(sources)).reshape(shape), sigma)
        for weight in (np.ones_like(wanted), wanted)
    )
    # less than a hundredth of a voxel is no evidence
    known = (count > 0.01).ravel()
    table = np.where(known, total.ravel() / np.maximum(count.ravel(), 1e-9), 0)

    def predict(images: Mapping[str, Float], brain: Bool) -> Float:
        seen = _at(images, sources, brain)
        cells = _cells(seen, bins)
        return _filled(brain, np.where(known[cells], table[cells], _on_line(weights, seen)))

    return predict


def boosting(drawn: Pool, sources: Sequence[str], target: str) -> Predictor:
    """Fit the gradient-boosted trees of scikit-learn on the patch features of the sources and the place: as many of as
    many leaves as ship."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    trees = HistGradientBoostingRegressor(max_iter=TREES, max_leaf_nodes=LEAVES, random_state=0)
    # on busy cores the threads of a team wait for each other for minutes
    with threadpool_limits(1):
        trees.fit(drawn.gather(sources), drawn.features[target][:, 0])

    def predict(images: Mapping[str, Float], brain: Bool) -> Float:
        seen = gather({name: patch_maps(images[name]) for name in sources}, places(brain), brain)
        with threadpool_limits(1):
            return _filled(brain, trees.predict(seen))

    return predict


def _smooth(table: NDArray[Any], sigma: float) -> NDArray[np.float64]:
    exact = table.astype(np.float64)
    return np.asarray(ndimage.gaussian_filter(exact, sigma)) if sigma > 0 else exact


def _at(images: Mapping[str, Float], sources: Sequence[str], brain: Bool) -> Float:
    return np.stack([images[name][brain] for name in sources], axis=1)


def _filled(brain: Bool, values: NDArray[np.floating]) -> Float:
    image = np.zeros(brain.shape, np.float32)
    image[brain] = values
    return image


def _line(values: NDArray[np.floating], wanted: NDArray[np.floating]) -> NDArray[np.float64]:
    table = np.column_stack([values, np.ones(len(values))]).astype(np.float64)
    return np.asarray(np.linalg.lstsq(table, wanted.astype(np.float64), rcond=None)[0], np.float64)


def _on_line(weights: NDArray[np.float64], values: Float) -> NDArray[np.float64]:
    return np.asarray(values @ weights[:-1] + weights[-1])


def _cells(values: Float, bins: int) -> NDArray[np.int64]:
    """Return the flat index of the histogram cell of each row of ``values`` (N, S)."""
    index = np.clip((values * (bins / TOP)).astype(np.int64), 0, bins - 1)
    flat = np.zeros(len(values), np.int64)
    for column in index.T:
        flat = flat * bins + column
    return flat
