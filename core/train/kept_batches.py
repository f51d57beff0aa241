"""Batches kept on disk for good: making one takes as long as several steps of learning."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.imaging.brain_position import reversed_left_right
from core.imaging.translate.network import PLACE_X
from core.train.batch import Batch
from core.train.feed import CAPACITY, PER_STEP, READY, claim, digest
from core.train.translate_crops import ContrastSource

# part of what a store belongs to; to be raised with every change of how crops of translation are made
RECIPE = 1


class KeptBatches:
    """Hands out batches of ``source``, each made at its first use and used about 1 / ``PER_STEP`` times, mirrored or
    not; step and seed alone decide which one. Made in half precision.

    Raises UserError for a ``folder`` whose batches were made otherwise.
    """

    def __init__(self, source: ContrastSource, packed: Path, folder: Path, seed: int) -> None:
        self._source, self._folder, self._seed = source, folder, seed
        folder.mkdir(parents=True, exist_ok=True)
        claim(folder, {"recipe": RECIPE, "seed": seed, "packed": digest(packed)})

    def batch(self, step: int, smallest: bool = False) -> Batch:
        """Return the batch of ``step``."""
        rng = np.random.default_rng([self._seed, step, 12])
        return _mirrored(self.numbered(int(rng.integers(min(CAPACITY, READY + int(step * PER_STEP)))), smallest), rng)

    def numbered(self, index: int, smallest: bool = False) -> Batch:
        """Return batch ``index`` as it was made; of the smallest crops none is kept."""
        if smallest:
            return self._source.batch(index, smallest)
        path = self._folder / f"{index:07d}.npz"
        if not path.is_file():
            _write(path, self._source.batch(index))
        return _read(path)


def _write(path: Path, batch: Batch) -> None:
    halves = {name: getattr(batch, name).astype(np.float16) for name in ("context", "target", "conditioning")}
    temporary = path.with_name(f"{path.name}.part.npz")
    np.savez_compressed(temporary, allow_pickle=False, region=batch.region > 0, **halves)
    temporary.replace(path)


def _read(path: Path) -> Batch:
    with np.load(path, allow_pickle=False) as stored:
        parts = [stored[name].astype(np.float32) for name in ("context", "target", "region", "conditioning")]
    return Batch(*parts)


def _mirrored(batch: Batch, rng: np.random.Generator) -> Batch:
    """Return the batch with about half of its crops as seen in a mirror."""
    turned = rng.random(len(batch.target)) < 0.5
    context, target, region = (np.array(part) for part in (batch.context, batch.target, batch.region))
    for number in np.flatnonzero(turned):
        context[number] = reversed_left_right(context[number], PLACE_X)
        target[number], region[number] = target[number, :, ::-1].copy(), region[number, :, ::-1].copy()
    return Batch(context, target, region, batch.conditioning)
