"""Labelled pictures without spectra on their way in, for the augmentation study: stored as one archive of arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.augment.labelled_pictures import NO_PATIENTS, Choices, holds_pictures, pictures_of
from core.augment.picture_folder import picture_files, read_picture_files
from core.errors import UserError
from core.events import finish
from core.failure.data.columns import ARRAY_NAMES, WRITTEN
from core.failure.data.image_patches import Window
from core.failure.reading import READING
from core.files.spectra import read_safely
from core.plurals import count
from webapp.intake.image_uploads import gathered

Arrays = Mapping[str, NDArray[Any]]
# kept besides what there is one of for each picture
NAMES = (*WRITTEN, *ARRAY_NAMES["names"])
MOST_COLUMNS = 20
# what a column of the table may still give
LATER = ("no_labels", "no_groups")


def uploaded_pictures(uploads: Sequence[Path], room: int) -> Arrays | None:
    """Return the arrays of the pictures that the uploads are, a zip, several files with a table, or one NPZ; None where
    they are none. UserError of ``picture_files``, ``read_picture_files`` and ``read_safely``."""
    if len(uploads) == 1 and holds_pictures(uploads[0]):
        arrays = read_safely(uploads, room=room)
        number = max((len(array) for array in arrays.values() if array.ndim in (3, 4)), default=0)
        return {name: array for name, array in arrays.items() if array.shape[:1] == (number,) or name in NAMES}
    with gathered(uploads) as path, picture_files(path, room=room) as files:
        return None if files is None else finish(read_picture_files(files, Window().most))


def described_pictures(arrays: Arrays) -> tuple[dict[str, str], tuple[str, ...], tuple[int, ...]]:
    """Return facts for the card, warnings, and the shape (N, C, H, W) of the pictures.

    UserError of ``pictures_of``, but for classes that a column may give.
    """
    columns = [name[:40] for name, array in arrays.items() if array.ndim == 1 and name not in (*NAMES, "file")]
    columns = columns[:MOST_COLUMNS]
    try:
        found, warnings = pictures_of(arrays, Choices())
    except UserError as error:
        # what the folders gave is known already
        if error.code not in LATER or not set(columns) - {"class"}:
            raise
        facts = {"Holds": "Pictures that need one more setting", "Columns": ", ".join(columns)}
        warning = f"{error.message} {error.hint} The settings are in step 2: {READING}."
        return facts, (warning,), (len(arrays[columns[0]]),)
    height, width = found.values.shape[2:]
    counts = zip(found.classes, np.bincount(found.labels, minlength=len(found.classes)), strict=True)
    known = NO_PATIENTS not in warnings
    facts = {
        "Holds": count(len(found), "picture"),
        "Size": f"{width} × {height} pixels as studied",
        "Classes": ", ".join(f"{name} ({number})" for name, number in counts),
        "Groups": f"{len(np.unique(found.groups))} patients or slides" if known else "not known",
        **({"Columns": ", ".join(columns)} if len(columns) > 1 else {}),
    }
    return facts, warnings, found.values.shape
