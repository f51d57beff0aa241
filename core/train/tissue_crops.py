"""Training crops for tissue maps: generated scans of any contrast, and the map that they were made from."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.anatomy.tissues import prepare
from core.contrasts import CONTRASTS
from core.nets.segment_net import SHARES
from core.synth.labelmaps import TISSUES
from core.synth.subject import subject
from core.train.batch import Batch
from core.train.pack import PackedSet
from core.train.window import pick, window

Float = NDArray[np.float32]

SIDE = 48
SMALLEST = 24
COUNT = 2
# share of crops from whole heads
WHOLE_SHARE = 0.25
# the tissue (CSF, grey, white) of each of ``TISSUES``: of the brainstem and the ventral diencephalon most is white;
# the choroid plexus floats in CSF
GROUPS = {1: (1, 13), 2: (3, 5, 6, 7, 8, 9, 11), 3: (2, 4, 10, 12)}


class TissueSource:
    """Draws crops of scans made from the label maps of a packed set."""

    def __init__(self, packed: PackedSet, seed: int, cache: Path) -> None:
        self._packed = packed
        self._seed = seed
        self._cache = cache
        self._names = [item.name for item in packed.items if item.kind == "labels"]
        cache.mkdir(parents=True, exist_ok=True)

    def batch(self, index: int, smallest: bool = False) -> Batch:
        """Return batch ``index``; its target is the number of the tissue."""
        rng = np.random.default_rng([self._seed, index, 13])
        side = SMALLEST if smallest else SIDE
        crops = [self._crop(rng, side) for _ in range(1 if smallest else COUNT)]
        image, truth, conditioning = (np.stack(part) for part in zip(*crops, strict=True))
        return Batch(image[:, None], truth[:, None], np.ones_like(truth[:, None]), conditioning)

    def volumes(self, name: str, whole_head: bool) -> Path:
        """Return the file of the scans made from a label map; made, in seconds, where it is not there yet.

        Keys: ``tissues`` uint8 and each contrast float16 (X, Y, Z) as ``core.anatomy.tissues.prepare`` gives it, and
        ``<contrast>/conditioning``.
        """
        path = self._cache / f"{name}{'-head' if whole_head else ''}.npz"
        if not path.is_file():
            made = subject(self._packed.tissues(name), 2 * self._names.index(name) + whole_head, CONTRASTS, whole_head)
            arrays: dict[str, NDArray[np.generic]] = {"tissues": grouped(made.tissues)}
            for contrast, image in made.images.items():
                scaled, conditioning = prepare(image, made.tissues > 0)
                arrays |= {contrast: scaled.astype(np.float16), f"{contrast}/conditioning": conditioning}
            temporary = path.with_name(f"{path.name}.{os.getpid()}.part.npz")
            np.savez(temporary, allow_pickle=False, **arrays)
            temporary.replace(path)
        return path

    def _crop(self, rng: np.random.Generator, side: int) -> tuple[Float, Float, Float]:
        name = self._names[rng.integers(len(self._names))]
        contrast = CONTRASTS[rng.integers(len(CONTRASTS))]
        with np.load(self.volumes(name, rng.random() < WHOLE_SHARE), allow_pickle=False) as stored:
            truth, image, conditioning = stored["tissues"], stored[contrast], stored[f"{contrast}/conditioning"]
        low = pick(truth > 0, rng) - side // 2
        crop, numbers = window(image, low, side).astype(np.float32), window(truth, low, side)
        crop, conditioning = scanned(crop, conditioning, rng)
        if rng.random() < 0.5:
            crop, numbers = crop[::-1], numbers[::-1]
        return crop, numbers.astype(np.float32), conditioning


def grouped(tissues: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return 0 none, 1 CSF, 2 grey, 3 white matter for each index into ``TISSUES`` (X, Y, Z)."""
    table = np.zeros(len(TISSUES), np.uint8)
    for number, members in GROUPS.items():
        table[list(members)] = number
    return np.asarray(table[tissues])


def scanned(image: Float, conditioning: Float, rng: np.random.Generator) -> tuple[Float, Float]:
    """Return a crop (S, S, S) and its conditioning as yet another scanner would give them: another curve of
    intensities, a little bias, blur (more along one axis, as thick slices leave it) and noise. What is 0 stays so."""
    outside = image == 0
    power = np.float32(np.exp(rng.uniform(-0.4, 0.4)))
    image, conditioning = np.maximum(image, 0) ** power, np.maximum(conditioning, 0) ** power
    if rng.random() < 0.5:
        widths = rng.uniform(0, 0.7, 3)
        if rng.random() < 0.5:
            widths[rng.integers(3)] = rng.uniform(0.7, 2.0)
        image = ndimage.gaussian_filter(image, widths)
    slope = rng.normal(0, 0.08, 3)[:, None] * np.linspace(-1, 1, image.shape[0])
    bias = slope[0][:, None, None] + slope[1][None, :, None] + slope[2][None, None, :]
    image = image * np.exp(bias + rng.normal(0, 0.04)).astype(np.float32)
    if rng.random() < 0.5:
        image = np.abs(image + rng.normal(0, rng.uniform(0, 0.05), image.shape).astype(np.float32))
    conditioning = conditioning + rng.normal(0, 0.02, len(SHARES)).astype(np.float32)
    return np.where(outside, np.float32(0), image), conditioning
