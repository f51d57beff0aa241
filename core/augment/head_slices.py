"""Axial slices of synthetic heads, with plaques or without, for the augmentation study."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from core.augment.image_set import ImageSet
from core.synth.fields import Shape
from core.synth.phantom import phantom
from core.synth.subject import subject

CLASSES = ("no lesion", "lesion")
CONTRAST, LESION = "flair", "plaques"
# a head of 2.4 mm voxels, of which slices are halved once more
SHAPE: Shape = (64, 80, 64)
SLICES = 6
# a slice shows a lesion where it has so many voxels of it
SHOWN = 24


def head_slices(heads: int, first: int) -> Generator[int, None, ImageSet]:
    """Return slices (N, 1, 32, 40) of ``heads`` synthetic heads, yielding the number of each finished head.

    Twelve at most of each head, half of them with lesions and the same number at the same heights of the same head
    without; the head is the group, numbered from ``first``, which is also its seed. Intensities: white matter about 1.
    """
    values, labels, groups = [], [], []
    for number in range(heads):
        seed = first + number
        made = subject(phantom(seed, SHAPE), seed, (CONTRAST,), lesion=LESION)
        lesion = made.lesion if made.lesion is not None else np.zeros(SHAPE, bool)
        shown = np.flatnonzero(lesion.sum(axis=(0, 1)) >= SHOWN)
        chosen = (
            shown[np.linspace(0, len(shown) - 1, min(SLICES, len(shown))).round().astype(int)] if len(shown) else shown
        )
        for label, image in ((1, made.images[CONTRAST]), (0, made.healthy[CONTRAST])):
            # up in a picture is the front of the head
            planes = image[:, ::-1, chosen].transpose(2, 1, 0)
            height, width = planes.shape[1] // 2, planes.shape[2] // 2
            values.append(planes.reshape(len(chosen), height, 2, width, 2).mean(axis=(2, 4))[:, None])
            labels.append(np.full(len(chosen), label))
            groups.append(np.full(len(chosen), seed))
        yield number + 1
    return ImageSet(
        np.concatenate(values).astype(np.float32),
        np.concatenate(labels).astype(np.int64),
        CLASSES,
        np.concatenate(groups).astype(np.int64),
        "mri",
        (0.0,),
    )
