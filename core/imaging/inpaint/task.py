"""Pseudo-healthy inpainting: a scan and a lesion mask in, the scan without the lesion out."""

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
    "core.imaging.inpaint.network:volume",
    "x0-prediction in few variance-preserving steps, residual to the 3D biharmonic fill (ours)",
    "steps x samples network calls on the crop around the mask",
    cheap=False,
    weights="inpaint-volume",
)
PUBLISHED = ("hierarchical", "scorefusion", "average", "tpdm", "slicewise", "repaint", "posterior")
METHODS = (
    OURS,
    *publications.methods("inpaint", PUBLISHED, expert=OURS.networks()),
    Method(
        "biharmonic",
        "3D biharmonic",
        "core.imaging.inpaint.classical:biharmonic",
        "Smoothest surface through the known voxels: the squared Laplacian is 0 inside the mask",
        "no network; about a second",
        cheap=True,
    ),
    Method(
        "harmonic",
        "3D harmonic",
        "core.imaging.inpaint.classical:harmonic",
        "Laplace's equation inside the mask with the known voxels as boundary",
        "no network; under a second",
        cheap=True,
    ),
    Method(
        "shell",
        "Shell mean",
        "core.imaging.inpaint.classical:shell_mean",
        "Mean of the tissue within 8 mm around the mask",
        "no network; instant",
        cheap=True,
    ),
    Method(
        "mirror",
        "Mirrored hemisphere",
        "core.imaging.inpaint.mirror:mirror",
        "The other hemisphere across the registered midline, harmonic where that is masked too",
        "no network; a few seconds",
        cheap=True,
    ),
)

TASK = Task(
    name="inpaint",
    title="Pseudo-healthy inpainting",
    summary="Replaces what a mask marks with the healthy tissue that could have been there.",
    inputs=(
        Input("t1", "volume", "T1 scan", "A T1-weighted brain scan, skull-stripped or whole-head, .nii or .nii.gz."),
        Input(
            "mask",
            "mask",
            "Lesion mask",
            "What is to be replaced: 1 inside, 0 outside, on the scan's grid.",
            label="Mask, 1 inside, on the scan's grid",
        ),
        common.REFERENCE,
    ),
    outputs=(
        Output("result", "volume", "Result"),
        Output("uncertainty", "volume", "Uncertainty"),
        Output("difference", "volume", "Difference"),
        Output("error", "volume", "Error against the reference", always=False),
        REPORT,
        RUN_RECORD,
    ),
    params=(
        common.method(METHODS, "How the masked region is filled."),
        common.mode("tissue", "from elsewhere in the same head (our network, which takes no steps for it)"),
        common.STEPS,
        Param(
            "samples",
            "int",
            4,
            "Samples",
            "Fills drawn; their spread is the uncertainty.",
            low=1,
            high=16,
            advanced=True,
        ),
        SEED,
        Param(
            "opposite",
            "bool",
            True,
            "Other hemisphere",
            "Realistic: folds may come from the other side, where that fits best. Off if that side is ill too.",
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
        common.beside(METHODS),
        *publications.settings(METHODS),
    ),
    # on the validation T1s one step, four samples: 16.3 dB at 45 ml and 16.8 at 12; two steps: 0.0 to 0.03 less
    presets=(
        Preset("realistic", "Realistic", {"method": "volume", "mode": "realistic", "steps": 0, "samples": 1}),
        Preset("balanced", "Faithful", {"method": "volume", "mode": "faithful", "steps": 0, "samples": 4}),
        Preset("fast", "Faithful, fast", {"method": "volume", "mode": "faithful", "steps": 1, "samples": 1}),
        Preset("best", "Faithful, best", {"method": "volume", "mode": "faithful", "steps": 2, "samples": 8}),
    ),
    methods=METHODS,
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
    page=Page(
        tab="Inpaint",
        load=Step("Load", "T1-weighted; NIfTI, DICOM, MGZ, NRRD, MHA"),
        settings=Step(
            "Mask and settings",
            "what is to be replaced",
        ),
        invitation="Drop a T1 scan here or in step 1. It appears here, ready for drawing a mask.",
        preset="realistic",
        twins=("realistic", "balanced"),
        in_place=True,
        welcome=Welcome(
            "The same head, as if the lesion had never been there",
            "Mark what is ill. The network fills the mask with healthy tissue that could have been there; every voxel "
            "outside of the mask stays as it is in your scan, bit for bit.",
            "inpaint.webp",
            "Axial slice of a synthetic head with a cavity, with its mask, and with the cavity filled",
            "A synthetic head with a cavity of 28 ml; the mask; a realistic fill.",
        ),
    ),
    run=Reference("core.imaging.inpaint.run:run"),
    estimate=Reference("core.imaging.inpaint.run:estimate"),
)
