"""Load a user's file: labelled patches or spectra, an infrared image, or the predictions of a model."""

from __future__ import annotations

import zipfile
from pathlib import Path

from core.failure.data.earlier_run import EarlierRun, read_earlier_run
from core.failure.data.image_sets import load_images, opened
from core.failure.data.labelled_patches import Loaded, read_patches
from core.failure.data.predictions import LOGITS, Predictions, read_predictions
from core.failure.data.reading_options import Options
from core.files.archive import open_zip


def load(path: Path, labels: Path | None = None, options: Options | None = None) -> Loaded | Predictions | EarlierRun:
    """Read a file of patches, an infrared image with its label image, spectra, the predictions of a model, a data
    set of many images or spectra (a folder, a zip, or a table that names images), or the results of an earlier run.

    UserError with a code of docs/errors.md for a file that cannot be read.
    """
    if _has_logits(path):
        return read_predictions(path)
    if labels is None:
        earlier = read_earlier_run(path)
        if earlier is not None:
            return earlier
        with opened(path) as images:
            if images is not None:
                return load_images(images, options or Options())
    return read_patches([path], labels, options)


def _has_logits(path: Path) -> bool:
    """Return whether a file is an .npz with logits; nothing of it is unpacked."""
    try:
        with open_zip(path) as archive:
            return f"{LOGITS}.npy" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False
