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

# percentile above which a brain shows vessels and artefacts, no tissue
BRIGHTEST = 99.5
# percentile of a brain that is above zero in the units of every scanner: its fluid, dark but not without signal
DARKEST = 5
# ml of a brain below which its intensities need not be those of a whole one
SMALL_ML = 50


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
    """A scan given for its intensities; notes: what was found out about it; weights: networks that found its brain."""

    scale: Scale
    volume: Volume
    notes: tuple[Note, ...]
    weights: tuple[str, ...]


def _brain(volume: Volume) -> tuple[Float, float, tuple[str, ...]]:
    """Return the intensities of the brain, (N,) float32, its ml, and the networks that found it."""
    head = find_head(volume)
    if head.kind == "brain":
        return volume.data[head.mask], head.volume_ml, ()
    fine = to_spacing(volume, (WORK_MM, WORK_MM, WORK_MM))
    found = find_brain(fine)
    inside = fine.data[found.mask]
    return inside, inside.size * WORK_MM**3 / 1000, found.weights


def read_scanner(path: Path, target: str) -> ScannerScan:
    """Read a scan of the contrast ``target``, of anybody, on any grid, skull-stripped or not.

    UserError ``no_brain``, ``scanner_negative``, and every code of ``read_stored``.
    """
    volume = read_stored(path).to_volume()
    inside, millilitres, weights = _brain(volume)
    spread = float(inside.std()) if inside.size else 0.0
    if spread <= 0:
        raise UserError(
            "no_brain",
            "No brain was found in the scan of the same scanner.",
            f"Give a {TITLES[target]} of a whole brain, best with the skull removed, or leave it out.",
        )
    if np.percentile(inside, DARKEST) < 0:
        raise UserError(
            "scanner_negative",
            "The brain in the scan of the same scanner has negative intensities: it is not in the scanner's own units.",
            "Give it as the scanner stored it, not normalised or shifted, or leave it out.",
        )
    found = [Note("info", f"Intensities are those of the scanner: taken from the {TITLES[target]} given for it.")]
    if millilitres < SMALL_ML:
        found.append(
            Note(
                "warning",
                f"The scan given for the scanner shows {millilitres:.2g} ml of brain: "
                "the intensities of so little need not be those of a whole one.",
            )
        )
    # a whole head is known by its name alone
    kinds = (recognise("", volume), recognise(path.name, None))
    other = next((kind for kind in kinds if kind not in (None, target)), None)
    if other is not None:
        found.append(
            Note(
                "warning",
                f"The scan given for the scanner is {TITLES[other]} by its name or its looks, not {TITLES[target]}: "
                "if it is, the intensities are wrong.",
            )
        )
    return ScannerScan(scale_of(inside, target), volume, tuple(found), weights)
