"""Labelled image patches of tissue: infrared cube, stained picture, and patient or slide."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError

Float = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PatchSet:
    """N patches of K classes.

    ir: (N, B, H, W) float32, absorbance. wavenumbers: (B,) float64, cm^-1. labels: (N,) 0 to K - 1.
    classes: K names. groups: (N,) the patient or slide of each patch, None where unknown.
    rgb: (N, 3, H, W) float32, 0 to 1, the same tissue stained, or None. cue: (N,) the simulator's own shortcut
    variable, None for real data. raman: whether the spectra are of a Raman spectrometer: relative counts over shifts.
    A spectrum alone is a patch of H = W = 1.
    UserError patches_mismatch when the arrays do not belong together.
    """

    ir: Float
    wavenumbers: NDArray[np.float64]
    labels: Ints
    classes: tuple[str, ...]
    groups: Ints | None = None
    rgb: Float | None = None
    cue: Float | None = None
    raman: bool = False

    def __post_init__(self) -> None:
        count, bands = self.ir.shape[:2]
        sizes = [part.shape[0] for part in (self.labels, self.groups, self.rgb, self.cue) if part is not None]
        if self.ir.ndim != 4 or any(size != count for size in sizes) or self.wavenumbers.shape != (bands,):
            raise UserError(
                "patches_mismatch",
                "The patches, labels and wavenumbers do not have matching sizes.",
                "Give one label (and one group) for each patch and one wavenumber for each band.",
            )
        if count and not (int(self.labels.min()) >= 0 and int(self.labels.max()) < len(self.classes)):
            raise UserError("patches_mismatch", "A label is not among the classes.", "Number the classes from 0.")

    def __len__(self) -> int:
        return int(self.ir.shape[0])

    @property
    def spatial(self) -> bool:
        """Whether a patch is more than one pixel."""
        return bool(self.ir.shape[2] * self.ir.shape[3] > 1)

    def take(self, index: NDArray[Any]) -> PatchSet:
        """Return the patches at ``index``: numbers of patches, or a mask (N,) bool."""
        whole = ("wavenumbers", "classes", "raman")
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return PatchSet(
            **{name: value if name in whole or value is None else value[index] for name, value in values.items()}
        )

    def spectra(self) -> Float:
        """Return the mean spectrum of each patch in absorbance, (N, B) float32.

        >>> ramp = np.arange(8, dtype=np.float32).reshape(1, 2, 2, 2)
        >>> PatchSet(ramp, np.array([1000.0, 1700.0]), np.array([0]), ("stroma",)).spectra().tolist()
        [[1.5, 5.5]]
        """
        return np.asarray(self.ir.mean(axis=(2, 3)), np.float32)
