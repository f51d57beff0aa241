"""The 3D network of the volume methods: a small U-Net on space-to-depth blocks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.nets.blocks import Residual, depth_to_space, embed_log_snr, normalise, space_to_depth, zero

EMBEDDING = 64
LOG_VARIANCE_RANGE = (-10.0, 4.0)


class VolumeNet(nn.Module):
    """Predicts a clean residual and its log-variance from a noisy residual and its surroundings.

    forward:
      noisy (B, 1, D, H, W): the residual at one noise level; its variance is about 1.
      context (B, C, D, H, W): what is known (trivial fill, mask, ...).
      log_snr (B,): ln(abar / (1 - abar)) of the noise level.
      facts (B, K): numbers about the whole volume (slice thickness, contrasts at hand, ...), where ``facts`` = K > 0.
      Returns (residual, log_variance), both (B, 1, D, H, W).
    D, H, W must be multiples of ``multiple``. The last convolution starts at zero: an untrained network
    predicts a residual of 0 (with ``skip``, the best linear guess from ``noisy``) and a log-variance of 0.
    skip: see and correct the best linear guess from ``noisy`` (for a residual of variance 1) instead of ``noisy``, so
    that every noise level is learnt alike and pure noise drowns nothing (Karras et al. 2022, eq. 7, for a
    variance-preserving schedule).
    direct: add a linear map of the input to the output, past every norm: intensities keep their scale.
    heads: output layers, of which the last ``heads`` facts (one 1, the others 0) choose one.
    """

    def __init__(
        self,
        context: int = 2,
        widths: Sequence[int] = (24, 64, 128),
        blocks: Sequence[int] = (1, 2, 2),
        facts: int = 0,
        norm: str = "group",
        skip: bool = False,
        heads: int = 1,
        direct: bool = False,
    ) -> None:
        super().__init__()
        self.multiple = 2 ** len(widths)
        condition = 2 * EMBEDDING
        self.context = context
        self.facts = facts
        self.skip = skip
        self.heads = heads
        told = EMBEDDING + facts
        self.condition = nn.Sequential(nn.Linear(told, condition), nn.SiLU(), nn.Linear(condition, condition))
        self.enter = nn.Conv3d(8 * (1 + context), widths[0], 3, padding=1)
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        previous = widths[0]
        for width, count in zip(widths, blocks, strict=True):
            self.down.append(_level(previous, width, count, condition, norm))
            previous = width
        for width, count in reversed(list(zip(widths[:-1], blocks[:-1], strict=True))):
            self.up.append(_level(previous + width, width, count, condition, norm))
            previous = width
        self.leave = nn.Sequential(normalise(norm, previous), nn.SiLU(), nn.Conv3d(previous, 16 * heads, 3, padding=1))
        self.direct = nn.Conv3d(8 * (1 + context), 16 * heads, 1) if direct else None
        if self.direct is not None:
            zero(self.direct)
        last = self.leave[-1]
        if isinstance(last, nn.Conv3d):
            zero(last)

    def forward(
        self, noisy: Tensor, context: Tensor, log_snr: Tensor, facts: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        told = embed_log_snr(log_snr, EMBEDDING)
        condition = self.condition(told if facts is None else torch.cat([told, facts], dim=1))
        abar = log_snr.sigmoid().reshape(-1, 1, 1, 1, 1)
        guess = abar.sqrt() * noisy if self.skip else noisy
        folded = space_to_depth(torch.cat([guess, context], dim=1))
        x = self.enter(folded)
        skips: list[Tensor] = []
        for level, blocks in enumerate(self.down):
            if level > 0:
                skips.append(x)
                x = F.avg_pool3d(x, 2)
            x = _apply(blocks, x, condition)
        for blocks in self.up:
            x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            x = _apply(blocks, torch.cat([x, skips.pop()], dim=1), condition)
        outputs = self.leave(x) if self.direct is None else self.leave(x) + self.direct(folded)
        residual, log_variance = depth_to_space(self._head(outputs, facts)).chunk(2, dim=1)
        if self.skip:
            residual = guess + (1 - abar).sqrt() * residual
        return residual, log_variance.clamp(*LOG_VARIANCE_RANGE)

    def _head(self, outputs: Tensor, facts: Tensor | None) -> Tensor:
        if self.heads == 1 or facts is None:
            return outputs
        each = outputs.reshape(outputs.shape[0], self.heads, 16, *outputs.shape[2:])
        return torch.einsum("bhcxyz,bh->bcxyz", each, facts[:, -self.heads :])


def _level(inputs: int, width: int, count: int, condition: int, norm: str) -> nn.ModuleList:
    return nn.ModuleList(Residual(inputs if index == 0 else width, width, condition, norm) for index in range(count))


def _apply(blocks: nn.Module, x: Tensor, condition: Tensor) -> Tensor:
    for block in blocks.children():
        x = block(x, condition)
    return x
