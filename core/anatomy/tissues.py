"""Which tissue each voxel of a brain scan is, how much there is of it, and how far two such maps agree."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from core.anatomy.intensity import background_level, tissue_level
from core.nets.segment_net import SHARES
from core.volume import Volume, bounding_box, resample, to_spacing
from core.weights import load

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]
Labels = NDArray[np.uint8]
Triple = tuple[float, float, float]

WEIGHTS = "tissues"
NAMES = {1: "csf", 2: "grey", 3: "white"}
# voxels of this size were learnt; a grid whose sides differ by less than the tolerance is taken as it is
WORK_MM = 1.0
TOLERANCE = 0.15
# voxels around the head that are looked at with it
MARGIN = 4


def tissues(image: Float, spacing: Triple, head: Bool) -> Labels:
    """Return the tissue of every voxel, (X, Y, Z) uint8: 0 none (and outside ``head``), 1 CSF, 2 grey, 3 white matter.

    image: (X, Y, Z) float32, RAS+, any MR contrast and units, stripped or not; spacing: mm; head: (X, Y, Z) bool, the
    head or, of a stripped scan, the brain. Grids that are not of about 1 mm are resampled linearly, there and back.
    Raises UserError weights_missing or weights_damaged.
    """
    labels = np.zeros(image.shape, np.uint8)
    if not head.any():
        return labels
    box = bounding_box(head, MARGIN)
    inside = head[box]
    scaled, percentiles = prepare(image[box], inside)
    if all(abs(size / WORK_MM - 1) <= TOLERANCE for size in spacing):
        scores = _scores(scaled, percentiles)
    else:
        native = np.diag([*spacing, 1.0])
        work = to_spacing(Volume(scaled, native), (WORK_MM, WORK_MM, WORK_MM))
        x, y, z = inside.shape
        apart = (
            resample(each, work.affine, native, (x, y, z), 1, edge="nearest")
            for each in _scores(work.data, percentiles)
        )
        scores = np.stack(list(apart))
    labels[box] = np.where(inside, scores.argmax(axis=0), 0)
    return labels


def prepare(image: Float, head: Bool) -> tuple[Float, Float]:
    """Return the network's view of ``image`` (X, Y, Z): bright tissue at 1, and its percentiles ``SHARES`` in ``head``
    (X, Y, Z) bool."""
    scaled = (image - np.float32(background_level(image))) / np.float32(tissue_level(image))
    return scaled.astype(np.float32), np.percentile(scaled[head], SHARES).astype(np.float32)


def agreement(first: Labels, second: Labels, where: Bool) -> dict[str, float]:
    """Return the Dice overlap of CSF, grey and white matter (keys "csf", "grey", "white") of two tissue maps (X, Y, Z).

    Only voxels of ``where`` (X, Y, Z) bool count; nan for a tissue that neither map has there.
    """
    one, other = first[where], second[where]
    return {name: _dice(one == number, other == number) for number, name in NAMES.items()}


def _dice(first: Bool, second: Bool) -> float:
    total = int(first.sum()) + int(second.sum())
    return 2 * float((first & second).sum()) / total if total else float("nan")


def _scores(image: Float, percentiles: Float) -> Float:
    """Return how likely each tissue is at each voxel of a prepared image, (CLASSES, X, Y, Z) float32."""
    network = load(WEIGHTS)
    multiple = int(getattr(network, "multiple", 1))
    padded = np.pad(image, [(0, -side % multiple) for side in image.shape], mode="edge")
    with torch.inference_mode():
        scores = network(torch.from_numpy(padded)[None, None], torch.from_numpy(percentiles)[None])[0].softmax(dim=0)
    x, y, z = image.shape
    return np.asarray(scores[:, :x, :y, :z].numpy())
