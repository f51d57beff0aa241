"""Cost of a run of the failure lab, from counted epochs and measured seconds; importing it loads no torch."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.declaration import Estimate
from core.failure.task import Settings
from core.files.archive import open_zip

# one core of a 2.5 GHz server processor, 24 x 24 pixels: seconds of start and report, of one epoch for each patch, of a
# simulated patch, and of all diagnostics of the first seed and of a later one
START_SECONDS = 2.5
EPOCH_SECONDS = {"ir": 3.2e-4, "rgb": 2.4e-4}
SIMULATED_SECONDS = 7.5e-4
DIAGNOSTIC_SECONDS = {"quick": 4.5, "whole": 25.0}
LATER_DIAGNOSTIC_SECONDS = 4.0
TESTS = 1700
# cost of a recipe in epochs of plain training, all its networks together; SAM and diversity take two gradients a step
EPOCHS = {"thickness": 2.0, "thickness-equal": 2.0, "full": 2.0, "sam": 2.0, "jtt": 1.4, "orthogonal": 3.0}
EPOCHS |= {"diverse": 9.0, "irm": 1.3}
# the training of a network in that of the small CNN; diagnostics only evaluate it
NETWORK_EPOCHS, NETWORK_DIAGNOSTICS = {"resnet18": 28.0}, {"resnet18": 6.0}
# networks of the contamination sweep
SWEPT = 5
PROGRAM_BYTES = 900 << 20
# a model trained elsewhere, in a process of its own; its size decides, which is not known before it runs
JUDGING_SECONDS = {"quick": 60.0, "whole": 180.0}
MODEL_BYTES = 1 << 30
# a patch of 32 bands with its picture, raw and as it passes through a network
BYTES_PER_PATCH = 300_000
BYTES_PER_FILE_BYTE = 12
# what patches of a data set of images take at most (as core.failure.data.image_patches has it), and how often
MOST_PATCH_BYTES, COPIES = 768 << 20, 5


def estimate(inputs: Mapping[str, Path], params: Mapping[str, Any], device: str) -> Estimate:
    """Return seconds, peak bytes and the number of networks that are trained.

    inputs: "data" may be among them. params: of the task, parsed.
    """
    settings = Settings(**params)
    data = _data_bytes(inputs["data"]) if "data" in inputs else 0
    if "model" in inputs:
        return Estimate(JUDGING_SECONDS[settings.depth], int(2 * PROGRAM_BYTES + MODEL_BYTES + data), 0)
    networks, seconds = 0.0, START_SECONDS
    diagnostics = DIAGNOSTIC_SECONDS[settings.depth] + (settings.seeds - 1) * LATER_DIAGNOSTIC_SECONDS
    for modality in settings.modalities:
        recipes = [name for name in settings.remedies if name != "erm"]
        if modality == "rgb" and not settings.control and len(settings.modalities) > 1:
            recipes = ["matched"] if settings.matched else []
        epochs = sum(NETWORK_EPOCHS.get(name, 1.0) for name in settings.networks)
        epochs += sum(EPOCHS.get(name, 1.0) for name in recipes)
        count = len(settings.networks) + len(recipes)
        probed = len(recipes) + sum(NETWORK_DIAGNOSTICS.get(name, 1.0) for name in settings.networks)
        seconds += settings.seeds * epochs * settings.epochs * settings.patches * EPOCH_SECONDS[modality]
        seconds += probed * diagnostics
        networks += count
    if settings.sweep and "ir" in settings.modalities:
        seconds += SWEPT * settings.epochs * settings.patches * EPOCH_SECONDS["ir"]
    patches = settings.patches + TESTS
    seconds += settings.seeds * patches * SIMULATED_SECONDS
    memory = PROGRAM_BYTES + settings.seeds * patches * BYTES_PER_PATCH + data
    return Estimate(round(seconds, 1), int(memory), int(networks) * settings.seeds)


def _data_bytes(path: Path) -> int:
    """Return the memory that the data at ``path`` take: of a folder or a zip of images no more than their patches."""
    if path.is_dir():
        return COPIES * MOST_PATCH_BYTES
    size = path.stat().st_size if path.is_file() else 0
    whole = BYTES_PER_FILE_BYTE * size
    return min(COPIES * MOST_PATCH_BYTES, whole) if _holds_files(path) else whole


def _holds_files(path: Path) -> bool:
    try:
        with open_zip(path) as archive:
            return not any(name.endswith(".npy") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False
