"""A small U-Net on space-to-depth blocks, in two or three dimensions: what the networks of all methods share."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.nets.blocks import (
    Residual,
    activated,
    convolution,
    convolved,
    exact,
    halved,
    normalise,
    space_to_depth,
    zero,
)

EMBEDDING = 64
LOG_VARIANCE_RANGE = (-10.0, 4.0)


class UNet(nn.Module):
    """Maps an image with ``inputs`` channels to one with ``outputs``, modulated by ``conditions`` numbers.

    Sides must be multiples of ``multiple``. The last convolution starts at zero.
    direct: add a linear map of the input to the output, past every norm: intensities keep their scale.
    stream: let the features that run past the blocks reach the output as they are, each weighed by the
    conditions. The norm of a voxel's channels takes away how large a deviation is.
    """

    def __init__(
        self,
        dimensions: int,
        inputs: int,
        outputs: int,
        conditions: int,
        widths: Sequence[int],
        blocks: Sequence[int],
        norm: str,
        direct: bool = False,
        stream: bool = False,
    ) -> None:
        super().__init__()
        self.multiple = 2 ** len(widths)
        fold = 2**dimensions
        conv = convolution(dimensions)
        condition = 2 * EMBEDDING
        self.condition = nn.Sequential(nn.Linear(conditions, condition), nn.SiLU(), nn.Linear(condition, condition))
        self.enter = conv(fold * inputs, widths[0], 3, padding=1)
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        previous = widths[0]
        for width, count in zip(widths, blocks, strict=True):
            self.down.append(_level(previous, width, count, condition, norm, dimensions))
            previous = width
        for width, count in reversed(list(zip(widths[:-1], blocks[:-1], strict=True))):
            self.up.append(_level(previous + width, width, count, condition, norm, dimensions))
            previous = width
        last = conv(previous, fold * outputs, 3, padding=1)
        self.leave = nn.Sequential(normalise(norm, previous), nn.SiLU(), last)
        self.direct = conv(fold * inputs, fold * outputs, 1) if direct else None
        if self.direct is not None:
            zero(self.direct)
        zero(last)
        self.stream = conv(previous, fold * outputs, 3, padding=1) if stream else None
        self.weigh = nn.Linear(condition, previous) if stream else None
        if self.stream is not None and self.weigh is not None:
            zero(self.stream)
            zero(self.weigh)

    def folded(self, image: Tensor, conditions: Tensor, heads: int = 1, conditioning: Tensor | None = None) -> Tensor:
        """Return the output for ``image`` (B, ``inputs``, ...) and ``conditions`` (B, K), still folded: see
        ``depth_to_space``. heads: of several output layers the one that ``conditioning`` chooses, see ``head``."""
        condition = exact(self.condition, conditions)
        kind = image.device.type
        # half the bytes to fold: the convolutions would convert it anyway
        image = image.to(torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else image
        folded = space_to_depth(image)
        x = self.enter(folded)
        skips: list[Tensor] = []
        for level, blocks in enumerate(self.down):
            if level > 0:
                skips.append(x)
                x = halved(x)
            x = _apply(blocks, x, condition)
        for blocks in self.up:
            x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            x = _apply(blocks, torch.cat([x, skips.pop()], dim=1), condition)
        channels = _channels(self.leave[2], heads, conditioning)
        out = convolved(self.leave[2], activated(self.leave[0](x)), channels)
        if self.stream is not None and self.weigh is not None:
            weights = 1 + exact(self.weigh, condition).to(x.dtype)
            weighed = x * weights.reshape(*weights.shape, *(1 for _ in x.shape[2:]))
            out = out + convolved(self.stream, weighed, channels)
        if self.direct is not None:
            out = out + convolved(self.direct, folded, channels)
        return head(out, heads, conditioning) if channels is None else out


def _channels(last: nn.Module, heads: int, conditioning: Tensor | None) -> slice | None:
    """Return the output channels of the layer ``last`` that belong to the one head which all of the batch choose; None
    where all are needed, as to learn."""
    if heads == 1 or conditioning is None or torch.is_grad_enabled() or not isinstance(last, nn.Conv2d | nn.Conv3d):
        return None
    chosen = conditioning[:, -heads:]
    number = int(chosen[0].argmax())
    if not torch.equal(chosen, F.one_hot(torch.full_like(chosen[:, 0], number, dtype=torch.long), heads).to(chosen)):
        return None
    size = last.out_channels // heads
    return slice(number * size, (number + 1) * size)


def head(outputs: Tensor, heads: int, conditioning: Tensor | None) -> Tensor:
    """Return the output layer (B, C, ...) that the last ``heads`` numbers of ``conditioning`` (one 1, the others
    0) choose from
    ``outputs`` (B, heads C, ...)."""
    if heads == 1 or conditioning is None:
        return outputs
    each = outputs.reshape(outputs.shape[0], heads, -1, *outputs.shape[2:])
    chosen = conditioning[:, -heads:].reshape(-1, heads, *(1 for _ in each.shape[2:]))
    return torch.sum(each * chosen, dim=1)


def _level(inputs: int, width: int, count: int, condition: int, norm: str, dimensions: int) -> nn.ModuleList:
    return nn.ModuleList(
        Residual(inputs if index == 0 else width, width, condition, norm, dimensions) for index in range(count)
    )


def _apply(blocks: nn.Module, x: Tensor, condition: Tensor) -> Tensor:
    for block in blocks.children():
        x = block(x, condition)
    return x
