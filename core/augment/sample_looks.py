"""A look at each generator's images: quality, copies, and pictures of them beside real ones."""

from __future__ import annotations

import base64
from collections.abc import Generator
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.augment.arms import OPEN
from core.augment.classifier import TrainedClassifier
from core.augment.image_set import Float, ImageSet, StudyData
from core.augment.sample_quality import coverage, memorisation, nearest
from core.augment.worth_results import Gallery, GeneratorQuality, Shown
from core.augment.worth_study import Measured
from core.events import Progress
from core.failure.diagnostics.attribution import FALSE_COLOUR

Pixels = NDArray[np.uint8]

MOST_LOOKED_AT = 400
SHOWN, PAIRS = 12, 8
PERCENTILES = (1.0, 99.0)
FEWEST = 20


def look(
    data: StudyData, measured: Measured, classifier: TrainedClassifier, seed: int
) -> Generator[Progress, None, tuple[tuple[GeneratorQuality, ...], tuple[Gallery, ...]]]:
    """Return quality and pictures of every generator of the first seed, that of the smallest base first.

    classifier: one that was trained on all real images; its features compare images. New real images are those of the
    first pool beyond a generator's base, or the test images where there are too few.
    """
    quality, galleries = [], []
    for done, ((name, base), draw) in enumerate(sorted(measured.draws.items())):
        yield Progress(0.96, done, len(measured.draws), "Looking at the synthetic images")
        training = data.pool(0).take(measured.order[:base]) if name != OPEN or data.beyond is None else data.beyond
        rest = data.pool(0).take(measured.order[base : base + MOST_LOOKED_AT])
        fresh = rest if len(rest) >= FEWEST else data.test.take(np.arange(min(len(data.test), MOST_LOOKED_AT)))
        made, labels = draw(max(len(fresh), SHOWN), seed + 1)
        quality.append(_quality(name, base, training, fresh, made, classifier))
        galleries.append(_gallery(name, base, training, made, labels))
    return tuple(quality), tuple(galleries)


def _quality(
    name: str, base: int, training: ImageSet, fresh: ImageSet, made: Float, classifier: TrainedClassifier
) -> GeneratorQuality:
    features, made_features = classifier.features(fresh.values), classifier.features(made)
    half = len(features) // 2
    ours, real = coverage(features, made_features), coverage(features[:half], features[half:])
    copies = memorisation(training.values, fresh.values, made)
    return GeneratorQuality(
        name,
        base,
        ours.precision,
        ours.recall,
        ours.coverage,
        real.precision,
        real.recall,
        real.coverage,
        copies.threshold,
        copies.share,
        copies.median,
        copies.real,
        copies.copies,
    )


def _gallery(name: str, base: int, training: ImageSet, made: Float, labels: NDArray[np.int64]) -> Gallery:
    numbers, distances = nearest(training.values, made)
    closest = np.argsort(distances, kind="stable")[:PAIRS]
    colours = _Colours(training)
    real = tuple(
        _shown(colours(training.values[at]), int(training.labels[at])) for at in range(min(SHOWN, len(training)))
    )
    synthetic = tuple(_shown(colours(made[at]), int(labels[at])) for at in range(min(SHOWN, len(made))))
    pairs = tuple(
        (
            _shown(colours(made[at]), int(labels[at])),
            _shown(colours(training.values[numbers[at]]), int(training.labels[numbers[at]])),
        )
        for at in closest
    )
    return Gallery(name, base, real, synthetic, pairs, tuple(float(distances[at]) for at in closest))


class _Colours:
    """How images of a set become pictures: colours as they are, three bands in false colour, or grey."""

    def __init__(self, images: ImageSet) -> None:
        self._kind = images.kind
        places = np.array(images.positions)
        self._channels = [int(np.abs(places - at).argmin()) for at in FALSE_COLOUR] if images.kind == "ir" else [0]
        shown = images.values[:, self._channels]
        self._low, self._high = np.percentile(shown, PERCENTILES, axis=(0, 2, 3), keepdims=True)[:, 0]

    def __call__(self, values: Float) -> Pixels:
        """Return one image (C, H, W) as (H, W, 3)."""
        if self._kind != "rgb":
            values = (values[self._channels] - self._low) / np.maximum(self._high - self._low, 1e-6)
            values = np.broadcast_to(values, (3, *values.shape[1:]))
        return np.clip(np.round(255 * values.transpose(1, 2, 0)), 0, 255).astype(np.uint8)


def _shown(pixels: Pixels, label: int) -> Shown:
    buffer = BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG")
    return Shown(base64.b64encode(buffer.getvalue()).decode(), label)
