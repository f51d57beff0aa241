"""Small made-up subjects in the folders of the real ones."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.errors import UserError
from core.events import Progress
from core.files.nifti import write_volume
from core.imaging.options import Options
from core.imaging.problem import Estimate
from core.volume import Volume

SIDE = 28
SPACING = 6.0
# brightness of nothing, CSF, grey and white matter
LEVELS = {
    "t1": (0.0, 40.0, 110.0, 180.0),
    "t1ce": (0.0, 45.0, 120.0, 190.0),
    "t2": (0.0, 220.0, 120.0, 80.0),
    "flair": (0.0, 30.0, 140.0, 100.0),
}


def tissue_map(seed: int = 0) -> NDArray[np.float32]:
    """A ball of brain with a grey rim and wavy borders, (28, 28, 28)."""
    x, y, z = np.ogrid[:SIDE, :SIDE, :SIDE]
    radius = np.sqrt((x - 13.5) ** 2 + (y - 13.5) ** 2 + (z - 13.5) ** 2)
    wave = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal((SIDE,) * 3), 1.5)
    depth = radius + 8 * wave / wave.std() * 0.15
    return np.select([radius > 12, depth < 3, depth < 8.5], [0.0, 1.0, 3.0], 2.0).astype(np.float32)


def picture(tissues: NDArray[np.float32], contrast: str, seed: int = 1) -> NDArray[np.float32]:
    """A noisy scan of ``tissues``, above 0 exactly where there is tissue."""
    clean = np.choose(tissues.astype(int), LEVELS[contrast])
    noisy = np.maximum(clean + np.random.default_rng(seed).normal(0, 3, clean.shape), 1)
    return np.where(tissues > 0, noisy, 0).astype(np.float32)


def write_healthy(data: Path, subject: str = "1015", seed: int = 0) -> None:
    """Write a healthy T1 and its tissue map."""
    tissues = tissue_map(seed)
    folder = data / "train" / "malf_nc"
    _write(folder / f"{subject}_t1.nii.gz", picture(tissues, "t1"))
    _write(folder / f"{subject}_tissues.nii.gz", tissues)


def write_contrasts(folder: Path, names: dict[str, str], seed: int = 0) -> None:
    """Write several contrasts of one subject, contrast -> file name."""
    tissues = tissue_map(seed)
    for index, (contrast, name) in enumerate(names.items()):
        _write(folder / f"{name}.nii.gz", picture(tissues, contrast, seed=index))


def write_glioma(data: Path, subject: str, seed: int = 0) -> None:
    """Write a T1 and the mask of a tumour near the right end of the brain."""
    folder = data / "train" / "brats18" / subject
    tissues = tissue_map(seed)
    _write(folder / "t1.nii.gz", picture(tissues, "t1"))
    tumour = np.zeros_like(tissues)
    tumour[18:23, 11:16, 11:16] = 4
    _write(folder / "seg.nii.gz", tumour)


def broken(problem: Any, options: Options) -> Generator[Progress, None, Estimate]:
    """A method without its weights."""
    yield Progress(0.0, 0, 1, "about to fail")
    raise UserError("weights_missing", "The weights are not here.", "Fetch them.")


def _write(path: Path, image: NDArray[np.float32]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_volume(path, Volume(image, np.diag([SPACING] * 3 + [1.0])))
