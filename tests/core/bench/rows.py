"""Rows of measurements for the tests of summaries and tables."""

from __future__ import annotations

from core.bench.case import Label, Row
from core.bench.table import COLUMNS


def row(method: str, subject: str, psnr: float, block: str = "holes", error: str = "", pooled: str = "") -> Row:
    """Return a row with every score at 0.5 but PSNR; none with an error."""
    scores = {} if error else {name: 0.5 for name in COLUMNS} | {"psnr": psnr}
    return Row(Label("inpaint", block, subject, 0, pooled), method, method.title(), 2.0, 4, scores, error)


ROWS = [
    row("volume", "a", 21.0),
    row("volume", "b", 25.0),
    row("volume", "c", 0.0, error="out of luck"),
    row("biharmonic", "a", 20.0),
    row("biharmonic", "b", 22.0),
    row("biharmonic", "c", 30.0),
]
