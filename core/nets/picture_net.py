"""The network of the augmentation study's generator: a small picture of a class, out of noise."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from core.nets.blocks import depth_to_space, embed_log_snr, fused_with_noisy
from core.nets.unet import EMBEDDING, LOG_VARIANCE_RANGE, UNet


class PictureNet(UNet):
    """Predicts a clean picture and its log-variance from a noisy one and its class.

    forward:
      noisy (B, C, H, W): a picture of C channels of variance 1 at one noise level.
      classes (B, K): one 1, the others 0. log_snr (B,): as of ``VolumeNet``.
      Returns (clean, log_variance), both (B, C, H, W).
    H and W must be multiples of ``multiple``. The prediction is ``fused`` with the noisy picture.
    """

    def __init__(
        self, channels: int, classes: int, widths: Sequence[int] = (48, 96), blocks: Sequence[int] = (1, 1)
    ) -> None:
        super().__init__(2, channels, 2 * channels, EMBEDDING + classes, widths, blocks, "group")
        self.channels = channels

    def forward(self, noisy: Tensor, classes: Tensor, log_snr: Tensor) -> tuple[Tensor, Tensor]:
        guess = log_snr.sigmoid().sqrt().reshape(-1, 1, 1, 1) * noisy
        conditions = torch.cat([embed_log_snr(log_snr, EMBEDDING), classes], dim=1)
        clean, log_variance = depth_to_space(self.folded(guess, conditions)).chunk(2, dim=1)
        return fused_with_noisy(clean, log_variance.clamp(*LOG_VARIANCE_RANGE), noisy, log_snr)
