"""JCAMP-DX: spectra as labelled text (R. McDonald and P. Wilks, Appl. Spectrosc. 42, 151, 1988)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jcamp
import numpy as np
from numpy.typing import NDArray

from core.files.value_units import units_in

MOST_BYTES = 64 << 20


def read_jcamp(path: Path) -> dict[str, NDArray[Any]]:
    """Return ``spectra`` (N, B), ``wavenumbers`` as written, ``axis`` and ``unit`` of a file or of its blocks.

    ``ValueError`` for damage, or where blocks have different bands.
    """
    if path.stat().st_size > MOST_BYTES:
        raise ValueError("too large")
    whole = _read(path)
    blocks = [each for each in (whole, *whole.get("children", ())) if np.ndim(each.get("y")) == 1 and len(each["y"])]
    if not blocks or any(not np.array_equal(each["x"], blocks[0]["x"]) for each in blocks):
        raise ValueError("no spectra, or of different bands")
    first = blocks[0]
    raman = "raman" in str(first.get("data type", "")).lower()
    found: dict[str, NDArray[Any]] = {
        "spectra": np.array([each["y"] for each in blocks], np.float32),
        "wavenumbers": np.asarray(first["x"], np.float64),
        "axis": np.array("Raman shift" if raman else str(first.get("xunits", ""))[:40]),
        "unit": np.array(next(iter(units_in(str(first.get("yunits", "")))), "")),
        "spectrum": np.array([str(each.get("title", ""))[:100] for each in blocks]),
    }
    return found | ({"technique": np.array("raman")} if raman else {})


def _read(path: Path) -> dict[str, Any]:
    """Return what the library reads, which raises no kind of its own for damage."""
    try:
        found: dict[str, Any] = jcamp.readfile(str(path))
    except Exception as error:
        if type(error) is Exception:
            raise ValueError(str(error)) from error
        raise
    return found
