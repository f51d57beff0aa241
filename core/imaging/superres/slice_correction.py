"""What is put right in the slices of a scan before it is super-resolved: brightness that alternates, and noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.imaging.superres.denoise import calmed, noise_level
from core.imaging.superres.slice_gain import SliceGain, slice_gain
from core.result import Note
from core.volume import Volume

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

# axes up to this much coarser than the finest lie in the plane of the slices
ISOTROPIC = 1.5
# Noise, in parts of bright tissue, above which relax is chosen, and from which it is 1. At 4 % an interpolating spline
# gains 0.8 dB with 0.5 and 1.3 with 1, at 2 % 0.2 and 0.3; scans without noise seem to have 0.8 to 2.9 %, which is
# their finest anatomy.
NOISY, NOISIEST = 0.03, 0.05


@dataclass(frozen=True, eq=False)
class Slices:
    """image: (x, y, z) float32, the slices as they are super-resolved; gain: what was divided out of them, if it was;
    changed: whether they differ from those measured; notes: what was found and done."""

    image: Float
    gain: SliceGain | None
    changed: bool
    notes: tuple[Note, ...]


def corrected(volume: Volume, head: Bool, bright: float, axis: int, params: Mapping[str, Any]) -> Slices:
    """Return the slices of ``volume`` across ``axis`` as they are super-resolved under the task's ``params``.

    ``even`` divides out a gain that alternates, see ``slice_gain``. ``relax`` is the share of their noise that is taken
    out; left at 0, ``denoise`` chooses it from the noise. head: (x, y, z) bool; bright: tissue level.
    The measured array itself where neither applies.
    """
    image, gain, remarks = _evened(volume, axis, params["even"])
    axes = [number for number, size in enumerate(volume.spacing) if size <= ISOTROPIC * min(volume.spacing)]
    noise = noise_level(image, axes, head)
    given = float(params["relax"])
    share = given if given or not params["denoise"] else relax_for(noise / bright)
    calm = calmed(image, axes, noise, share)
    remark = _noise(noise / bright, share, chosen=not given)
    return Slices(calm, gain, calm is not volume.data, (*remarks, remark))


def relax_for(noise: float) -> float:
    """Return relax, 0 to 1, for slices with ``noise`` in parts of bright tissue.

    >>> [round(relax_for(noise), 2) for noise in (0.02, 0.03, 0.04, 0.06)]
    [0.0, 0.0, 0.5, 1.0]
    """
    return min(max((noise - NOISY) / (NOISIEST - NOISY), 0.0), 1.0)


def _evened(volume: Volume, axis: int, wanted: bool) -> tuple[Float, SliceGain | None, tuple[Note, ...]]:
    """Return the image without alternating gain, that gain, and what is to be noted of it."""
    if volume.spacing[axis] <= ISOTROPIC * min(volume.spacing):
        return volume.data, None, ()
    found = slice_gain(volume.data, volume.spacing, axis)
    if found is None:
        return volume.data, None, ()
    if not wanted:
        text = f"{found.figures}. Across the slices it becomes stripes: Even out slices takes it out."
        return volume.data, None, (Note("warning", text),)
    text = f"{found.figures}. It was evened out first: the scan is the slices as evened out times 1 + gain."
    return np.asarray(volume.data / found.gain, np.float32), found, (Note("info", text),)


def _noise(noise: float, share: float, *, chosen: bool) -> Note:
    text = f"Noise in the slices: about {100 * noise:.1f}% of bright tissue"
    if share == 0:
        advice = " Relax takes it out." if noise > NOISY else ""
        return Note("info", f"{text}; kept as measured.{advice}")
    why = f"relax {share:.2g} was chosen from it (Relax if noisy); " if chosen else ""
    return Note("info", f"{text}; {why}{100 * share:.0f}% of the way to slices without it.")
