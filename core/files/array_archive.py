"""Named arrays written as an NPZ, whatever their names."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray


def write_arrays(file: Path | IO[bytes], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write ``arrays`` to ``file``; ``numpy.savez`` has no room for the names "file" and "allow_pickle".

    ``ValueError`` for an array of Python objects.
    """
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name.replace('/', '_')}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
