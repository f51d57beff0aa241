"""A missing contrast from those at hand, by our network."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.events import Progress
from core.methods.base import Estimate, Options
from core.methods.volume import View, draw
from core.volume import bounding_box
from core.weights import calibration, load

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

WEIGHTS = "translate-volume"
CONTRASTS = ("t1", "t1ce", "t2", "flair")
# median and standard deviation of each contrast in the brain, in units of its 99.5th percentile: means over the
# training subjects. The network works on intensities less their median over their deviation, which differ less
# between scanners than the percentile; the way back to it can only be the mean one.
USUAL = {"t1": (0.68, 0.18), "t1ce": (0.52, 0.135), "t2": (0.38, 0.155), "flair": (0.48, 0.16)}
LIMIT = 6.0
# known background around the brain that the network sees, voxels
MARGIN = 4


@dataclass(frozen=True, eq=False)
class Sources:
    """images: contrast ("t1", "t1ce", "t2", "flair") -> (X, Y, Z) float32, RAS+, about 1 mm, one grid, any units;
    brain: (X, Y, Z) bool; target: the contrast to make."""

    images: Mapping[str, Float]
    brain: Bool
    target: str


def scaled(image: NDArray[np.floating], brain: Bool) -> Float:
    """Return ``image`` (X, Y, Z) less its median in the brain, over its standard deviation there; 0 outside."""
    inside = image[brain].astype(np.float32)
    spread = max(float(inside.std()), 1e-6)
    values = np.clip((image - np.float32(np.median(inside))) / spread, -LIMIT, LIMIT)
    return np.where(brain, values, 0).astype(np.float32)


def prepare(images: Mapping[str, Float], brain: Bool, target: str, place: Float) -> tuple[Float, Float]:
    """Return context (8, X, Y, Z) and facts (8,) float32 of ``scaled`` sources.

    Channels: the four contrasts (0 where one is absent), the brain, ``place`` (3, X, Y, Z) from ``places``.
    Facts: which contrasts are there, which one is asked for.
    """
    channels = [images[name] if name in images else np.zeros(brain.shape, np.float32) for name in CONTRASTS]
    context = np.concatenate([np.stack([*channels, brain.astype(np.float32)]), place])
    facts = [float(name in images) for name in CONTRASTS] + [float(name == target) for name in CONTRASTS]
    return context.astype(np.float32), np.array(facts, np.float32)


def places(brain: Bool) -> Float:
    """Return where each voxel lies in the box around ``brain``: (3, X, Y, Z), -1 to 1 along each axis."""
    out = np.zeros((3, *brain.shape), np.float32)
    for axis, extent in enumerate(bounding_box(brain)):
        middle, half = (extent.start + extent.stop - 1) / 2, max(1.0, (extent.stop - extent.start) / 2)
        along = np.clip((np.arange(brain.shape[axis]) - middle) / half, -1.2, 1.2)
        out[axis] = along.reshape([-1 if other == axis else 1 for other in range(3)])
    return out


def volume(sources: Sources, options: Options) -> Generator[Progress, None, Estimate]:
    """Translate with the network ``WEIGHTS``; values are in units of the target's 99.5th percentile in the brain."""
    yield Progress(0.0, 0, 1, "Scaling the sources")
    network = load(WEIGHTS, options.device)
    multiple = int(getattr(network, "multiple", 8))
    box = bounding_box(sources.brain, MARGIN)
    brain = sources.brain[box]
    images = {name: scaled(image[box], brain) for name, image in sources.images.items()}
    context, facts = prepare(images, brain, sources.target, places(brain))
    pad = [(0, -side % multiple) for side in brain.shape]
    context = np.pad(context, [(0, 0), *pad])
    region = np.pad(brain.astype(np.float32), pad)
    residual, deviation = yield from draw(network, View(context, region, facts), options)
    inner = tuple(slice(side) for side in brain.shape)
    values, spread = np.zeros(sources.brain.shape, np.float32), np.zeros(sources.brain.shape, np.float32)
    median, unit = USUAL[sources.target]
    values[box] = np.where(brain, np.maximum(median + unit * residual[inner], 0), 0)
    spread[box] = np.where(brain, calibration(WEIGHTS) * unit * deviation[inner], 0)
    return Estimate(values, spread, options.steps * options.samples)
