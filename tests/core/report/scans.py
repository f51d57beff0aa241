"""A job whose files are a phantom and what a method might have made of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.declaration import Task, Value
from core.events import Finished
from core.files.nifti import Stored, write_stored
from core.imaging.inpaint.task import TASK
from tests.phantom import make_phantom

AFFINE = np.array([[-1.5, 0, 0, 60], [0, 0, 1.5, -70], [0, 1.5, 0, -50], [0, 0, 0, 1]])


@dataclass(frozen=True)
class Job:
    """Everything that a report is written from."""

    out: Path
    task: Task
    inputs: dict[str, Path]
    params: dict[str, Value]
    finished: Finished
    record: dict[str, Any]


def inpaint_job(folder: Path, **changes: Any) -> Job:
    """Return a finished inpainting job in ``folder`` whose files are written; ``changes`` go into its summary."""
    phantom = make_phantom(AFFINE, (72, 70, 80), skull=False)
    t1, mask = phantom.write(folder)
    t1 = t1.rename(folder / "Jane Doe 1961.nii.gz")
    rng = np.random.default_rng(0)
    filled = np.where(phantom.mask, 600 + rng.normal(0, 20, phantom.mask.shape), phantom.scan)
    maps = {
        "result": filled.astype(np.int16),
        "uncertainty": np.where(phantom.mask, 30, 0).astype(np.float32),
        "difference": np.where(phantom.mask, filled - phantom.scan, 0).astype(np.float32),
        "baseline-shell": np.where(phantom.mask, 500, phantom.scan).astype(np.int16),
    }
    files = {}
    for name, values in maps.items():
        files[name] = str(folder / f"{name}.nii.gz")
        write_stored(Path(files[name]), Stored(np.asfortranarray(values), AFFINE))
    table = [
        {"method": "volume", "title": "Counterscan network", "seconds": 71.25, "calls": 4, "seam": 1.021, "mean": None,
         "consistency": [0.9, None, 1.1]},
        {"method": "shell", "title": "Shell mean", "seconds": 0.5, "calls": 0, "seam": 3.4},
    ]  # fmt: skip
    facts = {
        "head": "Taken as skull-stripped.",
        "mask_ml": 27.9,
        "sources": ["t1", "t2"],
        "notices": ["The mask touches the border."],
    }
    summary = {"facts": facts, "table": table, "weights": ["inpaint-volume"], "seconds": 71.75, **changes}
    identity = {"sha256": "ab" * 32, "bytes": 12345}
    record = {
        "device": "cpu",
        "threads": 2,
        "seed": 7,
        "versions": {"counterscan": "0.1.0", "python": "3.11.7"},
        "weights": {"inpaint-volume": "cd" * 32},
        "inputs": {"t1": identity, "mask": identity},
        "outputs": {name: identity for name in files},
    }
    params = TASK.parse({"seed": 7, "samples": 8})
    return Job(folder, TASK, {"t1": t1, "mask": mask}, params, Finished(files, summary), record)
