"""What an inpainting job will cost, from counted work and the measured speed of the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core import device as devices
from core.declaration import Estimate, Method
from core.errors import UserError
from core.files.nifti import read_stored
from core.files.voxel_stream import MAX_BYTES, open_source
from core.imaging.cost import network_cost
from core.imaging.drive import compared
from core.imaging.inpaint.task import TASK
from core.imaging.options import MEAN_CALLS
from core.volume import bounding_box, spacing

# one scan of 1 mm with a ball of 40 mm, when there are no files to look at
TYPICAL_SCAN = 256 * 256 * 180
TYPICAL_BALL_MM = 40.0
# the crop of core.imaging.volume_sampler, which works at 1 mm
MARGIN_MM = 16.0
MULTIPLE = 8

START_SECONDS = 0.5
# seconds on one core of a 2.5 GHz server processor, measured with the job on 1 mm scans
SECONDS_PER_SCAN_VOXEL = 3e-7
SECONDS_PER_METHOD = {"mirror": 2.0}
SECONDS_PER_FILLED_VOXEL = {"shell": 3e-6, "harmonic": 8e-6, "biharmonic": 4e-5, "mirror": 1e-5}
# the smooth fill that networks start from
NETWORK_SECONDS = 4e-5
# peak bytes, measured with the job
PROGRAM_BYTES = 250 << 20
TORCH_BYTES = 350 << 20
BYTES_PER_SCAN_VOXEL = 40
BYTES_PER_FILLED_VOXEL = 2000
BYTES_PER_CROP_VOXEL = 400


@dataclass(frozen=True)
class Size:
    """Voxels of the scan, of the mask, and of the crop a network works on."""

    scan: int
    filled: int
    crop: int


def estimate(inputs: Mapping[str, Path], params: Mapping[str, Any], device: str) -> Estimate:
    """Return seconds, peak bytes and network calls of a job; for a typical one without readable inputs."""
    try:
        size = _measure(inputs["t1"], inputs["mask"], params)
    except (KeyError, UserError):
        # the run itself refuses a file that cannot be read
        size = _typical()
    method = TASK.method(params["method"])
    made = (method, *compared(TASK, method, params))
    seconds = START_SECONDS + size.scan * SECONDS_PER_SCAN_VOXEL
    seconds += sum(SECONDS_PER_METHOD.get(one.name, 0.0) for one in made)
    seconds += size.filled * sum(SECONDS_PER_FILLED_VOXEL.get(one.name, NETWORK_SECONDS) for one in made)
    memory = PROGRAM_BYTES + size.scan * BYTES_PER_SCAN_VOXEL + size.filled * BYTES_PER_FILLED_VOXEL
    costs = [
        network_cost(one, params, round(size.crop ** (1 / 3)), draws=_draws(one, params))
        for one in made
        if not one.cheap
    ]
    if costs:
        seconds += size.crop * sum(one.work for one in costs) / devices.speed(device)
        memory += TORCH_BYTES + size.crop * BYTES_PER_CROP_VOXEL
    return Estimate(round(seconds, 1), memory, costs[0].calls if method.weights else 0)


def _draws(method: Method, params: Mapping[str, Any]) -> int | None:
    """Return the calls of a Realistic fill by our network: of one sample and its mean, fewer where the other hemisphere
    shows all of it; None for other methods."""
    if not method.ours or params["mode"] != "realistic":
        return None
    return MEAN_CALLS + int(params["steps"] or method.steps)


def _typical() -> Size:
    return Size(TYPICAL_SCAN, int(TYPICAL_BALL_MM**3 * np.pi / 6), _crop((TYPICAL_BALL_MM,) * 3))


def _measure(t1: Path, mask: Path, params: Mapping[str, Any]) -> Size:
    """Read the scan's header and the mask."""
    scan = open_source(t1, max_bytes=MAX_BYTES, free_bytes=MAX_BYTES).header
    voxel_mm = float(np.prod(spacing(scan.affine))) ** (1 / 3)
    marked = read_stored(mask)
    inside = marked.values != 0
    voxels = float(np.prod(scan.shape))
    sizes = zip(bounding_box(inside), spacing(marked.affine), strict=True)
    extent_mm = [(part.stop - part.start) * size for part, size in sizes]
    grown_mm = [side + 2 * float(params["grow"]) for side in extent_mm]
    filled_mm = float(inside.sum() * np.prod(spacing(marked.affine)) * np.prod(grown_mm) / np.prod(extent_mm))
    return Size(int(voxels), int(min(voxels, filled_mm / voxel_mm**3)) + 1, _crop(grown_mm))


def _crop(extent_mm: Sequence[float]) -> int:
    """Return the voxels of the box that holds ``extent_mm`` and the margin, each side a multiple of ``MULTIPLE``."""
    return int(np.prod([np.ceil((side + 2 * MARGIN_MM) / MULTIPLE) * MULTIPLE for side in extent_mm]))
