"""A head of a few thousand voxels, a lesion mask on it, and a network of a few thousand weights."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

from core.files.nifti import Stored, write_stored

SIDE = 28
AFFINE = np.array([[-1.0, 0, 0, 12], [0, 0, 1.1, -9], [0, 1, 0, 4], [0, 0, 0, 1]])  # file axes run L, S, A
TINY = {"widths": [8, 8], "blocks": [1, 1]}


def write_phantom(folder: Path, radius: float = 4.0) -> dict[str, Path]:
    """Write ``t1.nii.gz`` (int16, scaled, axes L S A) and ``mask.nii.gz`` into ``folder`` and return their paths."""
    i, j, k = np.indices((SIDE, SIDE, SIDE)) - (SIDE - 1) / 2
    head = i**2 + j**2 + (1.1 * k) ** 2 < 12.5**2
    tissue = 500 + 200 * np.sin(0.7 * i) * np.cos(0.6 * j) + 60 * np.sin(k + 0.1 * i)
    values = np.where(head, tissue, 0).astype(np.int16)
    mask = ((i - 4) ** 2 + (j + 2) ** 2 + k**2 < radius**2).astype(np.uint8)
    paths = {"t1": folder / "t1.nii.gz", "mask": folder / "mask.nii.gz"}
    write_stored(paths["t1"], Stored(values, AFFINE, 0.5, 3.0))
    write_stored(paths["mask"], Stored(mask, AFFINE))
    return paths


def write_tiny_network(folder: Path, name: str = "inpaint-volume") -> None:
    """Write a weight folder whose network ``name`` has random weights."""
    import torch
    from safetensors.torch import save

    from core.nets import build

    torch.manual_seed(0)
    network = build("volume_net", TINY)
    values = {key: 0.05 * torch.randn_like(value) for key, value in network.state_dict().items()}
    data = save(values)
    (folder / "tiny.safetensors").write_bytes(data)
    entry = {
        "file": "tiny.safetensors",
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "architecture": "volume_net",
        "config": TINY,
        "parameters": sum(value.numel() for value in values.values()),
        "licence": "Apache-2.0",
        "data": "random",
        "card": "none.md",
    }
    (folder / "manifest.json").write_text(json.dumps({"weights": {name: entry}}))
