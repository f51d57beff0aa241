"""A finished run becomes a weight file with its record beside it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from core.nets.boosted_trees import TREES
from core.train.checkpoint import State
from core.train.contrast_subjects import subjects, whole
from core.train.datasets import PERMISSIVE, Packed
from core.train.fit_regression import fit
from core.train.fit_trees import FEWEST, fit_all
from core.train.pack import PackedSet
from core.train.presets import Preset
from core.train.residual_spectrum import Shares
from core.weights import write_facts


def export(
    preset: Preset, state: State, packed: Path, folder: Path, spectrum: Shares = (), smallest: bool = False
) -> list[Path]:
    """Write the running average as fp16 ``<weights>.safetensors`` and ``<weights>.json``: its manifest entry, its
    subjects, steps and seconds; ``spectrum`` is how its errors are correlated in space.

    With a network for translation go the regression that it corrects and the trees that it takes as input, few of
    them in the ``smallest`` run.
    """
    tensors = {name: value.detach().to(torch.float16).cpu().contiguous() for name, value in state.average.items()}
    used = _learnt_from(preset.source, PackedSet(packed))
    record = {"steps": state.clock.step, "seconds": round(state.clock.seconds), "cpu": round(state.clock.cpu)}
    written = [
        _write(folder, preset.weights, preset.architecture, dict(preset.config), tensors, used, record, spectrum)
    ]
    if preset.weights == "translate-volume":
        opened = PackedSet(packed)
        used = whole(opened)
        table = {"table": torch.from_numpy(fit(opened))}
        written.append(_write(folder, "translate-regression", "patch_regression", {}, table, used, {}))
        grown = fit_all(opened, used, FEWEST if smallest else TREES)
        written.append(_write(folder, "translate-trees", "boosted_trees", {}, grown, used, {}))
    return written


def _learnt_from(source: str, packed: PackedSet) -> list[Packed]:
    """Return the items of a packed set that the batches of ``source`` are drawn from."""
    if source == "translate":
        return subjects(packed)
    train = packed.learnt_from(source)
    if source == "superres":
        return [item for item in train if item.kind == "scan"]
    if source == "tissues":
        return [item for item in train if item.kind == "labels"]
    return [item for item in train if item.kind != "scan" or "t1" in item.contrasts]


def _write(
    folder: Path,
    name: str,
    architecture: str,
    config: dict[str, Any],
    tensors: dict[str, Tensor],
    used: list[Packed],
    record: dict[str, Any],
    spectrum: Shares = (),
) -> Path:
    content = save(tensors)
    path = folder / f"{name}.safetensors"
    path.write_bytes(content)
    research = any(item.licence != PERMISSIVE for item in used)
    entry = {
        "file": path.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "architecture": architecture,
        "config": config,
        "parameters": sum(value.numel() for value in tensors.values()),
        "licence": "research use only (see the card)" if research else "Apache-2.0",
        "data": "; ".join(sorted({item.source for item in used})),
        "card": f"{name}.md",
        **({"error_spectrum": spectrum} if spectrum else {}),
    }
    whole = {"entry": entry, "subjects": [item.name for item in used], **record}
    path.with_suffix(".json").write_text(json.dumps(whole, indent=2) + "\n")
    return path


def publish(path: Path, shipped: Path) -> None:
    """Put a weight file and its record into the ``shipped`` folder and its entry into the manifest there."""
    record = json.loads(path.with_suffix(".json").read_text())
    for source in (path, path.with_suffix(".json")):
        temporary = shipped / (source.name + ".part")
        temporary.write_bytes(source.read_bytes())
        temporary.replace(shipped / source.name)
    manifest = shipped / "manifest.json"
    listed = json.loads(manifest.read_text())["weights"] if manifest.is_file() else {}
    listed[path.stem] = record["entry"]
    write_facts(manifest, {"weights": dict(sorted(listed.items()))})
