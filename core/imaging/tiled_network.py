"""A network over a volume too large to be seen at once: tile by tile, in bfloat16 where that is fast."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core import device as devices
from core.imaging.tiles import Tile
from core.volume import Box

# box of the volume -> context (C, x, y, z) float32 there
Context = Callable[[Box], NDArray[np.float32]]


def call(
    network: nn.Module,
    noisy: Tensor,
    context: Context,
    log_snr: Tensor,
    conditioning: Tensor | None,
    tiles: Sequence[Tile],
    half: bool = False,
) -> Generator[float, None, tuple[Tensor, Tensor]]:
    """Return the prediction of ``network`` for a volume, residual and log-variance (1, 1, X, Y, Z), tile by tile.

    noisy: (1, 1, X, Y, Z); log_snr (1,), conditioning (1, K) or None: as the network takes them. Yields the share done.
    """
    clean, log_variance = torch.zeros_like(noisy), torch.zeros_like(noisy)
    for index, tile in enumerate(tiles):
        part = torch.from_numpy(np.ascontiguousarray(context(tile.box)))[None].to(noisy.device)
        here = (slice(None), slice(None), *tile.box)
        with in_half(noisy.device, half):
            outputs = network(noisy[here], part, log_snr, conditioning)
        weight = torch.from_numpy(tile.weight()).to(noisy.device)
        clean[here] += weight * outputs[0]
        log_variance[here] += weight * outputs[1]
        yield (index + 1) / len(tiles)
    return clean, log_variance


def in_half(device: torch.device, wanted: bool = True) -> torch.autocast:
    """Return a context in which networks on ``device`` work in bfloat16, if that is ``wanted`` and a fast CPU."""
    return torch.autocast("cpu", torch.bfloat16, enabled=wanted and device.type == "cpu" and devices.fast_bfloat16())
