"""Tissues with their T1, T2 and density, and label maps as maps of tissues."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.volume import bounding_box, largest_part, without_holes


@dataclass(frozen=True)
class Tissue:
    """T1 and T2 in ms at 3 T, proton density relative to water, the spread of its texture as a share, and the
    relaxation rate in 1/s that a dose of gadolinium adds."""

    name: str
    t1: float
    t2: float
    density: float
    texture: float = 0.02
    uptake: float = 0.0


TISSUES: tuple[Tissue, ...] = (
    Tissue("background", 1000, 100, 0.0, 0.0),
    Tissue("CSF", 4000, 1600, 1.0, 0.01),
    Tissue("white matter", 850, 70, 0.70, 0.02, 0.02),
    Tissue("cortex", 1400, 95, 0.82, 0.03, 0.05),
    Tissue("cerebellar white matter", 870, 72, 0.70, 0.03, 0.02),
    Tissue("cerebellar cortex", 1380, 90, 0.82, 0.05, 0.05),
    Tissue("thalamus", 1130, 78, 0.77, 0.02, 0.03),
    Tissue("caudate", 1320, 82, 0.80, 0.02, 0.04),
    Tissue("putamen", 1230, 76, 0.79, 0.02, 0.04),
    Tissue("pallidum", 1010, 58, 0.75, 0.02, 0.03),
    Tissue("brainstem", 980, 74, 0.72, 0.02, 0.02),
    Tissue("hippocampus and amygdala", 1430, 97, 0.83, 0.03, 0.05),
    Tissue("ventral diencephalon", 1040, 70, 0.74, 0.02, 0.03),
    Tissue("choroid plexus and vessels", 1800, 130, 0.85, 0.05, 1.8),
    Tissue("muscle and fat", 1050, 45, 0.72, 0.25, 0.3),
    Tissue("skin", 700, 80, 0.75, 0.15, 0.2),
    Tissue("skull", 1200, 20, 0.12, 0.2),
    Tissue("bone marrow", 550, 60, 0.60, 0.2, 0.2),
    Tissue("dura", 1500, 50, 0.60, 0.1, 2.5),
    Tissue("air", 1000, 100, 0.01, 0.0),
    Tissue("mucosa", 1600, 80, 0.70, 0.15, 1.5),
)
CSF, WHITE, CORTEX, CEREBELLAR_WHITE, CEREBELLAR_CORTEX, DURA = 1, 2, 3, 4, 5, 18
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


def brain_of(tissues: NDArray[np.uint8], rim: NDArray[np.float32] | float = 0.0) -> NDArray[np.bool_]:
    """Return the brain mask (X, Y, Z) bool of a tissue map as of a skull-stripping tool: parenchyma and
    ventricles closed by 6 voxels, without the wide CSF space under the skull.

    rim: (X, Y, Z), shift of the surface; about 0.35 is 1 voxel inwards.
    """
    parenchyma = (tissues >= WHITE) & (tissues <= LAST_BRAIN)
    if not parenchyma.any():
        return parenchyma
    # nothing farther from it becomes brain
    box = bounding_box(parenchyma, 8)
    padded = np.pad(parenchyma[box], 8)
    closed = ndimage.binary_closing(padded, iterations=6) | ndimage.binary_dilation(padded)
    smooth = ndimage.gaussian_filter(without_holes(closed).astype(np.float32), 1.0)[8:-8, 8:-8, 8:-8]
    inside = np.zeros(tissues.shape, bool)
    inside[box] = smooth > 0.5 + (rim[box] if isinstance(rim, np.ndarray) else rim)
    return largest_part(inside)
