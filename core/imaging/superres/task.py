"""Super-resolution: a scan with thick slices or coarse voxels in, the same head on a finer grid out."""

from __future__ import annotations

from core.declaration import (
    REPORT,
    RUN_RECORD,
    SEED,
    Input,
    Measure,
    Method,
    Output,
    Param,
    Preset,
    Reference,
    Task,
)
from core.imaging import parameters as common
from core.imaging import publications
from core.presentation import Page, Step, Welcome

OURS = Method(
    "volume",
    "Counterscan network",
    "core.imaging.superres.network:volume",
    "x0-prediction in few variance-preserving steps in the null space of the measurement, residual to the consistent "
    "cubic spline (ours)",
    "steps x samples network calls on the volume",
    cheap=False,
    weights="superres-volume",
)
PUBLISHED = ("scorefusion", "average", "tpdm", "slicewise", "posterior")
METHODS = (
    OURS,
    *publications.methods("superres", PUBLISHED, expert=OURS.networks()),
    Method(
        "cubic",
        "Cubic spline",
        "core.imaging.superres.splines:cubic",
        "Cubic splines between slices; consistent: ten back-projections (Irani and Peleg 1991)",
        "no network; seconds",
        cheap=True,
    ),
    Method(
        "spline5",
        "Spline of order 5",
        "core.imaging.superres.splines:spline5",
        "Splines of order 5 between slices; consistent: ten back-projections",
        "no network; seconds",
        cheap=True,
    ),
    Method(
        "linear",
        "Linear",
        "core.imaging.superres.splines:linear",
        "Linear interpolation between slices; consistent: ten back-projections",
        "no network; seconds",
        cheap=True,
    ),
    Method(
        "nearest",
        "Nearest slice",
        "core.imaging.superres.splines:nearest",
        "The nearest slice repeated; consistent: ten back-projections",
        "no network; instant",
        cheap=True,
    ),
)

TASK = Task(
    name="superres",
    title="Super-resolution",
    summary="Makes thick slices or coarse voxels fine, in agreement with what was measured.",
    inputs=(
        Input(
            "image",
            "volume",
            "Scan",
            "A brain scan with thick slices or coarse voxels, any contrast.",
            label="Scan, any contrast",
        ),
        Input(
            "guide",
            "volume",
            "Guide",
            "Another contrast of the same head with finer voxels, in the same space.",
            required=False,
            label="Guide, in the same space",
            folded="A sharper contrast of the same head, as a guide",
            own_units=True,
        ),
        common.REFERENCE,
    ),
    outputs=(
        Output("result", "volume", "Result"),
        Output("uncertainty", "volume", "Uncertainty"),
        Output("difference", "volume", "Result minus linear interpolation"),
        Output("error", "volume", "Error against the reference", always=False),
        Output("gain", "volume", "Gain of the slices", always=False),
        REPORT,
        RUN_RECORD,
    ),
    params=(
        common.method(METHODS, "How the voxels between the measured ones are made."),
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
            "How thick each slice of the thickest axis was measured. 0: as the scan's header states (DICOM), or else "
            "as estimated from the scan where that is certain; where it is not, slices touch: no gap, no overlap.",
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
            titles={"gaussian": "Bell"},
        ),
        common.mode("scan", "a sample, best with 8 steps"),
        common.STEPS,
        Param(
            "samples",
            "int",
            2,
            "Samples",
            "Scans drawn; their spread is the uncertainty.",
            low=1,
            high=16,
            advanced=True,
        ),
        Param(
            "relax",
            "float",
            0.0,
            "Relax",
            "For noisy scans: how far the result may leave what was measured, towards slices without their noise. "
            "0: agrees exactly, or as relax if noisy chooses; 1: the noise counts as not measured.",
            low=0,
            high=1,
            advanced=True,
        ),
        Param(
            "denoise",
            "bool",
            True,
            "Relax if noisy",
            "Where relax is 0 and the noise of the slices is above 3% of bright tissue, relax is chosen from it.",
            advanced=True,
        ),
        Param(
            "even",
            "bool",
            True,
            "Even out slices",
            "Where the brightness of the slices alternates, as in interleaved scans, it is evened out first: it would "
            "become stripes. The result then agrees with the slices as evened out.",
            advanced=True,
        ),
        Param(
            "adapt",
            "int",
            0,
            "Adapt",
            "Steps by which our network first learns from this scan's own slices, measured along an axis in their "
            "plane as they were across it. It stays as shipped where that does not help. 0: none.",
            low=0,
            high=2000,
            advanced=True,
        ),
        SEED,
        common.COMPARE,
        common.beside(METHODS),
        *publications.settings(METHODS),
    ),
    presets=(
        Preset("fast", "Fast", {"method": "volume", "mode": "faithful", "steps": 1, "samples": 1, "adapt": 0}),
        Preset("balanced", "Balanced", {"method": "volume", "mode": "faithful", "steps": 0, "samples": 2, "adapt": 0}),
        Preset("best", "Best", {"method": "volume", "mode": "faithful", "steps": 1, "samples": 4, "adapt": 0}),
        Preset(
            "adapted",
            "Adapted to this scan",
            {"method": "volume", "mode": "faithful", "steps": 1, "samples": 2, "adapt": 300},
        ),
    ),
    methods=METHODS,
    measures=(
        *common.AGAINST_REFERENCE,
        Measure(
            "residual",
            "Disagreement",
            "RMS difference between the slices, as corrected, and what the result would measure, in parts of bright "
            "tissue. 0 agrees exactly.",
            4,
        ),
        Measure(
            "residual_max",
            "Largest",
            "The largest such difference of any voxel, in parts of bright tissue.",
            4,
        ),
        Measure(
            "departure",
            "Departure",
            "RMS difference between the slices as measured, before they were evened out or relaxed, and what the "
            "result would measure, in parts of bright tissue.",
            4,
        ),
        Measure(
            "sharpness",
            "Sharpness",
            "Detail along the super-resolved axes beside detail along the others. 1 is natural, less is blur.",
        ),
        common.SLICES,
        *common.COST,
    ),
    page=Page(
        tab="Super-resolve",
        load=Step("Load", "thick slices or coarse voxels"),
        settings=Step("Settings", "how it was measured, what it is to become"),
        invitation="Drop a scan with thick slices or coarse voxels here or in step 1.",
        preset="balanced",
        explain=Reference("core.imaging.superres.geometry:explain"),
        welcome=Welcome(
            "Thick slices become thin ones",
            "A scan of thick slices is made fine along every axis. Averaged over the slices that were measured, the "
            "result gives your scan again: what was measured is not changed.",
            "superres.webp",
            "Sagittal view of a synthetic head in slices of 4 mm, and the same in slices of 1 mm",
            "A synthetic T2 in slices of 4 mm; the same head after super-resolution; the truth.",
        ),
    ),
    run=Reference("core.imaging.superres.run:run"),
    estimate=Reference("core.imaging.superres.run:estimate"),
)
