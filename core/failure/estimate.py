"""What a job of the failure lab will cost, from counted epochs and measured seconds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.declaration import Estimate

# one core of a 2.5 GHz server processor, 24 x 24 pixels: seconds of one epoch for each patch, and of all probes
EPOCH_SECONDS = {"ir": 5e-4, "rgb": 3e-4}
SIMULATED_SECONDS = 2.5e-3
PROBE_SECONDS = {"quick": 8.0, "whole": 25.0}
TESTS = 1700
# epochs a recipe takes, times those of plain training, and networks it trains; SAM and diversity look twice
EPOCHS = {"thickness": 2.0, "thickness-equal": 2.0, "full": 2.0, "sam": 2.0, "jtt": 1.4, "orthogonal": 3.0}
EPOCHS |= {"diverse": 9.0, "irm": 1.3}
PROGRAM_BYTES = 900 << 20
# a patch of 32 bands with its picture, raw and as it passes through a network
BYTES_PER_PATCH = 300_000
BYTES_PER_FILE_BYTE = 12


def estimate(inputs: Mapping[str, Path], params: Mapping[str, Any], device: str) -> Estimate:
    """Return seconds, peak bytes and the number of networks that are trained."""
    size = inputs["data"].stat().st_size if "data" in inputs and inputs["data"].is_file() else 0
    patches = params["patches"]
    trained = seconds = 0.0
    for modality in params["modalities"]:
        recipes = [name for name in params["remedies"] if name != "erm"]
        if modality == "rgb" and not params["control"] and len(params["modalities"]) > 1:
            recipes = ["matched"] if params["matched"] else []
        epochs = len(params["networks"]) + sum(EPOCHS.get(name, 1.0) for name in recipes)
        count = len(params["networks"]) + len(recipes)
        seconds += (
            epochs * params["epochs"] * patches * EPOCH_SECONDS[modality] + count * PROBE_SECONDS[params["depth"]]
        )
        trained += count
    seconds = params["seeds"] * (seconds + (patches + TESTS) * SIMULATED_SECONDS)
    memory = PROGRAM_BYTES + params["seeds"] * (patches + TESTS) * BYTES_PER_PATCH + size * BYTES_PER_FILE_BYTE
    return Estimate(round(seconds, 1), int(memory), int(trained) * params["seeds"])
