"""A folder of methods and cases, as the bench writes it, small enough for a test."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.files.nifti import write_volume
from core.volume import Volume
from tests.phantom import make_phantom

SHAPE, SIZE = (26, 30, 28), 6.0


def write_folder(folder: Path, cases: int = 4, methods: Sequence[str] = ("truth", "ours", "mean")) -> Path:
    """Write METHOD/CASE.nii.gz, regions/CASE.nii.gz and measures.json; ``truth`` is the real scan."""
    rng = np.random.default_rng(0)
    measures: dict[str, dict[str, dict[str, float]]] = {method: {} for method in methods if method != "truth"}
    for number in range(cases):
        affine = np.diag([SIZE, SIZE, SIZE, 1.0])
        affine[:3, 3] = rng.uniform(-20, 20, 3)
        phantom = make_phantom(affine, SHAPE, seed=number)
        case = f"case{number}"
        mask = phantom.mask.astype(np.float32)
        _write(folder / "regions" / f"{case}.nii.gz", mask, affine)
        for rank, method in enumerate(methods):
            image = phantom.scan.astype(np.float32) + rank * mask * 20 + rng.normal(0, 1, SHAPE).astype(np.float32)
            _write(folder / method / f"{case}.nii.gz", image, affine)
            if method in measures:
                measures[method][case] = {"psnr": 30.0 - rank - number / 10, "ssim": 0.9}
    (folder / "measures.json").write_text(json.dumps(measures))
    return folder


def _write(path: Path, data: np.ndarray[tuple[int, ...], np.dtype[np.float32]], affine: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_volume(path, Volume(np.ascontiguousarray(data), np.asarray(affine, np.float64)))
