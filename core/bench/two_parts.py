"""Inpainting of gliomas as the BraTS challenge sets it: the tumour is masked, and healthy tissue elsewhere, where the
truth is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy import ndimage

from core.anatomy.head import find_head
from core.anatomy.tissues import tissues
from core.bench.case import Label
from core.bench.inpaint import GREY, MARGINS_MM, WHITE, HoleCase, whereabouts
from core.bench.regions import hole
from core.files.nifti import read_volume
from core.imaging.problem import Problem
from core.train.heldout import GLIOMAS

HEALTHY_ML = 74.0
# how far the mask of the tumour reaches beyond what was marked, and how far the healthy part keeps from it
GROWN_MM, APART_MM = 2.0, 5.0


def cases(
    data: Path, subjects: Sequence[str] = GLIOMAS, size: float = HEALTHY_ML, margins: Sequence[float] = MARGINS_MM
) -> Iterator[HoleCase]:
    """Yield a mask of two parts in every subject, scored in the healthy one, the same ones each time.

    data: the folder that holds train; size: of the healthy part, ml; margins: how far it keeps from the brain's
    surface, mm. Left out are subjects that are not there and those whose healthy tissue has no room.
    """
    for name in subjects:
        folder = data / "train" / "brats18" / name
        if not (folder / "seg.nii.gz").is_file():
            continue
        volume = read_volume(folder / "t1.nii.gz")
        head = find_head(volume).mask
        away = ndimage.distance_transform_edt(read_volume(folder / "seg.nii.gz").data == 0, volume.spacing)
        tumour = (away <= GROWN_MM) & head
        room = head & (away > GROWN_MM + APART_MM)
        classes = np.where(tumour, 0, tissues(volume.data, volume.spacing, head)).astype(np.float32)
        places = {"cortex": (classes == GREY) & room, "white matter": (classes == WHITE) & room}
        for margin in margins:
            try:
                made = hole(room, places, volume.spacing, size, name, 0, margin)
            except ValueError:
                continue
            mask = made.mask | tumour
            block = f"Gliomas: tumour and {size:g} ml of healthy tissue, {whereabouts(margin)}, scored in the latter"
            problem = Problem(np.where(mask, np.float32(0), volume.data), mask, head, volume.spacing)
            yield HoleCase(Label("inpaint", block, name, note=made.place), volume.data, classes, made.mask, problem)
