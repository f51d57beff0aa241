"""Translation: the contrasts at hand in, the one that is missing out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.declaration import Context, Estimate, Input, Measure, Output, Param, Preset, Task
from core.events import Event
from core.imaging import parameters as common

SLOTS = ("t1", "t1ce", "t2", "flair")
TITLES = {"t1": "T1", "t1ce": "T1ce", "t2": "T2", "flair": "FLAIR"}
# what the page and the report say above every result
CANNOT_KNOW = {
    "t1": "A translated T1 is a guess from the other contrasts: what shows on a T1 alone, such as fat, old blood or "
    "myelin loss that the sources do not show, cannot be in it.",
    "t1ce": "Nobody can know from other contrasts where a contrast agent would enhance: a bright rim in this image is "
    "a guess, and a dark place is no proof that nothing enhances.",
    "t2": "A translated T2 is a guess from the other contrasts: fluid, swelling or lesions that the sources do not "
    "show cannot be in it.",
    "flair": "A translated FLAIR is a guess from the other contrasts: lesions of the white matter that the sources do "
    "not show cannot be in it, and what is bright here may not be a lesion.",
}


def run(context: Context, inputs: Mapping[str, Path], params: Mapping[str, Any]) -> Iterator[Event]:
    """Make the missing contrast; see ``core.imaging.translate.run.run``."""
    from core.imaging.translate.run import run

    return run(context, inputs, params)


def estimate(inputs: Mapping[str, Path], params: Mapping[str, Any], device: str) -> Estimate:
    """Return what a run will cost. No inputs stand for two of 1 mm."""
    from core.imaging.translate.estimate import estimate

    return estimate(inputs, params, device)


def _source(name: str, words: str) -> Input:
    return Input(name, "volume", TITLES[name], f"{words}, where you have it. At least one source is needed.", False)


TASK = Task(
    name="translate",
    title="Translate",
    summary="Makes the contrast that is missing (T1, T1ce, T2 or FLAIR) from those at hand.",
    inputs=(
        _source("t1", "A T1-weighted scan"),
        _source("t1ce", "A T1-weighted scan after contrast agent"),
        _source("t2", "A T2-weighted scan"),
        _source("flair", "A FLAIR scan"),
        common.REFERENCE,
    ),
    outputs=(
        Output("result", "volume", "Result"),
        Output("uncertainty", "volume", "Uncertainty"),
        Output("error", "volume", "Error against the reference", always=False),
        common.REPORT,
        common.RUN_RECORD,
    ),
    params=(
        Param("target", "choice", "flair", "Make", "The contrast that is missing.", choices=SLOTS),
        common.methods("translate", "How the contrast is made."),
        Param(
            "register",
            "bool",
            True,
            "Align sources",
            "Moves the sources onto the sharpest of them where they do not lie on it; without it they are refused.",
        ),
        common.mode("image", 4, advanced=True),
        common.STEPS,
        Param("samples", "int", 2, "Samples", "Images drawn; their spread adds to the uncertainty.", low=1, high=16),
        common.SEED,
        common.COMPARE,
        common.beside("translate"),
        *common.papers("translate"),
    ),
    presets=(
        Preset("fast", "Fast", {"method": "volume", "mode": "faithful", "steps": 1, "samples": 1}),
        Preset("balanced", "Balanced", {"method": "volume", "mode": "faithful", "steps": 0, "samples": 2}),
        Preset("best", "Best", {"method": "volume", "mode": "faithful", "steps": 2, "samples": 4}),
    ),
    methods=common.names("translate"),
    weights=common.weights("translate"),
    measures=(
        *common.AGAINST_REFERENCE,
        common.SLICES,
        Measure("doubt", "Mean doubt", "The uncertainty map's mean in the brain, in the result's units.", 0),
        *common.COST,
    ),
    run=run,
    estimate=estimate,
)
