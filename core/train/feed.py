"""Crops made ahead, kept on disk for good, and handed out in an order that a seed fixes."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import time
from pathlib import Path

import numpy as np

from core.errors import UserError
from core.train.batch import Batch
from core.train.crop_store import batch_of, read, write
from core.train.inpaint_crops import RECIPE, CropSource
from core.train.pack import PackedSet

# files of crops that exist before the first step, and files added for each step taken: a file is used about
# 1 / PER_STEP times while the store grows, each time with other noise, mirrored or not, placed or not
READY = 16
PER_STEP = 0.25
# files in a full store, about 1.4 MB each
CAPACITY = 10_000
# how far the workers may run ahead of the training
AHEAD = 200


class Feed:
    """Hands out the batch of each step; step and seed alone decide which one, whoever made it and when.

    packed, folder: the packed set and the store, which runs on the same set may share. workers: processes that make
    crops ahead; with none, crops are made at their first use.
    Raises UserError for a store that was made otherwise.
    """

    def __init__(self, packed: Path, folder: Path, seed: int, workers: int, smallest: bool = False) -> None:
        self._folder = folder
        self._seed = seed
        self._smallest = smallest
        (folder / "volumes").mkdir(parents=True, exist_ok=True)
        claim(folder, {"recipe": RECIPE, "seed": seed, "smallest": smallest, "packed": digest(packed)})
        self._source = None if workers else CropSource(PackedSet(packed), seed, folder / "volumes")
        context = multiprocessing.get_context("spawn")
        self._wanted = context.Value("q", READY)
        self._workers = [
            context.Process(
                target=_work, args=(packed, folder, seed, number, workers, smallest, self._wanted), daemon=True
            )
            for number in range(workers)
        ]
        for worker in self._workers:
            worker.start()

    def batch(self, step: int) -> Batch:
        """Return the batch of ``step``; makes its crops, or waits until they have been made."""
        available = min(CAPACITY, READY + int(step * PER_STEP))
        self._wanted.value = available
        rng = np.random.default_rng([self._seed, step, 1])
        index = int(rng.integers(available))
        path = _path(self._folder, index)
        if self._source is not None and not path.is_file():
            write(path, self._source.crops(index, self._smallest))
        while not path.is_file():
            if not all(worker.is_alive() for worker in self._workers):
                raise RuntimeError("a worker that makes training batches died")
            time.sleep(0.05)
        return batch_of(read(path), rng)

    def close(self) -> None:
        """Stop the workers."""
        for worker in self._workers:
            worker.terminate()
            worker.join()


def _path(folder: Path, index: int) -> Path:
    return folder / f"{index:07d}.npz"


def digest(packed: Path) -> str:
    """Return the SHA-256 of a packed set."""
    with packed.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def claim(folder: Path, made_from: dict[str, object]) -> None:
    """Note in ``folder`` what its crops are made from; UserError where they were made from something else."""
    note = folder / "store.json"
    if not note.is_file():
        temporary = folder / "store.json.part"
        temporary.write_text(json.dumps(made_from, indent=2) + "\n")
        temporary.replace(note)
    elif json.loads(note.read_text()) != made_from:
        raise UserError(
            "bad_parameter",
            f"The crops in {folder} were made from another packed set, seed or recipe.",
            "Give another --crops folder, or delete this one.",
        )


def _work(packed: Path, folder: Path, seed: int, number: int, workers: int, smallest: bool, wanted: object) -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    source = CropSource(PackedSet(packed), seed, folder / "volumes")
    parent = os.getppid()
    index = number
    while os.getppid() == parent and index < CAPACITY:
        if index >= getattr(wanted, "value", 0) + AHEAD:
            time.sleep(0.1)
            continue
        path = _path(folder, index)
        if not path.is_file():
            write(path, source.crops(index, smallest), str(number))
        index += workers
    while os.getppid() == parent:
        # the store is full; a worker that ended would look like one that died
        time.sleep(1)
