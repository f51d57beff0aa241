"""Super-resolution on scans whose truth is known: sharp T1s of held-out subjects, measured in thick slices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.acquisition import Acquisition, thick, whole
from core.bench.case import Entrant, Label, entrant, unpublished, whole_scores, within
from core.bench.figures import Scene
from core.bench.subjects import healthy, in_units
from core.files.nifti import read_volume
from core.imaging.options import Options
from core.imaging.problem import Estimate, ThickScan
from core.imaging.superres.task import OURS, TASK
from core.train.heldout import HEALTHY
from core.volume import bounding_box

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]
Shape = tuple[int, int, int]

SIDE = 4
BLOCKS = {
    "4 mm slices, box": "z4",
    "4 mm slices, Gaussian": "z4-gaussian",
    "4 mm in all axes, box": "p4",
    "2.5 mm slices with a gap of 20 %, box": "z2.5-gap",
}
"""Heading -> kind of acquisition, as ``acquisition`` takes it."""


@dataclass(frozen=True, eq=False)
class ThickCase:
    """One subject in thick slices. truth: (X, Y, Z) float32, RAS+, 1 the 99.5th percentile in ``brain``."""

    label: Label
    truth: Float
    brain: Bool
    spacing: tuple[float, float, float]
    problem: ThickScan

    @property
    def where(self) -> Bool:
        """Where the truth is asked for."""
        return self.brain

    @property
    def region(self) -> None:
        """All of the image is made."""
        return None

    def assess(self, estimate: Estimate) -> tuple[dict[str, float], Float]:
        """Return the measures inside the brain, and residual: the largest difference between what the result would
        measure and what was measured."""
        scan, result = self.problem, estimate.values
        residual = float(np.abs(scan.acquisition.measure(result) - scan.image).max())
        covered = within(estimate, self.truth, self.brain)
        return {**whole_scores(result, self.truth, self.brain), "residual": residual, "within": covered}, result

    def scene(self) -> Scene:
        """Return the truth and the slices as they were measured."""
        scan = self.problem
        images = {"truth": self.truth, "measured": scan.acquisition.enlarge(scan.image, 0)}
        return Scene(images, off_centre(self.brain), self.spacing, 1.0, 110.0)


def cases(data: Path, subjects: Sequence[str] = HEALTHY) -> Iterator[ThickCase]:
    """Yield every subject in every acquisition; UserError where one is missing below ``data``."""
    for subject in healthy(data, subjects):
        volume = read_volume(subject.t1)
        truth, brain = sharp(volume.data)
        for block, kind in BLOCKS.items():
            sampled = acquisition(kind, truth.shape)
            scan = ThickScan(sampled.measure(truth), sampled)
            yield ThickCase(Label("superres", subject.block(block), subject.name), truth, brain, volume.spacing, scan)


def sharp(image: Float) -> tuple[Float, Bool]:
    """Return a skull-stripped image (X, Y, Z) cropped to sides of a multiple of ``SIDE`` and divided by the 99.5th
    percentile of the brain, and the brain."""
    x, y, z = (n - n % SIDE for n in image.shape)
    cropped = image[:x, :y, :z]
    brain = cropped > 0
    return in_units(cropped, brain), brain


def acquisition(kind: str, shape: tuple[int, ...]) -> Acquisition:
    """Return the acquisition ``kind`` of ``BLOCKS`` of a fine grid of ``shape``; the z slices run along S."""
    x, y, z = shape
    if kind == "p4":
        return Acquisition((thick(x, 4), thick(y, 4), thick(z, 4)))
    along = {"z4": thick(z, 4), "z4-gaussian": thick(z, 4, profile="gaussian"), "z2.5-gap": thick(z, 2.5, 2.0)}
    return Acquisition((whole(x), whole(y), along[kind]))


def adapted(faithful: Options) -> list[Entrant]:
    """Return the network as it is after the learning of the preset for that."""
    steps = {preset.name: preset.params for preset in TASK.presets}["adapted"]["adapt"]
    return [entrant(OURS, replace(faithful, adapt=int(str(steps))), "/adapted", " (adapted)")]


def entrants(faithful: Options, realistic: Options | None) -> list[Entrant]:
    """Return every method with and without its consistency step; the network also in its realistic mode, if given."""
    made = []
    for method in unpublished("superres"):
        if method.weights:
            made += [
                entrant(method, faithful),
                entrant(method, _free(faithful), "/free", " without projection", shown=False),
            ]
            if realistic is not None:
                made.append(entrant(method, realistic, "/realistic", " (realistic)"))
        else:
            shown = method.name == "cubic"
            made += [
                entrant(method, _free(faithful), shown=shown),
                entrant(method, faithful, "/ibp10", " + 10 back-projections", shown=shown),
            ]
    return made


def off_centre(brain: Bool) -> Shape:
    """Return a voxel in one hemisphere at mid-height: planes through it show cortex, white matter and ventricles."""
    box = bounding_box(brain)
    x, y, z = (
        box[axis].start + int(share * (box[axis].stop - box[axis].start)) for axis, share in enumerate((0.4, 0.45, 0.5))
    )
    return x, y, z


def _free(options: Options) -> Options:
    return Options(options.mode, options.steps, options.samples, options.seed, options.device, consistent=False)
