"""LinkNet in three dimensions: which voxels of a whole head are brain."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F


class LinkNet(nn.Module):
    """Gives each voxel of a head a score, above 0 where it is more likely brain than not.

    The network of deepbet (Fisch et al. 2024, after Chaurasia & Culurciello 2017), so that its weights fit: an encoder
    of residual ``blocks`` of two convolutions, a decoder to which each level of the encoder is added, instance norms
    without weights of their own.
    forward: image (B, 1, D, H, W) -> (B, D, H, W), the difference of deepbet's two classes. D, H, W are multiples of
    ``multiple``, and one of them is at least twice that.
    """

    def __init__(self, widths: Sequence[int] = (16, 32, 64, 128), blocks: Sequence[int] = (2, 2, 2, 2)) -> None:
        super().__init__()
        self.multiple = 2 ** (len(widths) + 1)
        first = widths[0]
        self.enter = nn.Conv3d(1, first, 7, stride=2, padding=3, bias=False)
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        previous = first
        for level, (width, count) in enumerate(zip(widths, blocks, strict=True)):
            stride = 2 if level else 1
            rest = (_Block(width, width, 1) for _ in range(count - 1))
            self.down.append(nn.Sequential(_Block(previous, width, stride), *rest))
            self.up.insert(0, _Up(width, previous, stride))
            previous = width
        self.widen = nn.ConvTranspose3d(first, first // 2, 3, stride=2, padding=1, output_padding=1)
        self.refine = nn.Conv3d(first // 2, first // 2, 3, padding=1)
        self.leave = nn.ConvTranspose3d(first // 2, 2, 2, stride=2)

    def forward(self, image: Tensor) -> Tensor:
        x = F.max_pool3d(_activated(self.enter(image)), 3, stride=2, padding=1)
        passed = []
        for down in self.down:
            passed.append(x)
            x = down(x)
        for up in self.up:
            x = up(x) + passed.pop()
        x = _activated(self.refine(_activated(self.widen(x))))
        other, brain = self.leave(x).unbind(1)
        score: Tensor = brain - other
        return score


class _Block(nn.Module):
    """Two convolutions past which the input runs, by a convolution of width 1 where its size changes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.conv2 = nn.Conv3d(outputs, outputs, 3, padding=1, bias=False)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else nn.Conv3d(inputs, outputs, 1, stride=stride, bias=False)
        self.same = same

    def forward(self, x: Tensor) -> Tensor:
        passed = x if self.same else F.instance_norm(self.shortcut(x))
        return F.relu(F.instance_norm(self.conv2(_activated(self.conv1(x)))) + passed)


class _Up(nn.Module):
    """A convolution at a quarter of the width, between two of width 1; ``stride`` times as many voxels on each axis."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        narrow = inputs // 4
        self.enter = nn.Conv3d(inputs, narrow, 1, bias=False)
        self.widen = nn.ConvTranspose3d(
            narrow, narrow, 3, stride=stride, padding=1, output_padding=stride - 1, bias=False
        )
        self.leave = nn.Conv3d(narrow, outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return _activated(self.leave(_activated(self.widen(_activated(self.enter(x))))))


def _activated(x: Tensor) -> Tensor:
    return F.relu(F.instance_norm(x))
