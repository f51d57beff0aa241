"""Batches made by background processes, kept on disk and handed out in an order that a seed fixes."""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path

import numpy as np

from core.train.batch import Batch
from core.train.inpaint_crops import CropSource
from core.train.pack import PackedSet

# batches that exist before the first step, and batches added for each step taken: a batch is used about
# 1 / PER_STEP times, each time with other noise
READY = 12
PER_STEP = 0.5
# only the newest batches are drawn, so that none is used much more often than others
WINDOW = 100
# how far the workers may run ahead of the training
AHEAD = 200


class Feed:
    """Hands out the batch of each step; step and seed alone decide which one, whoever made it and when."""

    def __init__(self, packed: Path, folder: Path, seed: int, workers: int, smallest: bool = False) -> None:
        self._folder = folder
        self._seed = seed
        folder.mkdir(parents=True, exist_ok=True)
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
        """Return the batch of ``step``; waits until it has been made."""
        available = READY + int(step * PER_STEP)
        self._wanted.value = available
        index = int(np.random.default_rng([self._seed, step, 1]).integers(max(0, available - WINDOW), available))
        path = _path(self._folder, index)
        while not path.is_file():
            if not all(worker.is_alive() for worker in self._workers):
                raise RuntimeError("a worker that makes training batches died")
            time.sleep(0.05)
        with np.load(path, allow_pickle=False) as stored:
            return Batch(stored["context"], stored["target"], stored["context"][:, 1:2])

    def close(self) -> None:
        """Stop the workers."""
        for worker in self._workers:
            worker.terminate()
            worker.join()


def _path(folder: Path, index: int) -> Path:
    return folder / f"{index:07d}.npz"


def _work(packed: Path, folder: Path, seed: int, number: int, workers: int, smallest: bool, wanted: object) -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    cache = folder / "volumes"
    cache.mkdir(exist_ok=True)
    source = CropSource(PackedSet(packed), seed, cache)
    parent = os.getppid()
    index = number
    while os.getppid() == parent:
        front = getattr(wanted, "value", 0)
        if index >= front + AHEAD:
            time.sleep(0.1)
            continue
        if index < front - WINDOW:
            # a resumed run never asks for these again
            index += workers
            continue
        path = _path(folder, index)
        if not path.is_file():
            batch = source.batch(index, smallest)
            temporary = path.with_name(f"{path.name}.{number}.part.npz")
            np.savez(temporary, context=batch.context, target=batch.target)
            temporary.replace(path)
        index += workers
