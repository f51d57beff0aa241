"""Translation: the contrasts at hand in, the one that is missing out."""

from __future__ import annotations

from core.contrasts import CONTRASTS, TITLES
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
from core.presentation import Group, Page, Step, Welcome

# the input whose intensities the result gets
SCANNER = "scanner"


def _source(name: str, words: str) -> Input:
    return Input(
        name,
        "volume",
        TITLES[name],
        f"{words}, where you have it. At least one source is needed.",
        required=False,
        label=f"{TITLES[name]} scan",
    )


OURS = Method(
    "volume",
    "Counterscan network",
    "core.imaging.translate.network:volume",
    "x0-prediction in few variance-preserving steps from any of the four contrasts, residual to the regression, "
    "with the prediction of boosted trees as input (ours)",
    "steps x samples network calls on the brain",
    cheap=False,
    weights="translate-volume",
    also=("translate-regression", "translate-trees"),
)
PUBLISHED = ("scorefusion", "average", "tpdm", "slicewise")
METHODS = (
    OURS,
    *publications.methods("translate", PUBLISHED, expert=OURS.networks(), also=("translate-regression",)),
    Method(
        "regression",
        "Regression on voxels",
        "core.imaging.translate.regression:regression",
        "Piecewise-linear least squares on each voxel and its Gaussian surroundings in every source",
        "no network; seconds",
        cheap=True,
        weights="translate-regression",
    ),
    Method(
        "trees",
        "Boosted trees on patches",
        "core.imaging.translate.trees:trees",
        "Friedman 2001: 100 trees on each voxel, filters of its surroundings in every source, and its place",
        "no network; tens of seconds",
        cheap=True,
        weights="translate-trees",
    ),
)

TASK = Task(
    name="translate",
    title="Translate",
    summary="Makes the contrast that is missing (T1, T1ce, T2 or FLAIR) from those at hand.",
    inputs=(
        _source("t1", "A T1-weighted scan"),
        _source("t1ce", "A T1-weighted scan after contrast agent"),
        _source("t2", "A T2-weighted scan"),
        _source("flair", "A FLAIR scan"),
        Input(
            SCANNER,
            "volume",
            "Same scanner",
            "A scan of the contrast to make from the scanner that the others come from, of anybody: the result gets "
            "its intensities.",
            required=False,
            label="Any scan of the missing contrast from this scanner",
            folded="I have another head from this scanner",
            own_units=True,
            other_head=True,
        ),
        common.REFERENCE,
    ),
    outputs=(
        Output("result", "volume", "Result"),
        Output("uncertainty", "volume", "Uncertainty"),
        Output("error", "volume", "Error against the reference", always=False),
        REPORT,
        RUN_RECORD,
    ),
    params=(
        Param("target", "choice", "flair", "Make", "The contrast that is missing.", choices=CONTRASTS, titles=TITLES),
        common.method(METHODS, "How the contrast is made."),
        Param(
            "register",
            "bool",
            True,
            "Align sources",
            "Moves the sources onto the sharpest of them where they do not lie on it; without it they are refused.",
            advanced=True,
        ),
        common.mode("image", "a sample, best with 4 steps"),
        common.STEPS,
        Param(
            "samples",
            "int",
            2,
            "Samples",
            "Images drawn; their spread adds to the uncertainty.",
            low=1,
            high=16,
            advanced=True,
        ),
        SEED,
        common.COMPARE,
        common.beside(METHODS),
        *publications.settings(METHODS),
    ),
    presets=(
        Preset("fast", "Fast", {"method": "volume", "mode": "faithful", "steps": 1, "samples": 1}),
        Preset("balanced", "Balanced", {"method": "volume", "mode": "faithful", "steps": 0, "samples": 2}),
        Preset("best", "Best", {"method": "volume", "mode": "faithful", "steps": 2, "samples": 4}),
    ),
    methods=METHODS,
    measures=(
        *common.AGAINST_REFERENCE,
        common.SLICES,
        Measure(
            "uncertainty", "Mean uncertainty", "The uncertainty map's mean in the brain, in the result's units.", 0
        ),
        *common.COST,
    ),
    page=Page(
        tab="Translate",
        load=Step(
            "Load",
            "one contrast or more of one head",
            "Drop all contrasts here: each is recognised by its name or its intensities. "
            "Or give each its own place below.",
        ),
        settings=Step("Settings", "what is missing"),
        invitation="Drop the contrasts of one head here or in step 1: each is recognised by its name or its "
        "intensities.",
        preset="balanced",
        group=Group(
            CONTRASTS,
            "All contrasts at once",
            assign=Reference("core.imaging.translate.slots:assign"),
            recognise=Reference("core.imaging.translate.slots:recognise"),
            correction="This scan is",
        ),
        own_units=True,
        explain=Reference("core.imaging.translate.target_choice:explain"),
        offers={"target": Reference("core.imaging.translate.target_choice:missing")},
        welcome=Welcome(
            "The contrast that was not taken",
            "A missing contrast is made from those at hand, where they hold what it shows. What they do not hold, such "
            "as enhancement after contrast agent, no method can invent truthfully; the notes of a run name it.",
            "translate.webp",
            "Axial slices of a synthetic head: T1, T2, the FLAIR made from them, the true FLAIR",
            "T1 and T2 of a synthetic head; the FLAIR made from them; the true FLAIR.",
        ),
    ),
    run=Reference("core.imaging.translate.run:run"),
    estimate=Reference("core.imaging.translate.run:estimate"),
)
