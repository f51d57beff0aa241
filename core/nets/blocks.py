"""Building blocks of the networks: residual blocks modulated by a condition vector, space-to-depth."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.functional import logsigmoid

# bytes of a number -> integers of twice as many
PAIRS = {2: torch.int32, 4: torch.int64}
ONEDNN = bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]


class Residual(nn.Module):
    """Two convolutions of width 3 with a norm, SiLU and FiLM (Perez et al. 2018) on the second norm.

    forward: x (B, C_in, ...), condition (B, K) -> (B, C_out, ...), with two or three ``dimensions``.
    ``norm``: see ``normalise``.
    """

    def __init__(self, inputs: int, outputs: int, condition: int, norm: str = "group", dimensions: int = 3) -> None:
        super().__init__()
        conv = convolution(dimensions)
        self.norm1 = normalise(norm, inputs)
        self.conv1 = conv(inputs, outputs, 3, padding=1)
        self.film = nn.Linear(condition, 2 * outputs)
        self.norm2 = normalise(norm, outputs)
        self.conv2 = conv(outputs, outputs, 3, padding=1)
        self.shortcut = conv(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        zero(self.film)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        hidden: Tensor = self.conv1(activated(self.norm1(x)))
        gain, shift = exact(self.film, condition).chunk(2, dim=1)
        hidden = self.conv2(activated(_modulated(self.norm2, hidden, gain, shift)))
        passed: Tensor = self.shortcut(x)
        in_place = not torch.is_grad_enabled() and passed.dtype == hidden.dtype
        return hidden.add_(passed) if in_place else passed + hidden


class ChannelNorm(nn.Module):
    """Layer norm over the channels of each voxel (Ba et al. 2016): what a voxel becomes does not depend on how much
    of the volume is seen with it, so tiles fit together. forward: x (B, C, ...) -> the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.norm(x.movedim(1, -1)).movedim(-1, 1)
        return out


def normalise(kind: str, channels: int) -> ChannelNorm | nn.GroupNorm:
    """Return the norm called ``kind``: "group" (over the crop) or "channel" (voxel by voxel)."""
    if kind == "channel":
        return ChannelNorm(channels)
    return nn.GroupNorm(_groups(channels), channels)


class Convolution3d(nn.Conv3d):
    """A convolution that is fast in small volumes too: there torch leaves oneDNN, which took a quarter of the time."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution of ``x`` (B, C, X, Y, Z)."""
        plain = x.device.type == "cpu" and x.dtype == self.weight.dtype == torch.float32
        if not ONEDNN or not plain or torch.is_grad_enabled() or torch.is_autocast_enabled("cpu"):
            return super().forward(x)
        padding = cast("tuple[int, ...]", self.padding)
        return torch.mkldnn_convolution(x, self.weight, self.bias, padding, self.stride, self.dilation, self.groups)


def convolution(dimensions: int) -> type[nn.Conv2d] | type[Convolution3d]:
    """Return the convolution of two or three ``dimensions``."""
    return Convolution3d if dimensions == 3 else nn.Conv2d


def zero(layer: nn.Conv2d | nn.Conv3d | nn.Linear) -> None:
    """Set a layer's weight and bias to zero."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def embed_log_snr(log_snr: Tensor, size: int) -> Tensor:
    """Return sines and cosines (B, size) of ``log_snr`` (B,) at periods from 1 to 60."""
    periods = torch.exp(torch.linspace(0.0, math.log(60.0), size // 2, device=log_snr.device))
    angle = 2 * math.pi * log_snr[:, None] / periods[None, :]
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def activated(x: Tensor) -> Tensor:
    """Return SiLU of ``x``, which is overwritten where no gradient is wanted."""
    return F.silu(x, inplace=not torch.is_grad_enabled())


def exact(layer: nn.Module, x: Tensor) -> Tensor:
    """Return ``layer`` of a few numbers ``x`` in float32 under autocast too: there to get it ready took 7 ms."""
    with torch.autocast(x.device.type, enabled=False):
        out: Tensor = layer(x.float())
    return out


def convolved(layer: nn.Module, x: Tensor, channels: slice | None) -> Tensor:
    """Return the convolution ``layer`` of ``x`` (B, C, ...), or of its output the ``channels`` alone."""
    if channels is None or not isinstance(layer, nn.Conv2d | nn.Conv3d):
        whole: Tensor = layer(x)
        return whole
    convolve = F.conv3d if isinstance(layer, nn.Conv3d) else F.conv2d
    bias = None if layer.bias is None else layer.bias[channels]
    return convolve(x, layer.weight[channels], bias, layer.stride, layer.padding)


def space_to_depth(x: Tensor) -> Tensor:
    """Fold each block of two along every axis into channels: (B, C, D, H, W) -> (B, 8C, D/2, H/2, W/2), in a plane
    (B, C, H, W) -> (B, 4C, H/2, W/2)."""
    pair = None if torch.is_grad_enabled() else PAIRS.get(x.element_size())
    if pair is None:
        return _folded(x, x.ndim - 2).movedim(-1, 1)
    # neighbours along the last axis stay so: the two move as one number
    return _folded(x.contiguous().view(pair), x.ndim - 3).view(x.dtype).movedim(-1, 1)


def _folded(x: Tensor, count: int) -> Tensor:
    """Return ``x`` (B, C, ...) with blocks of two along its first ``count`` axes in the channels, which lie side by
    side in memory, as convolutions are fastest: (B, ..., 2**count C)."""
    parts = [part for side in x.shape[2 : 2 + count] for part in (side // 2, 2)]
    x = x.reshape(*x.shape[:2], *parts, *x.shape[2 + count :])
    sides = [*range(2, 2 + 2 * count, 2), *range(2 + 2 * count, x.ndim)]
    return x.permute(0, *sides, 1, *range(3, 3 + 2 * count, 2)).flatten(1 + len(sides))


def depth_to_space(x: Tensor) -> Tensor:
    """Undo ``space_to_depth``: (B, 8C, D, H, W) -> (B, C, 2D, 2H, 2W), in a plane (B, 4C, H, W) -> (B, C, 2H, 2W)."""
    axes, sides = x.ndim - 2, [2 * side for side in x.shape[2:]]
    x = x.reshape(x.shape[0], -1, *(2 for _ in range(axes)), *x.shape[2:])
    order = [part for axis in range(axes) for part in (2 + axes + axis, 2 + axis)]
    return x.permute(0, 1, *order).reshape(*x.shape[:2], *sides)


def halved(x: Tensor) -> Tensor:
    """Return the means of blocks of two along every axis of ``x`` (B, C, ...), float32, in its order in memory."""
    x = x.movedim(1, -1).float()
    for axis in range(1, x.ndim - 1):
        x = x.reshape(*x.shape[:axis], -1, 2, *x.shape[axis + 1 :])
        x = 0.5 * (x.select(axis + 1, 0) + x.select(axis + 1, 1))
    return x.movedim(-1, 1)


def fused_with_noisy(residual: Tensor, log_variance: Tensor, noisy: Tensor, log_snr: Tensor) -> tuple[Tensor, Tensor]:
    """Take ``residual`` and ``noisy / sqrt(abar)`` (B, 1, ...) for two independent estimates and return their mean and
    its log-variance, weighed by their variances: (1 - abar) / abar for the second, of log-SNR ``log_snr`` (B,)."""
    level = log_snr.reshape(-1, *(1 for _ in noisy.shape[1:]))
    ratio = log_variance + level
    residual = residual + ratio.sigmoid() * (noisy / level.sigmoid().sqrt() - residual)
    return residual, log_variance + logsigmoid(-ratio)


def _groups(channels: int) -> int:
    return math.gcd(channels, 8)


def _modulated(norm: ChannelNorm | nn.GroupNorm, x: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
    """Return ``norm`` of ``x`` (B, C, ...) times 1 + ``gain``, plus ``shift``, both (B, C).

    For one item without gradients they become the affine part of the norm: three passes less over the volume.
    """
    if x.shape[0] > 1 or torch.is_grad_enabled():
        wide = (*gain.shape, *(1 for _ in x.shape[2:]))
        out: Tensor = norm(x) * (1 + gain.to(x.dtype).reshape(wide)) + shift.to(x.dtype).reshape(wide)
        return out
    affine = norm.norm if isinstance(norm, ChannelNorm) else norm
    scale, offset = 1 + gain[0].float(), shift[0].float()
    weight, bias = affine.weight * scale, affine.bias * scale + offset
    if isinstance(norm, ChannelNorm):
        return F.layer_norm(x.movedim(1, -1), weight.shape, weight, bias, norm.norm.eps).movedim(-1, 1)
    return F.group_norm(x, norm.num_groups, weight, bias, norm.eps)
