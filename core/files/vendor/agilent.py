"""Agilent Resolutions Pro: a tile of the detector (.bsp, .dat, .seq) or a mosaic of tiles (.dmt, .dmd, .drd)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from agilent_format import agilentImage, agilentMosaic
from numpy.typing import NDArray

MOSAIC = (".dmt", ".dmd", ".drd", ".dms")


def read_agilent(path: Path) -> dict[str, NDArray[Any]]:
    """Return ``cube`` (H, W, B) and ``wavenumbers`` in cm^-1 of any file of a tile or mosaic.

    Rows are in the order of the ENVI header that the same program writes beside it. The others must lie beside it.
    ``OSError`` where one is missing, ``ValueError`` for damage.
    """
    stem = path.stem.lower()
    beside = {each.name.lower(): each for each in path.parent.iterdir()}
    if path.suffix.lower() in MOSAIC:
        whole = [each for name, each in beside.items() if name.endswith(".dmt") and stem.startswith(each.stem.lower())]
        found = agilentMosaic(whole[0] if whole else path.with_suffix(".dmt"))
    else:
        found = agilentImage(beside.get(f"{stem}.bsp", path))
    return {
        "cube": np.asarray(found.data),
        "wavenumbers": np.asarray(found.wavenumbers, np.float64),
        "axis": np.array("cm-1"),
    }
