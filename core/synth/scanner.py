"""The imperfections of a scanner: point spread, coil bias, Rician noise, thick slices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.acquisition import Acquisition, Axis, Profile, whole
from core.synth.fields import Shape, blur, smooth_noise, uniform
from core.volume import Box

# point spread of a scan, standard deviation in voxels
SHARPEST, BLUNTEST = 0.45, 0.75
# noise as a share of the signal of white matter; the long preparation of FLAIR leaves less signal
NOISE = {"flair": (0.015, 0.05)}
USUAL_NOISE = (0.01, 0.035)
# thick slices: distance of their centres in voxels, gap as a share of it
STEPS, GAPS = (2.0, 8.0), (0.0, 0.3)


@dataclass(frozen=True, eq=False)
class Scanner:
    """One scan's imperfections: ``spread`` of the blur in voxels, ``bias`` (X, Y, Z), a smooth factor near 1, and the
    ``real`` and ``imaginary`` noise (X, Y, Z) as shares of a reference signal."""

    spread: float
    bias: Tensor
    real: Tensor
    imaginary: Tensor

    def scan(self, signal: Tensor, reference: float, box: Box | None = None) -> Tensor:
        """Return the magnitude image of ``signal`` (X, Y, Z), or of the part of it that lies in ``box``.

        The noise is Rician (Gudbjartsson & Patz 1995) with the level of ``reference``, a signal.
        """
        at = box or (slice(None), slice(None), slice(None))
        clean = blur(signal, self.spread) * self.bias[at]
        return torch.hypot(clean + reference * self.real[at], reference * self.imaginary[at])


def draw_scanner(shape: Shape, contrast: str, shared: Tensor, generator: torch.Generator) -> Scanner:
    """Return a scanner for ``contrast``; ``shared`` (X, Y, Z) is the logarithm of the bias that all scans have."""
    spread = uniform(SHARPEST, BLUNTEST, generator)
    bias = torch.exp(shared + 0.05 * smooth_noise(shape, 60.0, generator))
    level = uniform(*NOISE.get(contrast, USUAL_NOISE), generator)
    # reconstruction filters correlate the noise a little
    grain = uniform(0.0, 0.55, generator)
    parts = [blur(torch.randn(shape, generator=generator), grain if grain > 0.3 else 0.0) for _ in range(2)]
    real, imaginary = (level / float(part.std()) * part for part in parts)
    return Scanner(spread, bias, real, imaginary)


def random_axis(fine: int, rng: np.random.Generator, step: float | None = None) -> Axis:
    """Return thick slices along an axis of ``fine`` voxels: box or Gaussian, at any phase inside the grid.

    ``step`` is the distance between slices in voxels, drawn from 2 to 8 (half of the time a whole number) if None;
    the gap is 0 to 30 % of it, none half of the time. ``ValueError`` where not one slice fits.
    """
    if step is None:
        step = float(np.exp(rng.uniform(*np.log(STEPS))))
        step = float(round(step)) if rng.random() < 0.5 else step
    coarse = int(fine / step + 1e-9)
    if coarse < 1:
        raise ValueError(f"no slice of {step:g} voxels fits on {fine}")
    gap = rng.uniform(*GAPS) if rng.random() < 0.5 else 0.0
    profile: Profile = "box" if rng.random() < 0.5 else "gaussian"
    first = (step - 1) / 2 + rng.uniform(0, 1) * (fine - step * coarse)
    return Axis(fine, coarse, step, max(1.0, step * (1 - gap)), float(first), profile)


def random_acquisition(
    shape: Shape, rng: np.random.Generator, axes: tuple[int, ...] = (2,), step: float | None = None
) -> Acquisition:
    """Return a measurement of a grid of ``shape`` (X, Y, Z) that is thick along ``axes``."""
    chosen = [random_axis(side, rng, step) if axis in axes else whole(side) for axis, side in enumerate(shape)]
    return Acquisition((chosen[0], chosen[1], chosen[2]))


def thick_slices(
    volume: NDArray[np.float32], acquisition: Acquisition, rng: np.random.Generator, noise: float = 0.0
) -> NDArray[np.float32]:
    """Return ``volume`` (X, Y, Z) as thick slices (x, y, z) float32, with Rician noise added after the sampling.

    ``noise`` is its standard deviation in the units of ``volume``. Where nothing was measured (the outside of a
    stripped scan) there is none.
    """
    measured = acquisition.measure(volume)
    if noise <= 0:
        return measured
    real, imaginary = rng.normal(0, noise, (2, *measured.shape)).astype(np.float32)
    seen = np.hypot(measured + real, imaginary)
    return np.where(measured > 0, seen, measured).astype(np.float32)
