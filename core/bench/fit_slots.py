"""Fit and measure what tells contrasts apart by their intensities: the numbers in ``core.imaging.contrast_look``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.bench.subjects import training_folders
from core.contrasts import CONTRASTS
from core.files.nifti import read_volume
from core.imaging.contrast_look import chances, look
from core.train.heldout import HEALTHY

Real = NDArray[np.float64]

# share of the common covariance that is taken from its diagonal alone: few scans, 14 numbers each
SHRINK = 0.05


@dataclass(frozen=True, eq=False)
class Example:
    """What a scan of ``subject`` with ``contrast`` looks like, numbers (14,)."""

    subject: str
    contrast: str
    numbers: Real


def examples(data: Path) -> Iterator[Example]:
    """Yield the skull-stripped training scans below ``data``: tumours in four contrasts, healthy T1s."""
    files = [(folder.name, name, folder / f"{name}.nii.gz") for folder in training_folders(data) for name in CONTRASTS]
    healthy = sorted((data / "train" / "malf_nc").glob("*_t1.nii.gz"))
    files += [(path.name[:4], "t1", path) for path in healthy if path.name[:4] not in HEALTHY]
    for subject, contrast, path in files:
        numbers = look(read_volume(path))
        if numbers is not None:
            yield Example(subject, contrast, numbers)


def fit(known: Sequence[Example]) -> tuple[Real, Real]:
    """Return weights (4, 14) and offsets (4,) of linear discriminants with a common covariance, equal odds."""
    groups = [np.stack([each.numbers for each in known if each.contrast == name]) for name in CONTRASTS]
    means = np.stack([group.mean(axis=0) for group in groups])
    inner = np.concatenate([group - group.mean(axis=0) for group in groups])
    common = inner.T @ inner / len(inner)
    common = (1 - SHRINK) * common + SHRINK * np.diag(np.diag(common))
    weights = np.linalg.solve(common, means.T).T
    offsets = -0.5 * (weights * means).sum(axis=1)
    # what is common to all changes no probability
    return weights - weights.mean(axis=0), offsets - offsets.mean()


def left_out(known: Sequence[Example], sure: float) -> Mapping[str, int]:
    """Return how many scans are answered rightly, wrongly and not at all, each by a fit without its subject."""
    counts = {"right": 0, "wrong": 0, "unsure": 0}
    for subject in sorted({each.subject for each in known}):
        weights, offsets = fit([each for each in known if each.subject != subject])
        for each in known:
            if each.subject == subject:
                chance = chances(each.numbers, weights, offsets)
                right = CONTRASTS[int(chance.argmax())] == each.contrast
                counts["unsure" if chance.max() < sure else "right" if right else "wrong"] += 1
    return counts
