"""In which precision a CPU takes 3D convolutions faster."""

from __future__ import annotations

import time

import torch
from torch import nn

from core.errors import UserError

PRECISIONS = ("auto", "float32", "bfloat16")
# as wide as the networks, and long enough to be timed
CHANNELS, SIDE, TIMES = 64, 24, 3


def in_half(precision: str, device: str) -> bool:
    """Return whether convolutions on ``device`` run in bf16 by ``precision``: one of ``PRECISIONS``, of which auto
    measures a CPU. UserError for any other word. A GPU takes bf16 whatever is chosen."""
    if precision not in PRECISIONS:
        raise UserError("bad_parameter", f"{precision[:40]!r} is no precision.", f"Choose {', '.join(PRECISIONS)}.")
    return precision == "bfloat16" or (precision == "auto" and device == "cpu" and half_is_faster())


def half_is_faster() -> bool:
    """Return whether forward and backward passes of a 3D convolution take less time under autocast to bf16.

    CPUs with AVX512-BF16 or AMX took half the time of fp32 for a whole training step; others emulate bf16, slowly.
    """
    return _seconds(half=True) < 0.8 * _seconds(half=False)


def _seconds(half: bool) -> float:
    layer = nn.Conv3d(CHANNELS, CHANNELS, 3, padding=1)
    image = torch.zeros(1, CHANNELS, SIDE, SIDE, SIDE)
    taken = []
    for _ in range(TIMES):
        begun = time.process_time()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            made = layer(image)
        torch.autograd.backward(made.float().mean())
        taken.append(time.process_time() - begun)
    return min(taken)
