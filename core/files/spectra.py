"""Files of spectra and pictures from strangers: decoded in a process of its own that can be killed."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.files.convert import SECONDS, ask_child


def read_safely(paths: Sequence[Path], *, seconds: int = SECONDS) -> dict[str, NDArray[Any]]:
    """Return the named arrays of one file, of the files of one image, or of a folder, zip or list of spectra: see
    ``core.files.arrays.read_arrays``.

    The process that decodes them is held to 4 GiB and killed after ``seconds``. UserError file_unreadable,
    cube_unreadable, cube_too_large, envi_header, no_wavenumbers, import_failed, import_timeout.
    """
    for path in paths:
        if not path.exists():
            raise UserError(
                "file_unreadable", f"There is no file {path.name[:80]!r}.", "Check the path and its rights."
            )
    with tempfile.TemporaryDirectory(prefix=".spectra-") as folder:
        work = Path(folder)
        request = {
            "reader": "arrays",
            "paths": [str(path) for path in paths],
            "seconds": seconds,
        }
        answer = ask_child(request, work)
        if "error" in answer:
            raise UserError(*answer["error"])
        return {
            str(name): np.load(work / f"{number}.npy", allow_pickle=False)
            for number, name in enumerate(answer["names"])
        }
