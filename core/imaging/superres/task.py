"""Super-resolution: a scan with thick slices or coarse voxels in, the same head on a finer grid out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.declaration import Context, Estimate, Input, Measure, Output, Param, Preset, Task
from core.events import Event
from core.imaging import parameters as common


def run(context: Context, inputs: Mapping[str, Path], params: Mapping[str, Any]) -> Iterator[Event]:
    """Sharpen the scan; see ``core.imaging.superres.run.run``."""
    from core.imaging.superres.run import run

    return run(context, inputs, params)


def estimate(inputs: Mapping[str, Path], params: Mapping[str, Any], device: str) -> Estimate:
    """Return what a run will cost; see ``core.imaging.superres.estimate``. Without a file: a brain of 4 mm slices."""
    from core.imaging.superres.estimate import estimate

    return estimate(inputs, params, device)


TASK = Task(
    name="superres",
    title="Super-resolution",
    summary="Makes thick slices or coarse voxels fine, in agreement with what was measured.",
    inputs=(
        Input("image", "volume", "Scan", "A brain scan with thick slices or coarse voxels, any contrast."),
        Input(
            "guide",
            "volume",
            "Guide",
            "Another contrast of the same head with finer voxels, in the same space.",
            required=False,
        ),
        common.REFERENCE,
    ),
    outputs=(
        Output("result", "volume", "Result"),
        Output("uncertainty", "volume", "Uncertainty"),
        Output("difference", "volume", "Result minus linear interpolation"),
        Output("error", "volume", "Error against the reference", always=False),
        common.REPORT,
        common.RUN_RECORD,
    ),
    params=(
        common.methods("superres", "How the voxels between the measured ones are made."),
        Param(
            "spacing",
            "axes",
            (),
            "Target voxel",
            "Voxel size of the result along X (right), Y (front), Z (up). "
            "Left out: axes up to 1.2 mm stay, thicker ones become 1 mm.",
            low=0.2,
            high=10,
            unit="mm",
        ),
        Param(
            "thickness",
            "float",
            0.0,
            "Slice thickness",
            "How thick each slice of the thickest axis was measured. 0: slices touch, no gap and no overlap.",
            low=0,
            high=20,
            unit="mm",
        ),
        Param(
            "profile",
            "choice",
            "box",
            "Slice profile",
            "Box: each slice is the mean over its thickness; gaussian: a bell of that width at half height.",
            choices=("box", "gaussian"),
        ),
        common.mode("scan", 8),
        common.STEPS,
        Param("samples", "int", 2, "Samples", "Scans drawn; their spread is the uncertainty.", low=1, high=16),
        Param(
            "relax",
            "float",
            0.0,
            "Relax",
            "For noisy scans: how far the result may leave what was measured, towards slices without their noise. "
            "0: agrees exactly, 1: the noise counts as not measured.",
            low=0,
            high=1,
            advanced=True,
        ),
        common.SEED,
        common.COMPARE,
        common.beside("superres"),
        *common.papers("superres"),
    ),
    presets=(
        Preset("fast", "Fast", {"method": "volume", "mode": "faithful", "steps": 1, "samples": 1}),
        Preset("balanced", "Balanced", {"method": "volume", "mode": "faithful", "steps": 0, "samples": 2}),
        Preset("best", "Best", {"method": "volume", "mode": "faithful", "steps": 1, "samples": 4}),
    ),
    methods=common.names("superres"),
    weights=common.weights("superres"),
    measures=(
        *common.AGAINST_REFERENCE,
        Measure(
            "residual",
            "Disagreement",
            "RMS difference between the measured scan and what the result would measure, in parts of bright tissue. "
            "0 agrees exactly.",
            4,
        ),
        Measure(
            "residual_max",
            "Largest",
            "The largest such difference of any voxel, in parts of bright tissue.",
            4,
        ),
        Measure(
            "sharpness",
            "Sharpness",
            "Detail along the sharpened axes beside detail along the others. 1 is natural, less is blur.",
        ),
        common.SLICES,
        *common.COST,
    ),
    run=run,
    estimate=estimate,
)
