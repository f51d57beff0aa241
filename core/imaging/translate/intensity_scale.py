"""The intensities of a scanner: taken from any scan of the target contrast that it made, and given to a translation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.anatomy.brain import find_brain
from core.anatomy.head import find_head
from core.contrasts import TITLES, USUAL
from core.errors import UserError
from core.files.nifti import read_stored
from core.imaging.translate.align import WORK_MM
from core.imaging.translate.slots import recognise
from core.result import Note
from core.volume import Volume, to_spacing

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

# brightest share of a brain that says nothing about its tissue: vessels, artefacts
BRIGHTEST = 99.5


@dataclass(frozen=True)
class Scale:
    """How a scanner draws the contrast ``target``: mean and standard deviation of a brain, in its units."""

    target: str
    mean: float
    spread: float

    @property
    def gain(self) -> float:
        """The scanner's units in one unit of a translation, the 99.5th percentile of a usual brain."""
        return self.spread / USUAL[self.target][1]

    def drawn(self, values: Float, brain: Bool) -> Float:
        """Return a translation (X, Y, Z) float32 as the scanner would draw it, in its units, 0 outside ``brain``.

        Methods return standard scores of a usual brain: the scores are kept, their mean and unit become the scanner's.
        A line and no curve: neither one through the tissues nor one that makes the distributions equal was nearer to
        the truth in both directions (docs/methods.md).
        """
        middle = np.float32(values[brain].mean())
        drawn = np.float32(self.mean) + np.float32(self.gain) * (values - middle)
        return np.where(brain, np.maximum(drawn, 0), 0).astype(np.float32)


def scale_of(inside: Float, target: str) -> Scale:
    """Return the scale of a scanner from the intensities (N,) float32 of a brain of the contrast ``target``."""
    inside = np.minimum(inside, np.percentile(inside, BRIGHTEST))
    return Scale(target, float(inside.mean()), float(inside.std()))


@dataclass(frozen=True, eq=False)
class ScannerScan:
    """A scan given for its intensities; notes: what was found out about it."""

    scale: Scale
    volume: Volume
    notes: tuple[Note, ...]


def _brain(volume: Volume) -> Float:
    """Return the intensities of the brain, (N,) float32."""
    head = find_head(volume)
    if head.kind == "brain":
        return volume.data[head.mask]
    fine = to_spacing(volume, (WORK_MM, WORK_MM, WORK_MM))
    return fine.data[find_brain(fine)]


def read_scanner(path: Path, target: str) -> ScannerScan:
    """Read a scan of the contrast ``target``, of anybody, on any grid, skull-stripped or not.

    UserError ``no_brain``, and every code of ``read_stored``.
    """
    volume = read_stored(path).to_volume()
    inside = _brain(volume)
    spread = float(inside.std()) if inside.size else 0.0
    if spread <= 0:
        raise UserError(
            "no_brain",
            "No brain was found in the scan of the same scanner.",
            f"Give a {TITLES[target]} of a whole brain, best with the skull removed, or leave it out.",
        )
    found = [Note("info", f"Intensities are those of the scanner: taken from the {TITLES[target]} given for it.")]
    looks = recognise("", volume)
    if looks not in (None, target):
        found.append(
            Note(
                "warning",
                f"The scan given for the scanner looks like {TITLES[str(looks)]}, not {TITLES[target]}: "
                "if it is, the intensities are wrong.",
            )
        )
    return ScannerScan(scale_of(inside, target), volume, tuple(found))
