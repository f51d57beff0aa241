"""Bruker OPUS: spectra in blocks of one binary file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from brukeropus import read_opus
from numpy.typing import NDArray

# blocks of spectra by preference, and what their numbers are
SPECTRA = {"a": "absorbance", "t": "transmittance", "r": "reflectance", "logr": "absorbance", "atr": "absorbance"}
SPECTRA |= {"ra": "counts", "km": ""}
AXES = {"WN": "cm-1", "MI": "um", "LGW": "", "RAM": "Raman shift"}


def read_bruker(path: Path) -> dict[str, NDArray[Any]]:
    """Return ``spectra`` (N, B), ``wavenumbers`` as written, ``axis`` and ``unit`` of the first of absorbance,
    transmittance, reflectance and Raman that the file has. ``ValueError`` for none, or for damage."""
    found = read_opus(str(path))
    for key, unit in SPECTRA.items():
        data = getattr(found, key, None) if key in found.all_data_keys else None
        if data is not None:
            kind = str(getattr(data, "dxu", "") or "")
            arrays: dict[str, NDArray[Any]] = {
                "spectra": np.atleast_2d(np.asarray(data.y, np.float32)),
                "wavenumbers": np.asarray(data.x, np.float64),
                "axis": np.array(AXES.get(kind, "Raman shift" if key == "ra" else "cm-1")),
                "unit": np.array(unit),
            }
            return arrays
    raise ValueError("no spectrum but interferograms, phases or single channels")
