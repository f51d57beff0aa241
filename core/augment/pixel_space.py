"""Images as a generator sees them: few channels of variance 1, sides that halve, and the way back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.augment.image_set import ImageSet

Float = NDArray[np.float32]

# components of infrared pixels that are generated; what they leave is drawn as noise of each band
MOST_COMPONENTS = 6
MULTIPLE = 4


@dataclass(frozen=True, eq=False)
class PixelSpace:
    """mean: (C,). basis: (C, c) from component to channel, components of variance 1. rest: (C,) standard deviation of
    what the components leave. low, high: of all values. size: (H, W) of the images."""

    mean: Float
    basis: Float
    back: Float
    rest: Float
    low: float
    high: float
    size: tuple[int, int]

    @property
    def channels(self) -> int:
        """The number of components."""
        return int(self.basis.shape[1])

    @property
    def padded(self) -> tuple[int, int]:
        """The sides, each the next multiple of four."""
        return tuple(-(-side // MULTIPLE) * MULTIPLE for side in self.size)  # type: ignore[return-value]

    def encode(self, values: Float) -> Float:
        """Return the components (N, c, H', W') of ``values`` (N, C, H, W), sides mirrored up to ``padded``."""
        inside = np.einsum("nchw,kc->nkhw", values - self.mean[:, None, None], self.back, optimize=True)
        pad = [(0, 0), (0, 0), *((0, whole - side) for whole, side in zip(self.padded, self.size, strict=True))]
        # one pixel cannot be mirrored
        return np.asarray(np.pad(inside, pad, mode="symmetric"), np.float32)

    def decode(self, components: Float, rng: np.random.Generator) -> Float:
        """Return the images (N, C, H, W) of ``components``, with the noise that they left out, within what was seen."""
        inside = components[:, :, : self.size[0], : self.size[1]]
        values = np.einsum("nkhw,ck->nchw", inside, self.basis, optimize=True) + self.mean[:, None, None]
        if self.rest.any():
            values = values + self.rest[:, None, None] * rng.standard_normal(values.shape, np.float32)
        return np.asarray(np.clip(values, self.low, self.high), np.float32)


def fit_space(images: ImageSet) -> PixelSpace:
    """Return the space of ``images``: principal components of their pixels, six at most of infrared bands, each scaled
    to variance 1. Nothing but ``images`` is seen."""
    values = images.values
    pixels = values.transpose(0, 2, 3, 1).reshape(-1, values.shape[1]).astype(np.float64)
    mean = pixels.mean(axis=0)
    spread, directions = np.linalg.eigh(np.cov(pixels - mean, rowvar=False).reshape(pixels.shape[1], -1))
    kept = np.argsort(spread)[::-1][: MOST_COMPONENTS if images.kind == "ir" else len(spread)]
    deviation = np.sqrt(np.maximum(spread[kept], 1e-8))
    axes = directions[:, kept]
    # what is left is drawn as white noise, as a detector adds it
    left = pixels - mean
    left = left - left @ axes @ axes.T
    rest = left.std(axis=0) if len(kept) < pixels.shape[1] else np.zeros(pixels.shape[1])
    return PixelSpace(
        mean.astype(np.float32),
        (axes * deviation).astype(np.float32),
        (axes / deviation).T.astype(np.float32),
        rest.astype(np.float32),
        float(values.min()),
        float(values.max()),
        (values.shape[2], values.shape[3]),
    )
