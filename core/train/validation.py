"""How good a network is, now and then during a long run, on crops of people that are never learnt from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from core.nets import build
from core.train.batch import Batch
from core.train.checkpoint import State
from core.train.contrast_subjects import subjects
from core.train.crop_store import batch_of, read, write
from core.train.curve import Curve
from core.train.inpaint_crops import CropSource
from core.train.kept_batches import KeptBatches
from core.train.pack import PackedSet
from core.train.predictions_of_batch import in_region, predict_batch
from core.train.presets import Preset
from core.train.superres_crops import ThickSource
from core.train.translate_crops import ContrastSource

BATCHES = 24
SEED = 1
COLUMNS = ("step", "seconds", "cpu", "gain_db", "better")


class Validation:
    """Measures the running average of a run on the same batches each time.

    packed, folder: the packed set, and where crops are kept; smallest: a batch of the smallest crops alone.
    """

    def __init__(self, preset: Preset, packed: Path, folder: Path, smallest: bool = False) -> None:
        self._preset, self._packed, self._folder, self._smallest = preset, packed, folder, smallest

    def measure(self, state: State, folder: Path, device: str) -> str:
        """Add a row to ``validation.csv`` in ``folder`` and return it in words: how far below the trivial base the
        squared error of one call from noise lies, mean over the crops in dB, and the share of crops that are better."""
        batch = self._source(folder)
        if batch is None:
            return "nothing to validate on"
        network = build(self._preset.architecture, self._preset.config).to(device).eval()
        network.load_state_dict(state.average)
        gains: list[float] = []
        for index in range(1 if self._smallest else BATCHES):
            drawn = batch(index)
            generator, rng = torch.Generator().manual_seed(index), np.random.default_rng(index)
            with torch.inference_mode():
                predicted = predict_batch(
                    network, self._preset, drawn, np.ones(len(drawn.target)), generator, rng, device
                )
            error = in_region((predicted.clean - predicted.target) ** 2, predicted.region)
            energy = in_region(predicted.target**2, predicted.region)
            gains += (-10 * torch.log10((error / energy.clamp_min(1e-6)).clamp_min(1e-6))).tolist()
        gain, better = float(np.mean(gains)), float(np.mean(np.array(gains) > 0))
        Curve(folder / "validation.csv", COLUMNS, state.clock).add(
            state.clock.step, round(state.clock.seconds), round(state.clock.cpu), gain, better
        )
        return f"validation: {gain:+.2f} dB over the base, better in {better:.0%} of {len(gains)} crops"

    def _source(self, run: Path) -> Callable[[int], Batch] | None:
        packed = PackedSet(self._packed)
        held_out = [item for item in packed.learnt_from(self._preset.source, "validation") if item.kind == "scan"]
        if not held_out:
            return None
        if self._preset.source == "superres":
            thick = ThickSource(packed, SEED, "validation")
            return lambda index: thick.batch(index, self._smallest)
        if self._preset.source == "translate":
            if not subjects(packed, "validation"):
                return None
            grown = self._preset.architecture != "plane_net"
            contrasts = ContrastSource(packed, SEED, run / "trees", grown, "validation")
            kept_batches = KeptBatches(contrasts, self._packed, run / "validation", SEED)
            return lambda index: kept_batches.numbered(index, self._smallest)
        if self._preset.source != "inpaint":
            return None
        kept = self._folder / "validation"
        kept.mkdir(parents=True, exist_ok=True)
        crops = CropSource(packed, SEED, kept, "validation")

        def batch(index: int) -> Batch:
            path = kept / f"{index:03d}.npz"
            if not path.is_file():
                write(path, crops.crops(index, self._smallest))
            return batch_of(read(path), np.random.default_rng(index))

        return batch
