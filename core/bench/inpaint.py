"""Inpainting on scans whose truth is known: holes in healthy tissue of held-out subjects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.anatomy.head import find_head
from core.bench.case import Label, within
from core.bench.figures import Scene
from core.bench.regions import MARGIN_MM, hole
from core.bench.subjects import healthy
from core.imaging.problem import Estimate, Problem
from core.measure import quality
from core.train.heldout import HEALTHY

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

SIZES_ML = (12.0, 45.0)
MARGINS_MM = (MARGIN_MM, 0.0)
CSF, GREY, WHITE = 1, 2, 3


@dataclass(frozen=True, eq=False)
class HoleCase:
    """One masked region in one subject. truth: (X, Y, Z) float32, RAS+; tissues: (X, Y, Z), 0 none, 1 CSF, 2 grey,
    3 white; where: the part of the mask whose truth is known to be healthy."""

    label: Label
    truth: Float
    tissues: Float
    where: Bool
    problem: Problem

    @property
    def region(self) -> Bool:
        """What is made."""
        return self.problem.mask

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Size of a voxel, mm."""
        return self.problem.spacing

    def assess(self, estimate: Estimate) -> tuple[dict[str, float], Float]:
        """Return the measures of a fill, and the scan with the fill in it."""
        result = np.where(self.problem.mask, estimate.values, self.truth).astype(np.float32)
        return {**self.scores(result), "within": within(estimate, self.truth, self.where)}, result

    def scores(self, result: Float) -> dict[str, float]:
        """Return every measure of a result (X, Y, Z) that holds the known voxels."""
        problem, truth, where = self.problem, self.truth, self.where
        official = quality.challenge(result, truth, problem.image, where)
        x, y, z = quality.slice_consistency(result, truth, where)
        return {
            "psnr": official.psnr,
            "psnr_01": official.psnr_01,
            "ssim": official.ssim,
            "mae": official.mae,
            "grey_dice": grey_dice(result, self.tissues, truth, where),
            "x": x,
            "y": y,
            "z": z,
            "texture": quality.texture_ratio(result, truth, where),
            "seam": quality.seam(result, where, problem.head),
        }

    def scene(self) -> Scene:
        """Return the surroundings of the hole, whole and voided."""
        problem = self.problem
        voxels = np.argwhere(self.where)
        x, y, z = (int(value) for value in voxels[np.argmin(((voxels - voxels.mean(axis=0)) ** 2).sum(axis=1))])
        white = float(np.percentile(problem.image[problem.head & ~problem.mask], 99.5)) or 1.0
        images = {"truth": self.truth, "voided": problem.image}
        return Scene(images, (x, y, z), problem.spacing, white, 100.0, problem.mask)


def cases(
    data: Path,
    subjects: Sequence[str] = HEALTHY,
    sizes: Sequence[float] = SIZES_ML,
    margins: Sequence[float] = MARGINS_MM,
    per_subject: int = 1,
) -> Iterator[HoleCase]:
    """Yield the holes of every subject, the same ones each time.

    data: the folder that holds train; sizes: ml; margins: how far holes keep from the brain's surface, mm;
    per_subject: holes of each size and margin in each subject. Raises UserError where a subject is missing.
    """
    for subject in healthy(data, subjects):
        volume, tissues = subject.read()
        head = find_head(volume).mask
        places = {"cortex": tissues == GREY, "white matter": tissues == WHITE}
        for margin in margins:
            for index, size in enumerate(size for _ in range(per_subject) for size in sizes):
                made = hole(head, places, volume.spacing, size, subject.name, index, margin)
                label = Label(
                    "inpaint",
                    subject.block(f"Holes of {size:g} ml, {whereabouts(margin)}"),
                    subject.name,
                    index,
                    note=made.place,
                )
                problem = Problem(np.where(made.mask, np.float32(0), volume.data), made.mask, head, volume.spacing)
                yield HoleCase(label, volume.data, tissues, made.mask, problem)


def grey_dice(result: Float, tissues: Float, truth: Float, mask: Bool) -> float:
    """Return the Dice overlap inside ``mask`` of the grey matter of ``tissues`` with that seen in ``result``.

    A voxel is seen as grey when its intensity is nearest to that of grey matter: the class medians of ``truth`` outside
    the mask. nan when there is no grey matter to find.
    """
    medians = {label: float(np.median(truth[(tissues == label) & ~mask])) for label in (CSF, GREY, WHITE)}
    borders = sorted((first + second) / 2 for first, second in pairwise(medians[label] for label in (CSF, GREY, WHITE)))
    seen = (result[mask] > borders[0]) & (result[mask] <= borders[1])
    real = tissues[mask] == GREY
    total = int(seen.sum()) + int(real.sum())
    return 2 * float((seen & real).sum()) / total if total else float("nan")


def whereabouts(margin_mm: float) -> str:
    """Return how far from the brain's surface holes keep, in words."""
    return f"{margin_mm:g} mm and more below the surface" if margin_mm > 0 else "anywhere in the brain"
