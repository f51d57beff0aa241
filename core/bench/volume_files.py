"""Measured images as files, in the layout of which a reader study can be made."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.bench.case import Case, Row
from core.files.nifti import Stored, write_stored, write_volume
from core.imaging.outcome import DESCRIPTION
from core.volume import Volume

Float = NDArray[np.float32]

TRUTH, REGIONS, MEASURES = "truth", "regions", "measures.json"


class Volumes:
    """METHOD/CASE.nii.gz below a folder, the truth beside them as a method of its own, masks of what was made in
    regions/ and the scores in measures.json. What the folder holds of other cases and methods stays."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: set[str] = set()

    def add(self, case: Case, row: Row, image: Float) -> None:
        """Write the image (X, Y, Z), RAS+, that was measured, marked synthetic, and its scores as far as finite."""
        name, method = case.label.name, row.method.replace("/", "-")
        # cases know their voxel size, not where in the scanner they lay
        affine = np.diag([*case.spacing, 1.0])
        if name not in self._written:
            write_volume(self._path(TRUTH, name), Volume(case.truth, affine))
            if case.region is not None:
                write_stored(self._path(REGIONS, name), Stored(case.region.astype(np.uint8), affine), DESCRIPTION)
            self._written.add(name)
        write_volume(self._path(method, name), Volume(image, affine), DESCRIPTION)
        self._note(method, name, {key: value for key, value in row.scores.items() if math.isfinite(value)})

    def _note(self, method: str, name: str, scores: dict[str, float]) -> None:
        file = self._folder / MEASURES
        measures = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        measures.setdefault(method, {})[name] = scores
        file.write_text(json.dumps(measures, indent=2, allow_nan=False) + "\n", encoding="utf-8")

    def _path(self, part: str, name: str) -> Path:
        path = self._folder / part / f"{name}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path
