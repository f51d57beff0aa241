"""Load a user's file: labelled patches or spectra, an infrared image, or the predictions of a model."""

from __future__ import annotations

import zipfile
from pathlib import Path

from core.failure.data.labelled_patches import Loaded, read_patches
from core.failure.data.predictions import LOGITS, Predictions, read_predictions

ENVI_DATA = ("", ".dat", ".img", ".raw", ".bin", ".bsq", ".bil", ".bip")


def load(path: Path, labels: Path | None = None) -> Loaded | Predictions:
    """Read a file of patches, an infrared image with its label image, spectra, or the predictions of a model.

    UserError with a code of docs/errors.md for a file that cannot be read.
    """
    if _has_logits(path):
        return read_predictions(path)
    return read_patches([path, *_envi_data(path)], labels)


def _envi_data(path: Path) -> list[Path]:
    """Return the data file beside an ENVI header, which has its name with another ending or with none."""
    if path.suffix.lower() != ".hdr":
        return []
    beside = [path.with_suffix(ending) for ending in ENVI_DATA]
    return [each for each in beside if each.is_file()][:1]


def _has_logits(path: Path) -> bool:
    """Return whether a file is an .npz with logits; nothing of it is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            return f"{LOGITS}.npy" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False
