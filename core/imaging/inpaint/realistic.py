"""A fill with real folds: the network's mean where it is sure, the mirrored other hemisphere where it is not.

The mean of all that may have been there is smooth, and samples of a small network are clouds: neither looks like
cortex. The other hemisphere does; near the border of the mask, where it would not fit, the network is better.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import nn

from core.diffusion.error_spectrum import ErrorSpectrum
from core.diffusion.sampler import SamplerOptions
from core.events import Progress, changed
from core.imaging.formulation import Setting
from core.imaging.inpaint.through_plane import Trust
from core.imaging.options import MEAN_CALLS, Options
from core.imaging.problem import Estimate
from core.imaging.volume_sampler import direct, draw

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

# voxels (mm) that a graft may be stretched beyond what is known: its edge is ragged
RIM = 2
# what that means for who reads the result
TRUST = (
    ": folds of this head, but of its other side. Take it as healthy tissue that fits, not as what was here: the sides "
    "cannot be compared in it, and illness of that side is copied. If that side is ill too, turn Other hemisphere off."
)


def grafted(
    network: nn.Module,
    seen: Setting,
    options: Options,
    factor: float,
    errors: ErrorSpectrum | None,
    trusted: Trust | None = None,
) -> Generator[Progress, None, Estimate]:
    """Fill with one sample: the blend of mean and graft; where no graft is known, or wanted, tissue from noise.

    The deviation is the root of the mean squared difference from the truth that is to be expected: the variance of the
    network, calibrated by ``factor``, and how far the sample is from its mean.
    trusted: how much of the mean counts.
    """
    region = seen.views(0).region > 0
    graft, known = np.zeros(region.shape, np.float32), np.zeros(region.shape, bool)
    if options.opposite and seen.opposite:
        graft, known = seen.opposite()
    steps = 0 if known[region].all() else options.steps
    calls = MEAN_CALLS + steps

    once = replace(options, mode="faithful", steps=1, samples=MEAN_CALLS)
    means = draw(direct(network, once), seen.views, once, seen.picture)
    mean, deviation = yield from changed(means, _part(0, MEAN_CALLS, calls))
    deviation = np.float32(factor) * deviation
    if trusted:
        mean, deviation = trusted.of(mean, deviation)
    residual = blend(mean, deviation, graft, known)
    if steps:
        start, there = (
            torch.from_numpy(part.astype(np.float32))[None, None].to(options.device) for part in (residual, known)
        )
        sampler = SamplerOptions(projection=lambda clean: there * start + (1 - there) * clean, errors=errors)
        drawn = draw(direct(network, options, sampler=sampler), seen.views, replace(options, samples=1), seen.picture)
        residual, _ = yield from changed(drawn, _part(MEAN_CALLS, steps, calls))
    spread = np.hypot(deviation, residual - mean)
    share = float(known[region].mean())
    mirrored = f"{share:.0%} of the masked region shows the other hemisphere, mirrored{TRUST}" if share else ""
    notice = " ".join(filter(None, (trusted.notice if trusted else "", mirrored)))
    return replace(seen.finished(residual, spread), calls=calls, notice=notice)


def blend(mean: Float, deviation: Float, graft: Float, known: Bool) -> Float:
    """Return ``graft`` where the network's variance is the median of ``known`` or more, ``mean`` where it is half of
    that or less, something between elsewhere; all (X, Y, Z). Where the graft is not known it is the mean.

    In masked regions of three training subjects this beats a slope from variance 0 on: 0.3 dB, border 0.96 for 1.10.
    """
    variance = deviation**2
    middle = float(np.median(variance[known])) if known.any() else 0.0
    trust = np.clip(2 - 2 * variance / max(middle, 1e-9), 0, 1)
    return np.where(known, trust * mean + (1 - trust) * graft, mean).astype(np.float32)


def continued(values: Float, known: Bool) -> tuple[Float, Bool]:
    """Return ``values`` (X, Y, Z) and where they are ``known``, both ``RIM`` voxels further, with the nearest value."""
    if not known.any():
        return values, known
    distance, nearest = ndimage.distance_transform_edt(~known, return_indices=True)
    return values[tuple(nearest)], distance <= RIM


def _part(first: int, count: int, calls: int) -> Callable[[Progress], Progress]:
    """Return the function that makes the progress of ``count`` calls after the ``first`` that of all ``calls``."""

    def placed(progress: Progress) -> Progress:
        fraction = (first + count * progress.fraction) / calls
        return replace(progress, fraction=fraction, step=first + progress.step, steps=calls)

    return placed
