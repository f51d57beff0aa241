"""Horiba LabSpec as XML: a matrix of numbers and the axes that it runs over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from defusedxml import DefusedXmlException, ElementTree
from numpy.typing import NDArray

AXIS_VALUES, NAME, UNIT = "0x7D6CD4DB", "0x6D707974", "0x7C696E75"
SPECTRUM = "Spectr"
MOST_BYTES = 256 << 20


def read_labspec_xml(path: Path) -> dict[str, NDArray[Any]]:
    """Return ``cube`` (H, W, B) or ``spectra`` (N, B), ``wavenumbers`` as written and ``axis``.

    ``ValueError`` for damage, or for a file with entities, which a program would not write.
    """
    stored = path.read_bytes()
    if len(stored) > MOST_BYTES:
        raise ValueError("too large")
    try:
        # whatever the encoding: without a document type there are no entities to expand, and nothing is fetched
        root = ElementTree.fromstring(stored, forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException) as error:
        raise ValueError("not XML, or with entities") from error
    axes = [
        (name, unit, values)
        for node in root.iter("LSX")
        if (values := _child(node, AXIS_VALUES)) and (name := _child(node, NAME)) and (unit := _child(node, UNIT))
    ]
    spectral = next(((unit, _numbers(values)) for name, unit, values in axes if name.strip() == SPECTRUM), None)
    rows = [_numbers(row.text or "") for row in root.iter("LSX_Row")]
    if spectral is None or not rows:
        raise ValueError("no spectra")
    matrix = np.array(rows)
    positions = spectral[1]
    sides = [len(_numbers(values)) for name, _, values in axes if name.strip() in ("X", "Y")]
    if matrix.shape[1] != len(positions):
        matrix = matrix.reshape(-1, len(positions))
    found: dict[str, NDArray[Any]] = {
        "wavenumbers": positions,
        "axis": np.array("Raman shift" if "cm" in spectral[0] else spectral[0].strip()),
        "technique": np.array("raman"),
    }
    if len(sides) == 2 and sides[0] * sides[1] == len(matrix):
        return found | {"cube": matrix.reshape(sides[1], sides[0], -1).astype(np.float32)}
    return found | {"spectra": matrix.astype(np.float32)}


def _child(node: Any, kind: str) -> str:
    return next((child.text or "" for child in node.findall("LSX") if child.get("ID") == kind), "")


def _numbers(text: str) -> NDArray[np.float64]:
    return np.array(text.split(), np.float64)
