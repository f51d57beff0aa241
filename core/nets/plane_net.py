"""The 2.5D network of the papers' methods: one slice at a time, with what is known of its neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from core.nets.blocks import depth_to_space, embed_log_snr, fused_with_noisy
from core.nets.unet import EMBEDDING, LOG_VARIANCE_RANGE, UNet

# slices on each side of the present one of which the condition is seen
REACH = 2
PLANES = 3


class PlaneNet(UNet):
    """Predicts a clean residual and its log-variance slice by slice, in planes across X, Y or Z (Zhu et al. 2025).

    forward:
      noisy, context, log_snr, conditioning: as of ``VolumeNet``.
      plane: 0 sagittal, 1 coronal, 2 axial: the axis across the slices; the network is conditioned on it.
      span: the slices to do, all by default.
      coarse (B, 1, D, H, W): an earlier estimate of the residual, such as that of another plane, or None.
      Returns (residual, log_variance), both (B, 1, D, H, W) with the slices of ``span`` alone.
    The two other sides must be multiples of ``multiple``. Of each slice the network sees the noisy residual and the
    whole context, and of ``REACH`` slices on either side the first ``slab`` channels of the context; at the ends of
    the volume the last slice is repeated. heads, direct, stream: as of ``VolumeNet``; the noisy residual is always seen
    ``scaled`` and always ``fused`` with the prediction of the network.
    """

    def __init__(
        self,
        context: int = 2,
        slab: int = 2,
        widths: Sequence[int] = (32, 64, 96),
        blocks: Sequence[int] = (1, 2, 2),
        conditioning: int = 0,
        norm: str = "channel",
        heads: int = 1,
        direct: bool = False,
        stream: bool = False,
    ) -> None:
        inputs = 2 + context + 2 * REACH * slab
        super().__init__(
            2, inputs, 2 * heads, EMBEDDING + PLANES + 1 + conditioning, widths, blocks, norm, direct, stream
        )
        self.context = context
        self.slab = slab
        self.conditioning = conditioning
        self.heads = heads

    def forward(
        self,
        noisy: Tensor,
        context: Tensor,
        log_snr: Tensor,
        conditioning: Tensor | None = None,
        plane: int = 2,
        span: slice | None = None,
        coarse: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        items, count = noisy.shape[0], noisy.shape[2 + plane]
        chosen = torch.arange(count, device=noisy.device)[span or slice(None)]
        earlier = torch.zeros_like(noisy) if coarse is None else coarse
        guess = log_snr.sigmoid().sqrt().reshape(-1, 1, 1, 1, 1) * noisy
        known = context[:, : self.slab]
        offsets = [offset for offset in range(-REACH, REACH + 1) if offset]
        around = [_slices(known, plane, (chosen + offset).clamp(0, count - 1)) for offset in offsets]
        image = torch.cat([_slices(torch.cat([guess, context, earlier], dim=1), plane, chosen), *around], dim=1)
        which = torch.zeros(items, PLANES + 1, device=noisy.device)
        which[:, plane] = 1
        which[:, PLANES] = float(coarse is not None)
        conditions = [embed_log_snr(log_snr, EMBEDDING), which, *([] if conditioning is None else [conditioning])]
        conditions_each = torch.cat(conditions, dim=1).repeat_interleave(len(chosen), dim=0)
        conditioning_each = None if conditioning is None else conditioning.repeat_interleave(len(chosen), dim=0)
        outputs = depth_to_space(self.folded(image, conditions_each, self.heads, conditioning_each))
        residual, log_variance = outputs.reshape(items, -1, *outputs.shape[1:]).movedim(1, 2 + plane).chunk(2, dim=1)
        log_variance = log_variance.clamp(*LOG_VARIANCE_RANGE)
        return fused_with_noisy(residual, log_variance, noisy.index_select(2 + plane, chosen), log_snr)


def _slices(volume: Tensor, plane: int, chosen: Tensor) -> Tensor:
    """Return slices of ``volume`` (B, C, X, Y, Z) as a batch (B n, C, H, W)."""
    return volume.index_select(2 + plane, chosen).movedim(2 + plane, 1).flatten(0, 1)
