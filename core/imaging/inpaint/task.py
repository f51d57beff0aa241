"""Pseudo-healthy inpainting: a scan and a lesion mask in, the scan without the lesion out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.declaration import Context, Estimate, Input, Measure, Output, Param, Preset, Task
from core.events import Event
from core.imaging import parameters as common


def run(context: Context, inputs: Mapping[str, Path], params: Mapping[str, Any]) -> Iterator[Event]:
    """Fill the mask; see ``core.imaging.inpaint.run.run``."""
    from core.imaging.inpaint.run import run

    return run(context, inputs, params)


def estimate(inputs: Mapping[str, Path], params: Mapping[str, Any], device: str) -> Estimate:
    """Return what a run will cost. Missing inputs stand for a 40 mm lesion."""
    from core.imaging.inpaint.estimate import estimate

    return estimate(inputs, params, device)


TASK = Task(
    name="inpaint",
    title="Pseudo-healthy inpainting",
    summary="Replaces what a mask marks with the healthy tissue that could have been there.",
    inputs=(
        Input("t1", "volume", "T1 scan", "A T1-weighted brain scan, skull-stripped or whole-head, .nii or .nii.gz."),
        Input("mask", "mask", "Lesion mask", "What is to be replaced: 1 inside, 0 outside, on the scan's grid."),
        common.REFERENCE,
    ),
    outputs=(
        Output("result", "volume", "Result"),
        Output("uncertainty", "volume", "Uncertainty"),
        Output("difference", "volume", "Difference"),
        Output("error", "volume", "Error against the reference", always=False),
        common.REPORT,
        common.RUN_RECORD,
    ),
    params=(
        common.methods("inpaint", "How the hole is filled."),
        common.mode("tissue", 8, ", from the other hemisphere where that shows it"),
        common.STEPS,
        Param("samples", "int", 4, "Samples", "Fills drawn; their spread is the uncertainty.", low=1, high=16),
        common.SEED,
        Param(
            "opposite",
            "bool",
            True,
            "Other hemisphere",
            "Realistic: folds come from the mirrored other side, where it is not masked. Off if that side is ill too.",
            advanced=True,
        ),
        Param(
            "grow",
            "float",
            0.0,
            "Grow mask",
            "Widens the mask by a ball, within the head.",
            low=0,
            high=10,
            unit="mm",
            advanced=True,
        ),
        common.COMPARE,
        common.beside("inpaint"),
        *common.papers("inpaint"),
    ),
    # on the validation T1s one step, four samples: 16.3 dB at 45 ml and 16.8 at 12; two steps: 0.0 to 0.03 less
    presets=(
        Preset("fast", "Fast", {"method": "volume", "mode": "faithful", "steps": 1, "samples": 1}),
        Preset("balanced", "Balanced", {"method": "volume", "mode": "faithful", "steps": 0, "samples": 4}),
        Preset("best", "Best", {"method": "volume", "mode": "faithful", "steps": 2, "samples": 8}),
        Preset("realistic", "Realistic", {"method": "volume", "mode": "realistic", "steps": 8, "samples": 1}),
    ),
    methods=common.names("inpaint"),
    weights=common.weights("inpaint"),
    measures=(
        *common.AGAINST_REFERENCE,
        Measure("texture", "Texture", "Fine detail beside real tissue around the mask. 1 is alike, 0 flat or blurred."),
        Measure("seam", "Border", "The jump across the mask's edge beside those just outside it. 1 is invisible."),
        Measure(
            "consistency",
            "Slices X · Y · Z",
            "Steps between neighbouring slices beside real tissue. 1 is natural, less is blur, more is tearing.",
        ),
        Measure("mean", "Mean", "Mean intensity inside the mask, in the scan's own units.", 0),
        Measure("sd", "SD", "Spread of intensities inside the mask, in the scan's own units.", 0),
        *common.COST,
    ),
    run=run,
    estimate=estimate,
)
