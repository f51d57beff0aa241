"""The 3D network of the volume methods: a small U-Net on space-to-depth blocks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.nets.blocks import Residual, depth_to_space, embed_log_snr, space_to_depth, zero

EMBEDDING = 64
LOG_VARIANCE_RANGE = (-10.0, 4.0)


class VolumeNet(nn.Module):
    """Predicts a clean residual and its log-variance from a noisy residual and its surroundings.

    forward:
      noisy (B, 1, D, H, W): the residual at one noise level; its variance is about 1.
      context (B, C, D, H, W): what is known (trivial fill, mask, ...).
      log_snr (B,): ln(abar / (1 - abar)) of the noise level.
      Returns (residual, log_variance), both (B, 1, D, H, W).
    D, H, W must be multiples of ``multiple``. The last convolution starts at zero: an untrained network
    predicts a residual of 0 and a log-variance of 0.
    """

    def __init__(
        self,
        context: int = 2,
        widths: Sequence[int] = (24, 64, 128),
        blocks: Sequence[int] = (1, 2, 2),
    ) -> None:
        super().__init__()
        self.multiple = 2 ** len(widths)
        condition = 2 * EMBEDDING
        self.condition = nn.Sequential(nn.Linear(EMBEDDING, condition), nn.SiLU(), nn.Linear(condition, condition))
        self.enter = nn.Conv3d(8 * (1 + context), widths[0], 3, padding=1)
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        previous = widths[0]
        for width, count in zip(widths, blocks, strict=True):
            self.down.append(_level(previous, width, count, condition))
            previous = width
        for width, count in reversed(list(zip(widths[:-1], blocks[:-1], strict=True))):
            self.up.append(_level(previous + width, width, count, condition))
            previous = width
        self.leave = nn.Sequential(nn.GroupNorm(8, previous), nn.SiLU(), nn.Conv3d(previous, 16, 3, padding=1))
        last = self.leave[-1]
        if isinstance(last, nn.Conv3d):
            zero(last)

    def forward(self, noisy: Tensor, context: Tensor, log_snr: Tensor) -> tuple[Tensor, Tensor]:
        condition = self.condition(embed_log_snr(log_snr, EMBEDDING))
        x = self.enter(space_to_depth(torch.cat([noisy, context], dim=1)))
        skips: list[Tensor] = []
        for level, blocks in enumerate(self.down):
            if level > 0:
                skips.append(x)
                x = F.avg_pool3d(x, 2)
            x = _apply(blocks, x, condition)
        for blocks in self.up:
            x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            x = _apply(blocks, torch.cat([x, skips.pop()], dim=1), condition)
        residual, log_variance = depth_to_space(self.leave(x)).chunk(2, dim=1)
        return residual, log_variance.clamp(*LOG_VARIANCE_RANGE)


def _level(inputs: int, width: int, count: int, condition: int) -> nn.ModuleList:
    return nn.ModuleList(Residual(inputs if index == 0 else width, width, condition) for index in range(count))


def _apply(blocks: nn.Module, x: Tensor, condition: Tensor) -> Tensor:
    for block in blocks.children():
        x = block(x, condition)
    return x
