"""The fusion head over frozen experts: a weight for each at every voxel, and a free correction."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from core.nets.blocks import depth_to_space, embed_log_snr
from core.nets.plane_net import PLANES
from core.nets.unet import EMBEDDING, LOG_VARIANCE_RANGE, UNet


class FusionNet(UNet):
    """Fuses clean residuals that experts predicted from the same noisy one (Zhu et al. 2025, Score-Fusion).

    forward: noisy, context, log_snr, conditioning: as of ``VolumeNet``.
      predictions (B, E, D, H, W): the clean residual that each expert predicted, those of the three planes first.
      present (B, E): 1 for experts that predicted one, as the planes always do, 0 for the others.
      Returns (residual, log_variance), both (B, 1, D, H, W).
    The residual is sum_e (a_e + w_e) p_e + r with p_e the predictions, a_e = 1/3 for the planes, 0 for the others, and
    sum_e w_e = 0 over those present: the weights sum to one at every voxel, where fusing clean residuals is fusing
    scores. The last convolution starts at zero: an untrained head gives the mean of the planes.
    """

    def __init__(
        self,
        context: int = 2,
        experts: int = 3,
        widths: Sequence[int] = (24, 48, 64),
        blocks: Sequence[int] = (1, 1, 1),
        conditioning: int = 0,
        norm: str = "channel",
    ) -> None:
        inputs, outputs = 1 + context + experts, experts + 2
        super().__init__(3, inputs, outputs, EMBEDDING + experts + conditioning, widths, blocks, norm)
        self.context = context
        self.experts = experts
        self.conditioning = conditioning

    def forward(
        self,
        noisy: Tensor,
        context: Tensor,
        log_snr: Tensor,
        conditioning: Tensor | None = None,
        *,
        predictions: Tensor,
        present: Tensor,
    ) -> tuple[Tensor, Tensor]:
        there = present.reshape(*present.shape, 1, 1, 1)
        count = there.sum(dim=1, keepdim=True)
        predictions = predictions * there
        guess = log_snr.sigmoid().sqrt().reshape(-1, 1, 1, 1, 1) * noisy
        conditions = [embed_log_snr(log_snr, EMBEDDING), present, *([] if conditioning is None else [conditioning])]
        image = torch.cat([guess, context, predictions], dim=1)
        outputs = depth_to_space(self.folded(image, torch.cat(conditions, dim=1)))
        raw, free, log_variance = outputs[:, : self.experts], outputs[:, -2:-1], outputs[:, -1:]
        weights = there * (raw - (there * raw).sum(dim=1, keepdim=True) / count)
        average = predictions[:, :PLANES].mean(dim=1, keepdim=True)
        residual = average + (weights * predictions).sum(dim=1, keepdim=True) + free
        return residual, log_variance.clamp(*LOG_VARIANCE_RANGE)
