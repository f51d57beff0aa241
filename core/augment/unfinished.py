"""What a stopped study leaves for the next one with the same data and settings: each trained classifier's answers."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
import safetensors.torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor

from core import __version__
from core.augment.exchange_rate import Arm
from core.augment.image_set import StudyData

Bools = NDArray[np.bool_]


class Unfinished:
    """Answers and weights in a folder, None to keep nothing. A file that another study left, or that was not finished,
    counts as missing."""

    def __init__(self, folder: Path | None, fingerprint: str) -> None:
        self._folder = folder
        self._fingerprint = fingerprint

    def correct(self, arm: Arm, seed: int, count: int) -> Bools | None:
        """Return which of ``count`` test images the classifier of ``arm`` and ``seed`` got right, None if unknown."""
        path = self._path(f"{arm.name}-{arm.base}-{arm.added}-{seed}.json")
        if path is None:
            return None
        with suppress(OSError, ValueError, KeyError, TypeError):
            kept = json.loads(path.read_text(encoding="utf-8"))
            bits = np.frombuffer(bytes.fromhex(kept["correct"]), np.uint8)
            if kept["study"] == self._fingerprint and len(bits) == -(-count // 8):
                return np.unpackbits(bits, count=count).astype(bool)
        return None

    def keep(self, arm: Arm, seed: int, correct: Bools) -> None:
        """Keep the answers of a classifier."""
        content = json.dumps({"study": self._fingerprint, "correct": np.packbits(correct).tobytes().hex()})
        self._write(f"{arm.name}-{arm.base}-{arm.added}-{seed}.json", content.encode())

    def weights(self, name: str) -> dict[str, Tensor] | None:
        """Return the weights of the generator ``name``, None if unknown."""
        path = self._path(f"{name}-{self._fingerprint[:16]}.safetensors")
        with suppress(OSError, SafetensorError):
            return safetensors.torch.load(path.read_bytes()) if path is not None else None
        return None

    def keep_weights(self, name: str, weights: Mapping[str, Tensor]) -> None:
        """Keep the weights of a generator."""
        whole = {key: value.detach().cpu().contiguous() for key, value in weights.items()}
        self._write(f"{name}-{self._fingerprint[:16]}.safetensors", safetensors.torch.save(whole))

    def _path(self, name: str) -> Path | None:
        return None if self._folder is None else self._folder / name

    def _write(self, name: str, content: bytes) -> None:
        path = self._path(name)
        if path is None:
            return
        # what cannot be kept is computed again
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f"{path.name}.part")
            part.write_bytes(content)
            os.replace(part, path)


def fingerprint(data: StudyData, settings: Mapping[str, object]) -> str:
    """Return a hash of the images and settings of a study, and of this version of the program."""
    found = hashlib.sha256(json.dumps([__version__, settings], sort_keys=True, default=str).encode())
    for part in (*data.pools, data.test, data.beyond):
        if part is not None:
            for array in (part.values, part.labels, part.groups):
                found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()
