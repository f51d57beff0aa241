"""A packed set of tiny phantoms: enough to run the whole training command without any data."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.train.pack import Packed


def pack_phantoms(out: Path, side: int = 56) -> Path:
    """Write and return a packed set of one scan-like phantom and one tissue map of ``side`` voxels."""
    axes = np.linspace(-1, 1, side)
    x, y, z = np.meshgrid(axes, axes, axes, indexing="ij")
    radius = np.sqrt(x**2 + y**2 + z**2) + 0.08 * np.sin(9 * x) * np.sin(7 * y) * np.cos(8 * z)
    tissues = np.zeros(radius.shape, np.uint8)
    tissues[radius < 0.85] = 3
    tissues[radius < 0.7] = 2
    tissues[radius < 0.2] = 1
    grain = 0.06 * np.random.default_rng(0).normal(size=radius.shape)
    image = np.maximum(np.array([0, 0.3, 0.9, 0.6])[tissues] + grain * (tissues > 0), 0)
    items = [
        Packed("phantom", "scan", "train", "train", "made here"),
        Packed("map", "labels", "labels", "train", "made here"),
    ]
    arrays: dict[str, NDArray[np.generic]] = {
        "phantom/image": image.astype(np.float16),
        "phantom/usable": tissues > 0,
        "map/tissues": tissues,
    }
    np.savez_compressed(
        out,
        allow_pickle=False,
        index=np.frombuffer(json.dumps([asdict(item) for item in items]).encode(), np.uint8),
        **arrays,
    )
    return out
