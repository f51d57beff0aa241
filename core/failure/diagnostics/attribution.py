"""Attribution of a predicted class to pixels and bands, and patches as pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.failure.data.modality import images
from core.failure.models.trained_model import TrainedModel
from core.failure.results import Attribution, Picture
from core.spectra.patches import PatchSet

Float = NDArray[np.float32]

# amide I, phosphate, CH2 stretch or else the ester of lipids: red, green, blue
FALSE_COLOUR = (1655.0, 1085.0, 2924.0)
# amide I, ring of phenylalanine, CH stretch, as Raman spectra show them
FALSE_COLOUR_OF_RAMAN = (1660.0, 1003.0, 2935.0)
SHOWN_EACH = 2
PERCENTILES = (1.0, 99.0)


def patches_to_show(patches: PatchSet, each: int = SHOWN_EACH) -> NDArray[np.int64]:
    """Return the numbers of the first ``each`` patches of every class, class by class."""
    found = [np.flatnonzero(patches.labels == kind)[:each] for kind in range(len(patches.classes))]
    return np.concatenate(found).astype(np.int64)


def attribute(
    trained: TrainedModel, patches: PatchSet, modality: str, chosen: NDArray[np.int64]
) -> tuple[Attribution, ...]:
    """Return input times gradient of the predicted class (Shrikumar et al. 2016, arXiv:1605.01713) of the patches
    ``chosen``, summed over bands for each pixel and over pixels for each band, both divided by their largest."""
    values = images(patches, modality)[chosen]
    predicted = trained.logits(values).argmax(axis=1)
    found = []
    for number, guess, part in zip(chosen, predicted, trained.input_times_gradient(values), strict=True):
        pixels, bands = _scaled(part.sum(axis=0)), _scaled(part.sum(axis=(1, 2)))
        label = int(patches.labels[number])
        found.append(Attribution(int(number), label, int(guess), _rows(pixels), tuple(map(float, bands))))
    return tuple(found)


def gallery(patches: PatchSet, chosen: NDArray[np.int64]) -> tuple[Picture, ...]:
    """Return the patches ``chosen`` as pictures: three bands as red, green and blue, and the stained picture."""
    places = FALSE_COLOUR_OF_RAMAN if patches.raman else FALSE_COLOUR
    bands = [int(np.abs(patches.wavenumbers - place).argmin()) for place in places]
    cubes = patches.ir[chosen][:, bands]
    low, high = np.percentile(cubes, PERCENTILES, axis=(0, 2, 3), keepdims=True)
    coloured = (cubes - low) / np.maximum(high - low, 1e-6)
    found = []
    for place, number in enumerate(chosen):
        group = int(patches.groups[number]) if patches.groups is not None else -1
        stained = _picture(patches.rgb[number]) if patches.rgb is not None else ()
        found.append(Picture(int(number), int(patches.labels[number]), group, _picture(coloured[place]), stained))
    return tuple(found)


def _picture(values: Float) -> tuple[tuple[tuple[int, ...], ...], ...]:
    whole = np.clip(np.round(255 * values.transpose(1, 2, 0)), 0, 255).astype(int)
    return tuple(tuple(tuple(map(int, pixel)) for pixel in row) for row in whole)


def _scaled(values: Float) -> Float:
    return np.asarray(values / max(float(np.abs(values).max()), 1e-12), np.float32)


def _rows(values: Float) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(round(float(each), 3) for each in row) for row in values)
