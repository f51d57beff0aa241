"""Building blocks of the 3D networks: residual blocks modulated by a condition vector, space-to-depth."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Residual(nn.Module):
    """Two 3x3x3 convolutions with a norm, SiLU and FiLM (Perez et al. 2018) on the second norm.

    forward: x (B, C_in, D, H, W), condition (B, K) -> (B, C_out, D, H, W).
    ``norm``: see ``normalise``.
    """

    def __init__(self, inputs: int, outputs: int, condition: int, norm: str = "group") -> None:
        super().__init__()
        self.norm1 = normalise(norm, inputs)
        self.conv1 = nn.Conv3d(inputs, outputs, 3, padding=1)
        self.film = nn.Linear(condition, 2 * outputs)
        self.norm2 = normalise(norm, outputs)
        self.conv2 = nn.Conv3d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Conv3d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        zero(self.film)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        hidden = self.conv1(F.silu(self.norm1(x)))
        gain, shift = self.film(condition)[:, :, None, None, None].chunk(2, dim=1)
        hidden = self.conv2(F.silu(self.norm2(hidden) * (1 + gain) + shift))
        out: Tensor = self.shortcut(x) + hidden
        return out


class ChannelNorm(nn.Module):
    """Layer norm over the channels of each voxel (Ba et al. 2016): what a voxel becomes does not depend on how much
    of the volume is seen with it, so tiles fit together. forward: x (B, C, D, H, W) -> the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.norm(x.movedim(1, -1)).movedim(-1, 1)
        return out


def normalise(kind: str, channels: int) -> nn.Module:
    """Return the norm called ``kind``: "group" (over the crop) or "channel" (voxel by voxel)."""
    if kind == "channel":
        return ChannelNorm(channels)
    return nn.GroupNorm(_groups(channels), channels)


def zero(layer: nn.Conv3d | nn.Linear) -> None:
    """Set a layer's weight and bias to zero."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def embed_log_snr(log_snr: Tensor, size: int) -> Tensor:
    """Return sines and cosines (B, size) of ``log_snr`` (B,) at periods from 1 to 60."""
    periods = torch.exp(torch.linspace(0.0, math.log(60.0), size // 2, device=log_snr.device))
    angle = 2 * math.pi * log_snr[:, None] / periods[None, :]
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def space_to_depth(x: Tensor) -> Tensor:
    """Fold each 2 x 2 x 2 block into channels: (B, C, D, H, W) -> (B, 8C, D/2, H/2, W/2)."""
    b, c, d, h, w = x.shape
    x = x.reshape(b, c, d // 2, 2, h // 2, 2, w // 2, 2)
    return x.permute(0, 1, 3, 5, 7, 2, 4, 6).reshape(b, 8 * c, d // 2, h // 2, w // 2)


def depth_to_space(x: Tensor) -> Tensor:
    """Undo ``space_to_depth``: (B, 8C, D, H, W) -> (B, C, 2D, 2H, 2W)."""
    b, c, d, h, w = x.shape
    x = x.reshape(b, c // 8, 2, 2, 2, d, h, w)
    return x.permute(0, 1, 5, 2, 6, 3, 7, 4).reshape(b, c // 8, 2 * d, 2 * h, 2 * w)


def _groups(channels: int) -> int:
    return math.gcd(channels, 8)
