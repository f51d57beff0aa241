"""What a sample drifts in: the smooth part of its residual, such as the brightness of tissue."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from core.diffusion.error_spectrum import gaussian_window, windowed

# standard deviation of the Gaussian that separates smooth from fine, voxels
WIDTH = 4.0


def drifted(target: Tensor, said: Tensor, support: Tensor) -> Tensor:
    """Return ``target`` with the smooth part of ``said``, (B, 1, D, H, W) each, where ``support`` is 1, 0 elsewhere."""
    return support * (target + smooth(said - target, support))


def smooth(values: Tensor, support: Tensor) -> Tensor:
    """Return the mean of ``values`` around each voxel of ``support``, (B, 1, D, H, W) of 0 and 1, weighed by a Gaussian
    of ``WIDTH`` and taken over ``support`` alone; 0 elsewhere."""
    window = gaussian_window(WIDTH).to(values.device)
    reach = len(window) // 2

    def around(image: Tensor) -> Tensor:
        image = pad(image, [reach] * 6)
        for axis in (2, 3, 4):
            image = windowed(image, window, axis)
        return image

    return torch.where(support > 0, around(values * support) / around(support).clamp_min(1e-6), 0.0)
