"""What a translation will cost, from counted work and the measured speed of the device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core import device as devices
from core.contrasts import CONTRASTS
from core.declaration import Estimate
from core.errors import UserError
from core.files.voxel_stream import MAX_BYTES, open_source
from core.imaging.cost import network_cost
from core.imaging.drive import compared
from core.imaging.translate.task import TASK
from core.volume import spacing

# two scans of 1 mm, when there are no files to look at
TYPICAL = (182 * 218 * 182, 182 * 218 * 182)
# the network works on the box around the brain
LARGEST_BRAIN_ML = 160 * 192 * 160 / 1000

TREES = "translate-trees"
START_SECONDS = 1.0
# seconds on one core of a 2.5 GHz server processor, measured with the job
SECONDS_PER_SCAN_VOXEL = 6e-7
SECONDS_PER_PAIR = 4.0
SECONDS_PER_WORK_VOXEL = 2.5e-6
SECONDS_PER_TREES_VOXEL = 0.5e-6
SECONDS_PER_FILTERED_VOXEL = 0.8e-6
# peak bytes, measured with the job: of the network while the scans are held, or of reading and writing large scans
PROGRAM_BYTES = 600 << 20
BYTES_HELD_PER_SCAN_VOXEL = 30
BYTES_PER_WORK_VOXEL = 450
BYTES_PER_SCAN_VOXEL = 80


@dataclass(frozen=True)
class Size:
    """Voxels of each source, and of the box the methods work on."""

    scans: tuple[int, ...]
    work: int


def estimate(inputs: Mapping[str, Path], params: Mapping[str, Any], device: str) -> Estimate:
    """Return seconds, peak bytes and network calls of a job; for a typical one without readable inputs."""
    try:
        size = _measure([inputs[name] for name in CONTRASTS if name in inputs])
    except UserError:
        # the run itself refuses a file that cannot be read
        size = _measure([])
    method = TASK.method(params["method"])
    made = (method, *compared(TASK, method, params))
    seconds = START_SECONDS + sum(size.scans) * SECONDS_PER_SCAN_VOXEL + (len(size.scans) - 1) * SECONDS_PER_PAIR
    seconds += len(made) * size.work * SECONDS_PER_WORK_VOXEL
    with_trees = sum(TREES in each.networks(params["volume"]) for each in made)
    seconds += with_trees * size.work * (SECONDS_PER_TREES_VOXEL + len(size.scans) * SECONDS_PER_FILTERED_VOXEL)
    scans = sum(size.scans)
    memory = PROGRAM_BYTES + max(
        scans * BYTES_HELD_PER_SCAN_VOXEL + size.work * BYTES_PER_WORK_VOXEL, scans * BYTES_PER_SCAN_VOXEL
    )
    costs = [network_cost(one, params, round(size.work ** (1 / 3)), len(size.scans)) for one in made if not one.cheap]
    seconds += size.work * sum(one.work for one in costs) / devices.speed(device)
    return Estimate(round(seconds, 1), memory, 0 if method.cheap else costs[0].calls)


def _measure(paths: list[Path]) -> Size:
    """Read the headers of the sources."""
    scans, boxes = [], []
    for path in paths:
        header = open_source(path, max_bytes=MAX_BYTES, free_bytes=MAX_BYTES).header
        scans.append(int(np.prod(header.shape)))
        boxes.append(scans[-1] * float(np.prod(spacing(header.affine))))
    if not scans:
        return Size(TYPICAL, int(LARGEST_BRAIN_ML * 1000))
    return Size(tuple(scans), int(min([*boxes, LARGEST_BRAIN_ML * 1000])))
