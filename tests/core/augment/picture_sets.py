"""Small sets of pictures in folders of classes, as strangers have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 12


def pixels(number: int, level: int) -> NDArray[np.uint8]:
    """Return a picture (12, 12, 3) unlike that of any other number; level: of its red."""
    values = np.random.default_rng(number).integers(0, 200, (SIDE, SIDE, 3)).astype(np.uint8)
    values[..., 0] = level
    return values


def write_set(folder: Path, patients: int = 8, each: int = 5) -> Path:
    """Write a folder for each of two classes: pictures of ``patients`` patients, named P07_3.png."""
    for label, name in enumerate(("benign", "tumour")):
        (folder / name).mkdir(parents=True)
        for number in range(patients * each):
            patient = label * patients + number // each
            picture = Image.fromarray(pixels(1000 * label + number, 50 + 100 * label))
            picture.save(folder / name / f"P{patient:02}_{number}.png")
    return folder
