"""The most memory that a piece of work held, as Linux counts it for the process."""

from __future__ import annotations

import math
from pathlib import Path

STATUS = Path("/proc/self/status")
RESET = Path("/proc/self/clear_refs")


class Peak:
    """Counts from its making: ``megabytes()`` is the largest resident memory since then, beyond that held before; nan
    where the system does not report it."""

    def __init__(self) -> None:
        try:
            RESET.write_text("5")
            self._before = _read("VmRSS")
        except OSError:
            self._before = math.nan

    def megabytes(self) -> float:
        """Return the most that was held, MB."""
        try:
            # the two are counted apart and may differ by some pages; nan stays nan
            return max(_read("VmHWM") - self._before, 0.0) / 1024
        except OSError:
            return math.nan


def _read(name: str) -> float:
    """Return a figure of the process in kB."""
    lines = dict(line.split(":", 1) for line in STATUS.read_text().splitlines() if ":" in line)
    return float(lines[name].split()[0])
