"""Cost of a study, from counted steps; importing it loads no torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.augment.task import Settings
from core.declaration import Estimate
from core.files.pictures import ENDINGS

# one core of a 2.5 GHz server processor, 24 x 24 pixels, batches of 64 and of 32: seconds of a step
CLASSIFIER_SECONDS = {"rgb": 0.012, "ir": 0.022, "heads": 0.02}
GENERATOR_SECONDS = {"rgb": 0.028, "ir": 0.03, "heads": 0.05}
# of one drawn image, of one simulated patch, of one synthetic head
DRAWN_SECONDS = {"rgb": 0.004, "ir": 0.005, "heads": 0.008}
PATCH_SECONDS, HEAD_SECONDS, HEADS = 2.5e-3, 0.6, 95
# what is added to each base besides the synthetic images: classic, duplicates, shuffled, alone
CONTROLS, START_SECONDS = 4, 10.0
PROGRAM_BYTES = 900 << 20
BYTES_PER_IMAGE = {"rgb": 120_000, "ir": 600_000, "heads": 80_000}
BYTES_PER_FILE_BYTE = 12


def estimate(inputs: Mapping[str, Path], params: Mapping[str, Any], device: str) -> Estimate:
    """Return seconds, peak bytes and the number of networks that are trained.

    inputs: "data" may be among them. params: of the task, parsed.
    """
    settings = Settings(**params)
    kind = settings.images
    bases, multiples = [int(base) for base in settings.bases], [float(each) for each in settings.multiples]
    generators = len(bases) + settings.open_set
    amounts = len(multiples) * (2 if settings.open_set else 1)
    # doublings from the largest base to all images, half of the smallest, and the bases
    counts = len(bases) + 1 + max(0, (settings.pool // max(bases)).bit_length() - 1)
    classifiers = counts + len(bases) * (amounts + CONTROLS)
    drawn = sum(bases) * (sum(multiples) * (2 if settings.open_set else 1) + 2 * max(multiples))
    each_seed = (
        classifiers * settings.classifier_steps * CLASSIFIER_SECONDS[kind]
        + generators * settings.generator_steps * GENERATOR_SECONDS[kind]
        + drawn * DRAWN_SECONDS[kind]
    )
    made = HEADS * HEAD_SECONDS if kind == "heads" else (2 * settings.pool + 600) * PATCH_SECONDS
    seconds = START_SECONDS + settings.seeds * each_seed + (0 if "data" in inputs else made)
    most = 3 * settings.pool + 600 + max(bases) * (1 + max(multiples))
    memory = PROGRAM_BYTES + most * BYTES_PER_IMAGE[kind] + _data_bytes(inputs)
    return Estimate(round(seconds, 1), int(memory), settings.seeds * (classifiers + generators))


def _data_bytes(inputs: Mapping[str, Path]) -> int:
    path = inputs.get("data")
    if path is None:
        return 0
    files = path.rglob("*") if path.is_dir() else [path]
    # pictures are decoded a few at a time, and small from there on
    arrays = [file for file in files if file.suffix.lower() not in ENDINGS and file.is_file()]
    return BYTES_PER_FILE_BYTE * sum(file.stat().st_size for file in arrays)
