"""A head of a few thousand voxels, what each task needs of it, and networks of a few thousand weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.files.nifti import Stored, write_stored
from core.weights import FOLDER

SIDE = 28
AFFINE = np.array([[-1.0, 0, 0, 12], [0, 0, 1.1, -9], [0, 1, 0, 4], [0, 0, 0, 1]])  # file axes run L, S, A
TINY = {"widths": [8, 8], "blocks": [1, 1]}


def write_phantom(folder: Path, radius: float = 4.0) -> dict[str, Path]:
    """Write ``t1.nii.gz`` (int16, scaled, axes L S A) and ``mask.nii.gz`` into ``folder`` and return their paths."""
    i, j, k = np.indices((SIDE, SIDE, SIDE)) - (SIDE - 1) / 2
    mask = ((i - 4) ** 2 + (j + 2) ** 2 + k**2 < radius**2).astype(np.uint8)
    paths = {"t1": folder / "t1.nii.gz", "mask": folder / "mask.nii.gz"}
    write_stored(paths["t1"], _stored(_tissue(0.7, 0.6, 1.0)))
    write_stored(paths["mask"], Stored(mask, AFFINE))
    return paths


def write_inputs(task: str, folder: Path) -> dict[str, Path]:
    """Write files for the inputs that ``task`` needs, or for enough of them, into ``folder``; return their paths."""
    return WRITERS[task](folder)


def write_thick(folder: Path) -> dict[str, Path]:
    """Write ``image.nii.gz`` (int16, scaled, axes L S A): the head in nine slices of 3 mm along S."""
    t1 = _stored(_tissue(0.7, 0.6, 1.0))
    values = t1.values[:, : SIDE // 3 * 3].reshape(SIDE, SIDE // 3, 3, SIDE).mean(axis=2).astype(np.int16)
    affine = AFFINE.copy()
    affine[:3, 3] += affine[:3, 1]
    affine[:3, 1] *= 3
    path = folder / "image.nii.gz"
    write_stored(path, Stored(values, affine, 0.5, 3.0))
    return {"image": path}


def write_contrasts(folder: Path) -> dict[str, Path]:
    """Write ``t1``, ``t1ce`` and ``t2`` of one head on one grid."""
    kinds = {"t1": (0.7, 0.6, 1.0), "t1ce": (0.7, 0.5, 1.1), "t2": (0.6, 0.6, -1.0)}
    for name, waves in kinds.items():
        write_stored(folder / f"{name}.nii.gz", _stored(_tissue(*waves)))
    return {name: folder / f"{name}.nii.gz" for name in kinds}


# what a task must be given; a new task has a line here
WRITERS: dict[str, Callable[[Path], dict[str, Path]]] = {
    "inpaint": lambda folder: write_phantom(folder),
    "superres": write_thick,
    "translate": write_contrasts,
}


def write_tiny_network(folder: Path, name: str = "inpaint-volume") -> None:
    """Write a weight folder whose only network, ``name``, has random weights."""
    write_tiny_networks(folder, [name])


def write_tiny_networks(folder: Path, names: Sequence[str] = ()) -> None:
    """Write a weight folder of networks as the shipped ones but small and random: ``names``, or every one."""
    shipped = json.loads((FOLDER / "manifest.json").read_text())["weights"]
    entries = {name: _write_tiny(folder, name, shipped[name]) for name in names or shipped}
    (folder / "manifest.json").write_text(json.dumps({"weights": entries}))


def _write_tiny(folder: Path, name: str, shipped: dict[str, Any]) -> dict[str, Any]:
    import torch
    from safetensors.torch import save

    from core.nets import build
    from core.nets.boosted_trees import LEAF

    torch.manual_seed(0)
    config = shipped["config"] | (TINY if "widths" in shipped["config"] else {})
    network = build(shipped["architecture"], config)
    values = {key: 0.05 * torch.randn_like(value) for key, value in network.state_dict().items()}
    if shipped["architecture"] == "boosted_trees":
        # random nodes would be no trees: each tree is one leaf of a random value
        values["nodes"][..., 0] = LEAF
    data = save(values)
    (folder / shipped["file"]).write_bytes(data)
    return shipped | {
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "config": config,
        "parameters": sum(value.numel() for value in values.values()),
        "licence": "Apache-2.0",
        "data": "random",
        "card": "none.md",
    }


def _tissue(first: float, second: float, sign: float) -> NDArray[np.int16]:
    i, j, k = np.indices((SIDE, SIDE, SIDE)) - (SIDE - 1) / 2
    head = i**2 + j**2 + (1.1 * k) ** 2 < 12.5**2
    waves = sign * (200 * np.sin(first * i) * np.cos(second * j) + 60 * np.sin(k + 0.1 * i))
    return np.where(head, 500 + waves, 0).astype(np.int16)


def _stored(values: NDArray[np.int16]) -> Stored:
    return Stored(values, AFFINE, 0.5, 3.0)
