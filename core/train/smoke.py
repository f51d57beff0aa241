"""A packed set of tiny phantoms: enough to run the whole training command without any data."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.train.datasets import PERMISSIVE, Packed


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
    levels = {
        "t1": [0, 0.3, 0.9, 0.6],
        "t1ce": [0, 0.3, 0.8, 0.7],
        "t2": [0, 0.9, 0.4, 0.6],
        "flair": [0, 0.2, 0.5, 0.7],
    }
    images = {
        contrast: np.maximum(np.array(level)[tissues] + grain * (tissues > 0), 0) for contrast, level in levels.items()
    }
    items = [
        Packed("phantom", "scan", "train", "train", "made here", tuple(images), tuple(images), licence=PERMISSIVE),
        Packed("map", "labels", "labels", "train", "made here", licence=PERMISSIVE),
    ]
    arrays: dict[str, NDArray[np.generic]] = {
        **{f"phantom/{contrast}": image.astype(np.float16) for contrast, image in images.items()},
        "phantom/usable": tissues > 0,
        "phantom/head": tissues > 0,
        "map/tissues": tissues,
    }
    np.savez_compressed(
        out,
        allow_pickle=False,
        index=np.frombuffer(json.dumps([asdict(item) for item in items]).encode(), np.uint8),
        **arrays,
    )
    return out
