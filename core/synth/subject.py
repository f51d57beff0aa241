"""A synthetic subject: several contrasts of one head, healthy or with a lesion and the same head without it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.synth.detail import draw_detail
from core.synth.disease import Disease, draw_disease
from core.synth.fields import Shape, random_warp, sample, smooth_noise, stream
from core.synth.labelmaps import WHITE
from core.synth.maps import Maps, draw_maps
from core.synth.scanner import BLUNTEST, Scanner, draw_scanner
from core.synth.signals import Sequence, draw_sequence
from core.volume import Box, bounding_box

Image = NDArray[np.float32]
# reach of the point spread in voxels
CARRY = int(3 * BLUNTEST + 0.5) + 1


@dataclass(frozen=True, eq=False)
class Subject:
    """images: contrast -> (X, Y, Z) float32, healthy white matter about 1; 0 outside a stripped brain.

    tissues: (X, Y, Z) uint8 index into ``TISSUES``, the deformed map of the healthy anatomy. lesion: (X, Y, Z) bool or
    None. healthy: the same scans without the lesion (same anatomy, noise and bias, voxel for voxel the same beyond the
    reach of the lesion); empty without a lesion.
    """

    images: dict[str, Image]
    tissues: NDArray[np.uint8]
    lesion: NDArray[np.bool_] | None
    healthy: dict[str, Image]


def subject(
    tissues: NDArray[np.uint8],
    seed: int,
    contrasts: tuple[str, ...] = ("t1", "t2", "flair"),
    whole_head: bool = False,
    lesion: str | None = None,
) -> Subject:
    """Return a subject made from a tissue map; ``ValueError`` for an unknown contrast or lesion.

    tissues: (X, Y, Z) uint8 index into ``TISSUES``, 1 mm, RAS+, with margin for a deformation of some voxels. ``seed``
    (0 or more) fixes everything; a contrast is the same for any others beside it, and its healthy version for any
    lesion. contrasts: t1, t1ce (after gadolinium), t2, flair, pd. lesion: tumour, plaques, cavity or None.

    T1, T2 and density per tissue with texture -> closed-form signals -> one diffeomorphic deformation of the signals,
    which gives partial volume -> point spread, bias, Rician noise (Billot et al. 2023, SynthSeg, with physics in place
    of random intensities).
    """
    sequences = [draw_sequence(contrast, stream(seed, contrast)) for contrast in contrasts]
    detail = draw_detail(tissues, whole_head, stream(seed, "detail"))
    maps = draw_maps(detail, stream(seed, "maps"))
    shape: Shape = (tissues.shape[0], tissues.shape[1], tissues.shape[2])
    positions = random_warp(shape, stream(seed, "warp"))
    moved = sample(torch.from_numpy(detail.tissues), positions, mode="nearest").to(torch.uint8)
    signals = torch.stack([sequence.signal(maps) for sequence in sequences])
    warped = sample(signals, positions)
    kept = torch.ones(shape, dtype=torch.bool) if whole_head else moved > 0
    changed = None
    if lesion is not None:
        disease = draw_disease(lesion, detail, maps, stream(seed, lesion))
        changed = _changed(disease, maps, sequences, signals, positions, warped)
    shared = 0.04 * smooth_noise(shape, 60.0, stream(seed, "coil"))
    images: dict[str, Image] = {}
    healthy: dict[str, Image] = {}
    for number, contrast in enumerate(contrasts):
        scanner = draw_scanner(shape, contrast, shared, stream(seed, f"{contrast} scanner"))
        white = _median(warped[number], moved == WHITE)
        plain = scanner.scan(warped[number], white) * kept
        level = _median(plain, moved == WHITE)
        images[contrast] = (plain / level).numpy()
        if changed is not None:
            healthy[contrast] = images[contrast]
            sick = _rescan(plain, warped[number], changed, number, scanner, white) * kept
            images[contrast] = (sick / level).numpy()
    mask = None if changed is None else (changed.mask & kept).numpy()
    return Subject(images, moved.numpy(), mask, healthy)


@dataclass(frozen=True, eq=False)
class _Changed:
    """The deformed signals (C, x, y, z) of a diseased subject in ``box``; ``mask`` (X, Y, Z) bool is the lesion."""

    box: Box
    signals: Tensor
    mask: Tensor


def _changed(
    disease: Disease, maps: Maps, sequences: list[Sequence], signals: Tensor, positions: Tensor, warped: Tensor
) -> _Changed:
    """Return the signals with ``disease``, deformed at once by its displacement and by the subject's own shape."""
    reached = _inside(positions, disease.reached)
    box = bounding_box(reached.numpy())
    window = _wider(disease.reached, 2, reached.shape)
    here = positions[box]
    there = here if disease.push is None else disease.push.source(here)
    local = there - torch.tensor([float(part.start) for part in window])
    source = signals[(slice(None), *window)].clone()
    mask, painted = torch.zeros(source.shape[1:]), torch.zeros(source.shape[1:])
    x, y, z = (
        slice(part.start - outer.start, part.stop - outer.start)
        for part, outer in zip(disease.box, window, strict=True)
    )
    source[:, x, y, z] = torch.stack([sequence.signal(disease.maps) for sequence in sequences])
    mask[x, y, z] = disease.mask.float()
    painted[x, y, z] = disease.maps.differ(maps.crop(disease.box)).float()
    touched = (sample(painted, local) > 1e-4) | (there != here).any(dim=-1)
    changed = torch.where(touched, sample(source, local), warped[(slice(None), *box)])
    whole = torch.zeros_like(reached)
    whole[box] = (sample(mask, local) > 0.5) & touched
    return _Changed(box, changed, whole)


def _rescan(
    plain: Tensor, healthy: Tensor, changed: _Changed, number: int, scanner: Scanner, reference: float
) -> Tensor:
    """Return ``plain`` scanned anew where signal ``number`` changed, with the same bias and noise."""
    wide = _wider(changed.box, 2 * CARRY, plain.shape)
    signal = healthy.clone()
    signal[changed.box] = changed.signals[number]
    again = scanner.scan(signal[wide], reference, wide)
    touched = _wider(changed.box, CARRY, plain.shape)
    inner = tuple(slice(t.start - w.start, t.stop - w.start) for t, w in zip(touched, wide, strict=True))
    out = plain.clone()
    out[touched] = again[inner]
    return out


def _inside(positions: Tensor, box: Box) -> Tensor:
    low = torch.tensor([float(part.start) for part in box])
    high = torch.tensor([float(part.stop - 1) for part in box])
    return ((positions >= low) & (positions <= high)).all(dim=-1)


def _wider(box: Box, margin: int, shape: torch.Size) -> Box:
    x, y, z = (
        slice(max(0, part.start - margin), min(side, part.stop + margin)) for part, side in zip(box, shape, strict=True)
    )
    return x, y, z


def _median(image: Tensor, where: Tensor) -> float:
    """Return the median of ``image`` where it is white matter, 1 where there is none."""
    return max(float(image[where].median()), 1e-6) if bool(where.any()) else 1.0
