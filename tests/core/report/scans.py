"""A job whose files are a phantom and what a method might have made of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.declaration import Task, Value
from core.files.nifti import Stored, write_stored
from core.imaging.inpaint.task import TASK
from core.provenance import Identity, RunRecord
from core.result import (
    BASELINE,
    DIFFERENCE,
    RESULT,
    UNCERTAINTY,
    Finding,
    Measured,
    Note,
    Result,
    Row,
    artifact_in,
)
from tests.phantom import make_phantom

AFFINE = np.array([[-1.5, 0, 0, 60], [0, 0, 1.5, -70], [0, 1.5, 0, -50], [0, 0, 0, 1]])


@dataclass(frozen=True)
class Job:
    """Everything that a report is written from."""

    out: Path
    task: Task
    inputs: dict[str, Path]
    params: dict[str, Value]
    result: Result
    record: RunRecord


def inpaint_job(folder: Path, **changes: Any) -> Job:
    """Return a finished inpainting job in ``folder`` whose files are written; ``changes`` go into its result."""
    phantom = make_phantom(AFFINE, (72, 70, 80), skull=False)
    t1, mask = phantom.write(folder)
    t1 = t1.rename(folder / "Jane Doe 1961.nii.gz")
    rng = np.random.default_rng(0)
    filled = np.where(phantom.mask, 600 + rng.normal(0, 20, phantom.mask.shape), phantom.scan)
    maps = {
        (RESULT, ""): filled.astype(np.int16),
        (UNCERTAINTY, ""): np.where(phantom.mask, 30, 0).astype(np.float32),
        (DIFFERENCE, ""): np.where(phantom.mask, filled - phantom.scan, 0).astype(np.float32),
        (BASELINE, "shell"): np.where(phantom.mask, 500, phantom.scan).astype(np.int16),
    }
    artifacts = []
    for (kind, method), values in maps.items():
        artifacts.append(artifact_in(folder, kind, ".nii.gz", method))
        write_stored(Path(artifacts[-1].path), Stored(np.asfortranarray(values), AFFINE))
    measured: dict[str, Measured] = {
        "seconds": 71.25, "calls": 4, "seam": 1.021, "mean": None, "consistency": (0.9, None, 1.1)
    }  # fmt: skip
    result = Result(
        tuple(artifacts),
        (
            Row("volume", "Counterscan network", measured),
            Row("shell", "Shell mean", {"seconds": 0.5, "calls": 0, "seam": 3.4}),
        ),
        (Note("info", "Taken as skull-stripped"), Note("warning", "The mask touches the border.")),
        (Finding("mask_ml", "Mask", 27.9, "ml"), Finding("sources", "Sources", ("t1", "t2"))),
        weights=("inpaint-volume",),
        seconds=71.75,
    )
    params = TASK.parse({"seed": 7, "samples": 8})
    identity = Identity("ab" * 32, 12345)
    record = RunRecord(
        task="inpaint",
        params=params,
        inputs={"t1": identity, "mask": identity},
        outputs={artifact.name: identity for artifact in artifacts},
        weights={"inpaint-volume": "cd" * 32},
        device="cpu",
        threads=2,
        versions={"counterscan": "0.1.0", "python": "3.11.7"},
        result=result,
    )
    return Job(folder, TASK, {"t1": t1, "mask": mask}, params, replace(result, **changes), record)
