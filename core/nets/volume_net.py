"""The 3D network of the volume methods: a small U-Net on space-to-depth blocks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from core.nets.blocks import depth_to_space, embed_log_snr, fused_with_noisy
from core.nets.unet import EMBEDDING, LOG_VARIANCE_RANGE, UNet


class VolumeNet(UNet):
    """Predicts a clean residual and its log-variance from a noisy residual and its surroundings.

    forward:
      noisy (B, 1, D, H, W): the residual at one noise level; its variance is about 1.
      context (B, C, D, H, W): what is known (trivial fill, mask, ...).
      log_snr (B,): ln(abar / (1 - abar)) of the noise level.
      conditioning (B, K): numbers about the whole volume (slice thickness, contrasts at hand, ...), where the argument
        ``conditioning`` of the network is K > 0, otherwise None.
      Returns (residual, log_variance), both (B, 1, D, H, W).
    D, H, W must be multiples of ``multiple``. The last convolution starts at zero: an untrained network
    predicts a residual of 0 (with ``skip``, the best linear guess from ``noisy``) and a log-variance of 0.
    scaled: see ``sqrt(abar) * noisy`` instead of ``noisy``: pure noise drowns nothing.
    skip: see that too, which is the best linear guess for a residual of variance 1, and correct it (Karras et al. 2022,
    eq. 7, for a variance-preserving schedule). Where the variance is much smaller, the correction is nearly all noise,
    which the network has to copy voxel by voxel.
    fused: weigh the prediction with the noisy voxels, see ``fused_with_noisy``: detail finer than the blocks goes past
    them when there is little noise.
    direct: add a linear map of the input to the output, past every norm: intensities keep their scale.
    stream: see ``UNet``.
    heads: output layers, of which the last ``heads`` numbers of the conditioning (one 1, the others 0) choose one.
    """

    def __init__(
        self,
        context: int = 2,
        widths: Sequence[int] = (24, 64, 128),
        blocks: Sequence[int] = (1, 2, 2),
        conditioning: int = 0,
        norm: str = "group",
        skip: bool = False,
        scaled: bool = False,
        fused: bool = False,
        heads: int = 1,
        direct: bool = False,
        stream: bool = False,
    ) -> None:
        super().__init__(3, 1 + context, 2 * heads, EMBEDDING + conditioning, widths, blocks, norm, direct, stream)
        self.context = context
        self.conditioning = conditioning
        self.skip = skip
        self.scaled = scaled or skip
        self.fused = fused
        self.heads = heads

    def forward(
        self, noisy: Tensor, context: Tensor, log_snr: Tensor, conditioning: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        conditions = embed_log_snr(log_snr, EMBEDDING)
        conditions = conditions if conditioning is None else torch.cat([conditions, conditioning], dim=1)
        abar = log_snr.sigmoid().reshape(-1, 1, 1, 1, 1)
        guess = abar.sqrt() * noisy if self.scaled else noisy
        outputs = self.folded(torch.cat([guess, context], dim=1), conditions, self.heads, conditioning)
        residual, log_variance = depth_to_space(outputs).chunk(2, dim=1)
        if self.skip:
            residual = guess + (1 - abar).sqrt() * residual
        log_variance = log_variance.clamp(*LOG_VARIANCE_RANGE)
        if self.fused:
            residual, log_variance = fused_with_noisy(residual, log_variance, noisy, log_snr)
        return residual, log_variance
