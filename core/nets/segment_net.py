"""The network that names the tissue of every voxel, whatever the contrast."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from core.nets.blocks import depth_to_space
from core.nets.unet import UNet

# 0 none of them, 1 CSF, 2 grey matter, 3 white matter
CLASSES = 4
# percentiles of the head's intensities that the network is conditioned on: they show which contrast it is
SHARES = (10, 20, 30, 40, 50, 60, 70, 80, 90)


class SegmentNet(UNet):
    """Gives each voxel of an image a score for each tissue, in any MR contrast (Billot et al. 2023, SynthSeg).

    forward: image (B, 1, D, H, W); conditioning (B, ``len(SHARES)``), the percentiles ``SHARES`` of the image in the
      head.
      Returns logits (B, ``CLASSES``, D, H, W).
    D, H, W must be multiples of ``multiple``. The last convolution starts at zero: untrained, all are as likely.
    """

    def __init__(
        self, widths: Sequence[int] = (32, 48, 64), blocks: Sequence[int] = (1, 1, 1), norm: str = "channel"
    ) -> None:
        super().__init__(3, 1, CLASSES, len(SHARES), widths, blocks, norm)

    def forward(self, image: Tensor, conditioning: Tensor) -> Tensor:
        return depth_to_space(self.folded(image, conditioning))
