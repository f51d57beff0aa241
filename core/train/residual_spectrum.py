"""How the errors of a trained network are correlated in space, measured on batches of its training."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import nnls
from torch import Tensor, nn

from core.diffusion.error_spectrum import WIDTHS, correlation
from core.diffusion.schedule import GRID
from core.train.batch import Batch
from core.train.predictions_of_batch import predict_batch
from core.train.presets import Preset

Shares = tuple[tuple[float, ...], ...]

BATCHES = 16
# how far apart voxels are compared
LAGS = 12


def measure(network: nn.Module, preset: Preset, batches: Iterable[Batch], device: str) -> Shares:
    """Return ``ErrorSpectrum.shares`` of ``network`` on ``batches``.

    Errors are divided by the standard deviation that the network gives; their autocovariance along the three axes,
    within the regions, is fitted by that of the windows with shares of at least 0.
    """
    sums, counts = np.zeros((GRID, LAGS)), np.zeros(LAGS)
    for index, batch in enumerate(batches):
        for eighth in range(1, GRID + 1):
            generator = torch.Generator().manual_seed(index)
            times = np.full(len(batch.target), eighth / GRID)
            with torch.inference_mode():
                predicted = predict_batch(
                    network, preset, batch, times, generator, np.random.default_rng(index), device
                )
            inside = (predicted.region > 0).float()
            errors = (predicted.target - predicted.clean) * (-0.5 * predicted.log_variance).exp() * inside
            sums[eighth - 1] += _products(errors)
        counts += _products(inside)
    return tuple(shares(row / counts) for row in sums)


def shares(autocovariance: NDArray[np.float64]) -> tuple[float, ...]:
    """Return the share of each window of ``WIDTHS`` in an ``autocovariance`` (lags,) from lag 0 on."""
    lags = torch.arange(len(autocovariance))
    windows = np.stack([correlation(width, lags).numpy() for width in WIDTHS], axis=1)
    return tuple(round(float(share), 4) for share in nnls(windows.astype(np.float64), autocovariance)[0])


def _products(values: Tensor) -> NDArray[np.float64]:
    """Return the sum over all pairs of voxels 0, 1, ... apart along an axis of the product of their values, (lags,)."""
    found = np.zeros(LAGS)
    for lag in range(LAGS):
        for axis in (2, 3, 4):
            length = values.shape[axis] - lag
            found[lag] += float((values.narrow(axis, 0, length) * values.narrow(axis, lag, length)).sum())
    return found
