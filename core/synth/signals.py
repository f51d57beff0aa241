"""Closed-form signals of pulse sequences from T1, T2 and proton density."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.synth.fields import uniform
from core.synth.maps import Maps

CONTRASTS = ("t1", "t1ce", "t2", "flair", "pd")


def inversion_gradient_echo(t1: Tensor, density: Tensor, inversion: float, depth: float) -> Tensor:
    """Return PD |1 - k exp(-TI / T1)|, the T1-weighted magnitude of an inversion-prepared gradient echo.

    t1, ``inversion`` (TI) in ms; ``depth`` (k) is 2 for a full inversion from equilibrium and about 1.5 in the
    steady state of a train. TI -> inf gives PD; TI = 0 gives PD |1 - k|; the signal is 0 at TI = T1 ln k.
    """
    return density * (1 - depth * torch.exp(-inversion / t1)).abs()


def spin_echo(t1: Tensor, t2: Tensor, density: Tensor, echo: float, repetition: float) -> Tensor:
    """Return PD exp(-TE / T2) (1 - exp(-TR / T1)), a spin echo; all times in ms.

    TE -> 0 and TR -> inf give PD; TE -> inf or TR -> 0 give 0.
    """
    return density * torch.exp(-echo / t2) * (1 - torch.exp(-repetition / t1))


def inversion_spin_echo(
    t1: Tensor, t2: Tensor, density: Tensor, echo: float, inversion: float, repetition: float
) -> Tensor:
    """Return PD exp(-TE / T2) |1 - 2 exp(-TI / T1) + exp(-TR / T1)|, an inversion-recovery spin echo (FLAIR).

    All times in ms. Null where 2 exp(-TI / T1) = 1 + exp(-TR / T1): TI is chosen so for CSF. TI -> TR -> inf gives a
    spin echo without saturation.
    """
    recovered = (1 - 2 * torch.exp(-inversion / t1) + torch.exp(-repetition / t1)).abs()
    return density * torch.exp(-echo / t2) * recovered


def with_gadolinium(t1: Tensor, uptake: Tensor) -> Tensor:
    """Return T1 in ms where a contrast agent adds ``uptake`` (1/s) to the relaxation rate: 1/T1' = 1/T1 + r1 C."""
    return t1 / (1 + t1 * uptake / 1000)


@dataclass(frozen=True)
class Sequence:
    """One contrast and its settings: echo, inversion and repetition time in ms, and the depth of the inversion."""

    contrast: str
    echo: float = 0.0
    inversion: float = 0.0
    repetition: float = 0.0
    depth: float = 2.0

    def signal(self, maps: Maps) -> Tensor:
        """Return the noise-free signal (X, Y, Z), 1 for water at full relaxation."""
        if self.contrast in ("t1", "t1ce"):
            t1 = with_gadolinium(maps.t1, maps.uptake) if self.contrast == "t1ce" else maps.t1
            return inversion_gradient_echo(t1, maps.density, self.inversion, self.depth)
        if self.contrast == "flair":
            return inversion_spin_echo(maps.t1, maps.t2, maps.density, self.echo, self.inversion, self.repetition)
        return spin_echo(maps.t1, maps.t2, maps.density, self.echo, self.repetition)


def draw_sequence(contrast: str, generator: torch.Generator) -> Sequence:
    """Return ``contrast`` with random settings typical of 3 T; ``ValueError`` for another name.

    With the tissues of ``core.synth.labelmaps``: grey matter over white matter about 0.63 in T1w, 1.6 in T2w, 1.35 in
    FLAIR; CSF over white matter about 0.3, 3.6 and 0.1.
    """
    if contrast in ("t1", "t1ce"):
        inversion, depth = uniform(1050, 1150, generator), uniform(1.42, 1.52, generator)
        return Sequence(contrast, inversion=inversion, depth=depth)
    if contrast == "t2":
        return Sequence(contrast, echo=uniform(80, 105, generator), repetition=uniform(4000, 6000, generator))
    if contrast == "flair":
        echo, inversion = uniform(105, 140, generator), uniform(2300, 2500, generator)
        return Sequence(contrast, echo, inversion, repetition=9000.0)
    if contrast == "pd":
        return Sequence(contrast, echo=uniform(10, 20, generator), repetition=uniform(2500, 4000, generator))
    raise ValueError(f"contrast must be one of {', '.join(CONTRASTS)}, not {contrast!r}")
