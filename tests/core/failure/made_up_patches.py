"""Small made-up patches for tests: classes that differ in level, in form, or in nothing."""

from __future__ import annotations

import numpy as np

from core.spectra.patches import PatchSet

BANDS = np.linspace(950, 1800, 14)


def patches(
    count: int = 60, seed: int = 0, size: int = 6, level: float = 0.0, form: float = 0.0, classes: int = 3
) -> PatchSet:
    """level: how far apart the classes lie in mean absorbance; form: in the size of a bright square."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    spectrum = 0.4 + 0.2 * np.sin(np.arange(14))
    density = np.exp(level * (labels - 1) + 0.05 * rng.standard_normal(count))
    ir = spectrum[None, :, None, None] * np.ones((count, 14, size, size))
    if form:
        for patch, label in enumerate(labels):
            place = rng.integers(0, max(1, size - int(label) - 1), 2)
            ir[patch, :, place[0] : place[0] + 1 + label, place[1] : place[1] + 1 + label] *= (
                1 + form / (1 + label) ** 2
            )
    ir = ir * density[:, None, None, None] + 0.01 * rng.standard_normal(ir.shape)
    rgb = np.clip(np.exp(-ir[:, :3]), 0, 1).astype(np.float32)
    return PatchSet(
        ir.astype(np.float32),
        BANDS.copy(),
        labels.astype(np.int64),
        tuple("abcdef"[:classes]),
        groups=(np.arange(count) // 5).astype(np.int64),
        rgb=rgb,
    )
