"""What each shipped network reaches on synthetic subjects: figures that anybody can check without any scan."""

from __future__ import annotations

import numpy as np

from core.acquisition import Acquisition, thick, whole
from core.assets import ASSETS
from core.bench.case import Case, Label
from core.bench.inpaint import HoleCase
from core.bench.subjects import in_units
from core.bench.superres import ThickCase
from core.bench.translate import ContrastCase
from core.files.nifti import read_volume
from core.imaging.problem import Problem, Sources, ThickScan
from core.synth.lesion import lumpy_mask
from core.synth.phantom import phantom
from core.synth.subject import subject

EXAMPLE = ASSETS / "examples" / "cavity-brain" / "t1.nii.gz"
# a cube of the example in the hemisphere without its cavity
LOW, SIDE = (16, 60, 50), 64
MILLILITRES = 8.0
PHANTOM = (80, 96, 80)


def case(task: str) -> Case:
    """Return the synthetic case of ``task``: a hole in, or slices of, a shipped example; T1 to T2 of a phantom."""
    return {"inpaint": _hole, "superres": _thick, "translate": _contrast}[task]()


def _cube() -> tuple[np.ndarray[tuple[int, int, int], np.dtype[np.float32]], tuple[float, float, float]]:
    volume = read_volume(EXAMPLE)
    cube = volume.data[tuple(slice(low, low + SIDE) for low in LOW)]
    return np.ascontiguousarray(cube.reshape(SIDE, SIDE, SIDE), np.float32), volume.spacing


def _hole() -> Case:
    image, spacing = _cube()
    head = image > 0
    middle = SIDE // 2
    mask = lumpy_mask(image.shape, (middle, middle, middle), MILLILITRES, np.random.default_rng(0)) & head
    problem = Problem(np.where(mask, np.float32(0), image), mask, head, spacing)
    levels = np.quantile(image[head], (0.2, 0.6))
    tissues = np.where(head, 1 + np.digitize(image, levels), 0).astype(np.float32)
    return HoleCase(Label("inpaint", "synthetic", "cavity-brain"), image, tissues, mask, problem)


def _thick() -> Case:
    image, spacing = _cube()
    brain = image > 0
    truth = in_units(image, brain)
    acquisition = Acquisition((whole(SIDE), whole(SIDE), thick(SIDE, 4)))
    scan = ThickScan(acquisition.measure(truth), acquisition)
    return ThickCase(Label("superres", "synthetic", "cavity-brain"), truth, brain, spacing, scan)


def _contrast() -> Case:
    made = subject(phantom(0, PHANTOM), 0, ("t1", "t2"))
    brain = made.images["t1"] > 0
    label = Label("translate", "synthetic", "phantom")
    return ContrastCase(label, in_units(made.images["t2"], brain), Sources({"t1": made.images["t1"]}, brain, "t2"))
