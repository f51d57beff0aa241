"""A label map becomes a T1-weighted head: tissue parameters, closed-form signals, deformation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from core.synth.fields import blur, random_warp, sample, smooth_noise


@dataclass(frozen=True)
class Tissue:
    """T1 and T2 in ms at 3 T, proton density relative to water, and the spread of its texture."""

    name: str
    t1: float
    t2: float
    density: float
    texture: float = 0.02


TISSUES: tuple[Tissue, ...] = (
    Tissue("background", 1000, 100, 0.0, 0.0),
    Tissue("CSF", 4000, 1600, 1.0, 0.01),
    Tissue("white matter", 850, 70, 0.70),
    Tissue("cortex", 1400, 95, 0.82, 0.03),
    Tissue("cerebellar white matter", 870, 72, 0.70, 0.03),
    Tissue("cerebellar cortex", 1380, 90, 0.82, 0.05),
    Tissue("thalamus", 1130, 78, 0.77),
    Tissue("caudate", 1320, 82, 0.80),
    Tissue("putamen", 1230, 76, 0.79),
    Tissue("pallidum", 1010, 58, 0.75),
    Tissue("brainstem", 980, 78, 0.72),
    Tissue("hippocampus and amygdala", 1430, 100, 0.83, 0.03),
    Tissue("ventral diencephalon", 1040, 70, 0.74),
    Tissue("choroid plexus and vessels", 1800, 180, 0.85, 0.05),
    Tissue("muscle and fat", 1050, 45, 0.72, 0.25),
    Tissue("skin", 700, 50, 0.75, 0.15),
    Tissue("skull", 1200, 20, 0.12, 0.2),
    Tissue("bone marrow", 550, 60, 0.60, 0.2),
    Tissue("dura", 1500, 50, 0.45, 0.1),
    Tissue("air", 1000, 100, 0.01, 0.0),
    Tissue("mucosa", 1600, 80, 0.70, 0.15),
)
CSF, WHITE, CORTEX = 1, 2, 3
SHORTEST_T1 = 250.0
LAST_BRAIN = 13

# FreeSurfer label (left and right), and the extra-cerebral labels 502-530 of the SynthSeg maps
FREESURFER: dict[int, int] = {
    **dict.fromkeys((4, 5, 14, 15, 24, 43, 44, 72), 1),
    **dict.fromkeys((2, 41, 25, 57, 77, 85), 2),
    **dict.fromkeys((3, 42), 3),
    **dict.fromkeys((7, 46), 4),
    **dict.fromkeys((8, 47), 5),
    **dict.fromkeys((10, 49), 6),
    **dict.fromkeys((11, 50, 26, 58), 7),
    **dict.fromkeys((12, 51), 8),
    **dict.fromkeys((13, 52), 9),
    **dict.fromkeys((16,), 10),
    **dict.fromkeys((17, 18, 53, 54), 11),
    **dict.fromkeys((28, 60), 12),
    **dict.fromkeys((30, 62, 31, 63, 136, 137, 163, 164), 13),
    **dict.fromkeys((507, 512), 14),
    **dict.fromkeys((511,), 15),
    **dict.fromkeys((515,), 16),
    **dict.fromkeys((516,), 17),
    **dict.fromkeys((514, 530), 18),
    **dict.fromkeys((506,), 19),
    **dict.fromkeys((502, 508, 509), 20),
}


def tissues_of(labels: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Return the index into ``TISSUES`` of each FreeSurfer label (X, Y, Z); unknown labels become background."""
    table = np.zeros(max(int(labels.max()), max(FREESURFER)) + 1, np.uint8)
    for label, tissue in FREESURFER.items():
        table[label] = tissue
    return np.asarray(table[labels])


def brain_of(tissues: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return the brain (X, Y, Z) bool of a tissue map as a skull-stripping tool would give it: parenchyma and
    ventricles closed by 6 voxels, without the wide CSF space under the skull."""
    parenchyma = (tissues >= WHITE) & (tissues <= LAST_BRAIN)
    padded = np.pad(parenchyma, 8)
    closed = ndimage.binary_closing(padded, iterations=6) | ndimage.binary_dilation(padded)
    filled = ndimage.binary_fill_holes(closed)
    smooth = ndimage.gaussian_filter(np.asarray(filled, np.float32), 1.0) > 0.5
    return np.asarray(smooth[8:-8, 8:-8, 8:-8])


def t1_weighted(
    tissues: NDArray[np.uint8], seed: int, whole_head: bool = False
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return a T1-weighted scan (white matter about 1, 0 outside the head) and its deformed tissue map.

    tissues: (X, Y, Z) uint8 index into ``TISSUES``, 1 mm. ``seed`` fixes anatomy, contrast and noise.
    Signal: PD |1 - k exp(-TI / T1)| of an inversion-recovery gradient echo.
    """
    generator = torch.Generator().manual_seed(seed)
    brain = brain_of(tissues)
    inside = np.where(brain & (tissues == 0), CSF, tissues)
    kept = inside if whole_head else np.where(brain & (inside <= LAST_BRAIN), inside, 0)
    t1, density = _tissue_maps(torch.from_numpy(kept.astype(np.int64)), generator)
    signal = _inversion_recovery(t1, density, generator)
    positions = random_warp((kept.shape[0], kept.shape[1], kept.shape[2]), generator)
    warped = sample(signal, positions)
    moved = sample(torch.from_numpy(kept.astype(np.float32)), positions, mode="nearest")
    scan = acquire(warped, generator)
    if not whole_head:
        scan = scan * (moved > 0)
    white = scan[moved == WHITE]
    level = float(white.median()) if white.numel() else 1.0
    return (scan / level).numpy().astype(np.float32), moved.numpy().astype(np.uint8)


def acquire(signal: Tensor, generator: torch.Generator) -> Tensor:
    """Return ``signal`` (X, Y, Z) as a scanner gives it: point spread, coil bias, Rician noise."""
    spread = 0.45 + 0.3 * _uniform(generator)
    bias = torch.exp(0.06 * smooth_noise((signal.shape[0], signal.shape[1], signal.shape[2]), 60.0, generator))
    level = 0.008 + 0.02 * _uniform(generator)
    clean = blur(signal, spread) * bias
    scale = float(clean.max())
    real = clean + level * scale * torch.randn(clean.shape, generator=generator)
    imaginary = level * scale * torch.randn(clean.shape, generator=generator)
    return torch.sqrt(real**2 + imaginary**2)


def _tissue_maps(tissues: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return T1 (ms) and proton density (X, Y, Z) with subject variation and texture."""
    shape = (tissues.shape[0], tissues.shape[1], tissues.shape[2])
    jitter = 1 + 0.03 * torch.randn(len(TISSUES), 2, generator=generator)
    t1 = (torch.tensor([tissue.t1 for tissue in TISSUES]) * jitter[:, 0])[tissues]
    density = (torch.tensor([tissue.density for tissue in TISSUES]) * jitter[:, 1])[tissues]
    spread = torch.tensor([tissue.texture for tissue in TISSUES])[tissues]
    texture = sum(
        weight * smooth_noise(shape, scale, generator) for scale, weight in ((16.0, 0.5), (5.0, 0.7), (1.5, 0.5))
    )
    # white matter near the cortex is less myelinated: its T1 rises towards the grey matter
    white = (tissues == WHITE).float()
    shallow = white * (1 - blur(white, 3.0))
    t1 = t1 * (1 + spread * torch.as_tensor(texture)) * (1 + 0.10 * shallow)
    folia = (tissues == 5).float() * torch.sin(2.2 * smooth_noise(shape, 5.0, generator) * torch.pi)
    return (t1 * (1 - 0.18 * folia)).clamp_min(SHORTEST_T1), density


def _inversion_recovery(t1: Tensor, density: Tensor, generator: torch.Generator) -> Tensor:
    k = 1.42 + 0.18 * _uniform(generator)
    inversion = 1000 + 150 * _uniform(generator)
    return density * (1 - k * torch.exp(-inversion / t1)).abs()


def _uniform(generator: torch.Generator) -> float:
    return float(torch.rand(1, generator=generator))
