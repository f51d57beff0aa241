"""Smooth random fields, blurs and warps on torch volumes."""

from __future__ import annotations

import zlib

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

Shape = tuple[int, int, int]

# deformations are integrated on a grid this many times coarser: they vary over 16 voxels and more
COARSE = 4


def blur(image: Tensor, sigma: float) -> Tensor:
    """Return ``image`` (X, Y, Z) convolved with a Gaussian of ``sigma`` voxels, edges repeated."""
    if sigma <= 0:
        return image
    radius = max(1, int(3 * sigma + 0.5))
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float64)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    weights = (kernel / kernel.sum()).tolist()
    # sums of shifted views: on a CPU 10 to 30 times faster than a convolution with one channel
    for axis, side in enumerate(image.shape):
        ends = [image.narrow(axis, at, 1) for at in (0, side - 1)]
        repeats = [radius if other == axis else 1 for other in range(3)]
        padded = torch.cat((ends[0].repeat(repeats), image, ends[1].repeat(repeats)), dim=axis)
        image = weights[0] * padded.narrow(axis, 0, side)
        for start, weight in enumerate(weights[1:], 1):
            image.add_(padded.narrow(axis, start, side), alpha=weight)
    return image


def stream(seed: int, name: str) -> torch.Generator:
    """Return the random stream ``name`` of the subject ``seed`` (0 or more); streams are independent."""
    words = np.random.SeedSequence([seed, zlib.crc32(name.encode())]).generate_state(2)
    return torch.Generator().manual_seed((int(words[0]) << 31) ^ int(words[1]))


def uniform(low: float, high: float, generator: torch.Generator) -> float:
    """Return one number drawn evenly between ``low`` and ``high``."""
    return low + (high - low) * float(torch.rand(1, generator=generator))


def smooth_noise(shape: Shape, scale: float, generator: torch.Generator) -> Tensor:
    """Return a random field (X, Y, Z) of mean 0 and standard deviation about 1 that varies over ``scale`` voxels."""
    coarse = [max(2, int(side / scale) + 2) for side in shape]
    grid = torch.randn(1, 1, *coarse, generator=generator)
    field = F.interpolate(grid, size=shape, mode="trilinear", align_corners=True)[0, 0]
    return field / field.std().clamp_min(1e-6)


def random_warp(shape: Shape, generator: torch.Generator, degrees: float = 8.0, zoom: float = 0.08) -> Tensor:
    """Return sampling positions (X, Y, Z, 3) in voxels of a random affine followed by a diffeomorphic deformation.

    The deformation integrates a stationary velocity field by scaling and squaring (Arsigny et al. 2006, MICCAI).
    degrees, zoom: bounds of rotation and scaling.
    """
    centre = (torch.tensor(shape, dtype=torch.float32) - 1) / 2
    matrix = _rotation(generator, degrees) * (1 + zoom * (2 * torch.rand(3, generator=generator) - 1))
    coarse = (max(2, shape[0] // COARSE), max(2, shape[1] // COARSE), max(2, shape[2] // COARSE))
    velocity = sum(
        amplitude * torch.stack([smooth_noise(coarse, scale / COARSE, generator) for _ in range(3)], dim=-1)
        for scale, amplitude in ((40.0, 2.5), (16.0, 0.8))
    )
    step = torch.as_tensor(velocity) / 16
    for _ in range(4):
        step = step + sample_vectors(step, _grid(coarse) + step / COARSE)
    displacement = F.interpolate(step.permute(3, 0, 1, 2)[None], size=shape, mode="trilinear", align_corners=True)
    return (_grid(shape) + displacement[0].permute(1, 2, 3, 0) - centre) @ matrix.T + centre


def sample(image: Tensor, positions: Tensor, mode: str = "bilinear") -> Tensor:
    """Return ``image`` (X, Y, Z) at ``positions`` (x, y, z, 3) in voxels as (x, y, z) float32; 0 outside.

    ``mode``: bilinear or nearest. Several images (C, X, Y, Z) are sampled at once as (C, x, y, z).
    """
    several = image if image.ndim == 4 else image[None]
    sizes = torch.tensor(several.shape[1:], dtype=torch.float32)
    normal = (positions * (2 / (sizes - 1)) - 1).flip(-1)
    found = F.grid_sample(several[None].float(), normal[None], mode=mode, align_corners=True)[0]
    return found if image.ndim == 4 else found[0]


def sample_vectors(field: Tensor, positions: Tensor) -> Tensor:
    """Return the vector ``field`` (X, Y, Z, 3) at ``positions`` (X, Y, Z, 3) in voxels, edges repeated."""
    sizes = torch.tensor(field.shape[:3], dtype=torch.float32)
    normal = (2 * positions / (sizes - 1) - 1).flip(-1)
    moved = F.grid_sample(field.permute(3, 0, 1, 2)[None], normal[None], padding_mode="border", align_corners=True)
    return moved[0].permute(1, 2, 3, 0)


def _grid(shape: Shape) -> Tensor:
    axes = [torch.arange(side, dtype=torch.float32) for side in shape]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)


def _rotation(generator: torch.Generator, degrees: float) -> Tensor:
    angles = (2 * torch.rand(3, generator=generator) - 1) * degrees * torch.pi / 180
    (cx, cy, cz), (sx, sy, sz) = angles.cos().tolist(), angles.sin().tolist()
    about_x = torch.tensor([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = torch.tensor([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = torch.tensor([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x
