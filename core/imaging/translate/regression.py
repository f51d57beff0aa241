"""Translation by regression on a voxel and its surroundings: a plain method, and where our network starts."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from core import device as devices
from core.anatomy.intensity import scaled
from core.contrasts import CONTRASTS, USUAL
from core.events import Progress
from core.imaging.options import Options
from core.imaging.problem import Estimate, Sources
from core.nets.piecewise_linear import EACH, FEATURES, KNOTS, PAIRS, SCALES
from core.smoothing import gaussian
from core.volume import Box, bounding_box
from core.weights import load

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

WEIGHTS = "translate-regression"
# known background around the brain that is looked at, voxels
MARGIN = 4
# voxels predicted at once: their features stay in the cache of a core
CHUNK = 8_192


def surroundings(image: Float, brain: Bool) -> Float:
    """Return a ``scaled`` image and its Gaussians, (1 + scales, X, Y, Z) float32, 0 outside the brain."""
    blurred = [gaussian(image, sigma, truncate=3.0) for sigma in SCALES]
    return np.stack([image, *(np.where(brain, part, 0) for part in blurred)]).astype(np.float32)


def features(sources: Mapping[str, Float]) -> Float:
    """Return ``FEATURES`` numbers a voxel, (FEATURES, ...) float32, of contrast -> ``surroundings`` (scales, ...)."""
    shape = next(iter(sources.values())).shape[1:]
    out = np.zeros((FEATURES, *shape), np.float32)
    out[0] = 1
    for number, name in enumerate(CONTRASTS):
        if name in sources:
            own = sources[name][0]
            part = out[1 + number * EACH : 1 + (number + 1) * EACH]
            part[0] = own
            for place, knot in enumerate(KNOTS):
                np.maximum(own - knot, 0, out=part[1 + place])
            part[1 + len(KNOTS) :] = sources[name][1:]
    for place, (first, second) in enumerate(PAIRS):
        one, other = CONTRASTS[first], CONTRASTS[second]
        if one in sources and other in sources:
            np.multiply(sources[one][0], sources[other][0], out=out[FEATURES - len(PAIRS) + place])
    return out


def row(names: Mapping[str, object]) -> int:
    """Return the row of the table for a set of sources: a bit for each contrast, in the order of ``CONTRASTS``."""
    return sum(1 << number for number, name in enumerate(CONTRASTS) if name in names)


def predict(table: Float, sources: Mapping[str, Float], target: str) -> Float:
    """Return the scaled target (...) float32 from contrast -> ``surroundings`` of the sources (scales, ...)."""
    coefficients = table[row(sources), CONTRASTS.index(target)]
    used = np.flatnonzero(coefficients)
    shape = next(iter(sources.values())).shape[1:]
    flat = {name: given.reshape(len(given), -1) for name, given in sources.items()}
    out = np.empty(int(np.prod(shape)), np.float32)
    for low in range(0, out.size, CHUNK):
        part = slice(low, low + CHUNK)
        out[part] = coefficients[used] @ features({name: given[:, part] for name, given in flat.items()})[used]
    return out.reshape(shape)


def load_table(device: str = "cpu") -> Float:
    """Return the shipped coefficients (16, 4, FEATURES) float32."""
    table: Float = load(WEIGHTS, device).get_parameter("table").detach().cpu().numpy()
    return table


@dataclass(frozen=True, eq=False)
class Start:
    """The neighbourhood ``box`` of a brain: ``brain`` (x, y, z) bool there, contrast -> ``scaled`` image, and ``base``
    (x, y, z) float32, a first guess of the scaled target, 0 outside the brain."""

    box: Box
    brain: Bool
    images: Mapping[str, Float]
    base: Float

    def in_units(self, target: str, scaled_target: Float) -> Float:
        """Return a scaled target (x, y, z) in units of its 99.5th percentile in the brain, 0 outside."""
        median, unit = USUAL[target]
        return np.where(self.brain, np.maximum(median + unit * scaled_target, 0), 0).astype(np.float32)

    def finished(self, sources: Sources, scaled_target: Float) -> Float:
        """Return a scaled target (x, y, z) as (X, Y, Z) in units of its 99.5th percentile in the brain."""
        values = np.zeros(sources.brain.shape, np.float32)
        values[self.box] = self.in_units(sources.target, scaled_target)
        return values


def neighbourhood(sources: Sources) -> tuple[Box, Bool, dict[str, Float]]:
    """Return the box around the brain, the brain there (x, y, z), and contrast -> ``scaled`` image there."""
    box = bounding_box(sources.brain, MARGIN)
    brain = sources.brain[box]
    return box, brain, {name: scaled(image[box], brain) for name, image in sources.images.items()}


# what several methods of a job begin with, as long as its sources are held
_starts: WeakKeyDictionary[Sources, Start] = WeakKeyDictionary()


def start(sources: Sources, device: str) -> Start:
    """Return the scaled sources in the box around the brain and the prediction of the regression there; computed once
    for the same ``sources``."""
    if sources not in _starts:
        box, brain, images = neighbourhood(sources)
        around = devices.side_by_side(lambda image: surroundings(image, brain)[:, brain], images.values())
        given = dict(zip(images, around, strict=True))
        base = np.zeros(brain.shape, np.float32)
        base[brain] = predict(load_table(device), given, sources.target)
        _starts[sources] = Start(box, brain, images, base)
    return _starts[sources]


def regression(sources: Sources, options: Options) -> Generator[Progress, None, Estimate]:
    """Translate voxel by voxel; values are in units of the target's 99.5th percentile in the brain."""
    yield Progress(0.0, 0, 1, "Looking at the surroundings of each voxel")
    begun = start(sources, options.device)
    return Estimate(begun.finished(sources, begun.base))
