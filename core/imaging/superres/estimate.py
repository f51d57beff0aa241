"""What a super-resolution job will cost, from counted work and the measured speed of the device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core import device as devices
from core.declaration import Estimate
from core.errors import UserError
from core.files.voxel_stream import MAX_BYTES, open_source
from core.imaging.cost import network_cost
from core.imaging.superres.binning import TILING
from core.imaging.superres.geometry import geometry
from core.imaging.superres.run import shown_beside
from core.imaging.superres.task import TASK
from core.volume import orientation_of, ras_affine

# a brain in 4 mm slices, when there is no file to look at
TYPICAL = 160 * 192 * 160
# the network in bfloat16, where the processor has it, against the speed of core.device, which is that of float32
HALF_GAIN = 2.0

START_SECONDS = 0.5
# seconds on one core of a 2.5 GHz server processor, measured with the job
SECONDS_PER_VOXEL = {"job": 3e-7, "nearest": 2e-7, "linear": 2e-7, "cubic": 2e-7, "spline5": 2e-7}
NETWORK_SECONDS = 4e-7
# the guide is registered to see whether it fits
GUIDE_SECONDS, GUIDE_SECONDS_PER_VOXEL = 8.0, 2e-7
# peak bytes, measured with the job
PROGRAM_BYTES = 250 << 20
TORCH_BYTES = 400 << 20
BYTES_PER_VOXEL = {"plain": 40, "volume": 60, "guide": 12}
BYTES_PER_TILE_VOXEL = {True: 300, False: 450}


@dataclass(frozen=True)
class Size:
    """Voxels of the scan and of the result."""

    measured: int
    made: int


def estimate(inputs: Mapping[str, Path], params: Mapping[str, Any], device: str) -> Estimate:
    """Return seconds, peak bytes and network calls of a job; for a typical one without readable inputs."""
    try:
        size = _measure(inputs["image"], params)
    except (KeyError, UserError):
        # the run itself refuses a file that cannot be read
        size = Size(TYPICAL // 4, TYPICAL)
    method = TASK.method(params["method"])
    made = (method, *shown_beside(method, params))
    plain = sum(SECONDS_PER_VOXEL.get(one.name, NETWORK_SECONDS) for one in made)
    seconds = START_SECONDS + size.made * (SECONDS_PER_VOXEL["job"] + plain)
    memory = PROGRAM_BYTES + size.made * BYTES_PER_VOXEL["plain"]
    costs = [network_cost(one, params, round(size.made ** (1 / 3))) for one in made if not one.cheap]
    if costs:
        memory += TORCH_BYTES
        guided = "guide" in inputs
        half = device == "cpu" and devices.fast_bfloat16()
        work = size.made * sum(one.work for one in costs)
        seconds += work / devices.speed(device) / (HALF_GAIN if half else 1.0)
        memory += size.made * (BYTES_PER_VOXEL["volume"] - BYTES_PER_VOXEL["plain"])
        memory += min(size.made, TILING.side**3) * BYTES_PER_TILE_VOXEL[half]
        if guided:
            seconds += GUIDE_SECONDS + size.made * GUIDE_SECONDS_PER_VOXEL
            memory += size.made * BYTES_PER_VOXEL["guide"]
    return Estimate(round(seconds, 1), int(memory), costs[0].calls if method.weights else 0)


def _measure(image: Path, params: Mapping[str, Any]) -> Size:
    """Read the scan's header."""
    header = open_source(image, max_bytes=MAX_BYTES, free_bytes=MAX_BYTES).header
    shape = [header.shape[axis] for axis in orientation_of(header.affine).axes]
    found = geometry(shape, ras_affine(header.affine, header.shape), params)
    return Size(int(np.prod(header.shape)), int(np.prod(found.shape)))
