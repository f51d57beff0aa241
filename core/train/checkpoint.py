"""Training state on disk: safetensors and JSON, written so that a crash leaves the previous one whole."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn


@dataclass
class Clock:
    """How far a run is: steps taken, seconds that went by and seconds of processor time, over all its sessions."""

    step: int = 0
    seconds: float = 0.0
    cpu: float = 0.0


@dataclass(frozen=True, eq=False)
class State:
    """Everything a run needs to go on: the network, its running average, the optimiser and the clock."""

    network: nn.Module
    average: dict[str, Tensor]
    optimiser: torch.optim.AdamW
    clock: Clock


def save(folder: Path, state: State, settings: dict[str, object]) -> None:
    """Write ``state`` and the run's ``settings`` under ``folder`` as one atomic step."""
    tensors = {f"network/{name}": value.contiguous() for name, value in state.network.state_dict().items()}
    tensors |= {f"average/{name}": value.contiguous() for name, value in state.average.items()}
    for index, entry in state.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser/{index}/{name}": value.contiguous() for name, value in entry.items()}
    metadata = {"clock": json.dumps(asdict(state.clock)), "settings": json.dumps(settings)}
    temporary = folder / "checkpoint.part"
    save_file(tensors, temporary, metadata=metadata)
    with temporary.open("rb") as written:
        os.fsync(written.fileno())
    temporary.replace(folder / "checkpoint.safetensors")


def restore(folder: Path, state: State) -> None:
    """Fill ``state`` from the checkpoint in ``folder``; ``FileNotFoundError`` when there is none."""
    path = folder / "checkpoint.safetensors"
    tensors = load_file(path)
    state.network.load_state_dict(_part(tensors, "network/"))
    state.average.update(_part(tensors, "average/"))
    entries: dict[int, dict[str, Tensor]] = {}
    for name, value in _part(tensors, "optimiser/").items():
        index, _, field = name.partition("/")
        entries.setdefault(int(index), {})[field] = value
    whole = state.optimiser.state_dict()
    state.optimiser.load_state_dict({**whole, "state": entries})
    with safe_open(path, framework="pt") as opened:
        clock = json.loads(opened.metadata()["clock"])
    state.clock.step, state.clock.seconds = int(clock["step"]), float(clock["seconds"])
    state.clock.cpu = float(clock["cpu"])


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
