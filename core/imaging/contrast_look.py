"""Which contrast a stripped scan shows, judged from its intensities."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from core.anatomy.head import Head, find_head
from core.contrasts import CONTRASTS, TITLES
from core.result import Note
from core.volume import Volume

Real = NDArray[np.float64]

# grid of the judgement, mm
WORK_MM = 2.0
# depths under the brain's surface between which medians are compared, mm
SHELLS_MM = (0.0, 3.0, 6.0, 10.0, 16.0, 25.0, 99.0)
# Linear discriminants of the numbers that ``look`` gives, a row of weights and an offset for each slot: fitted by
# core.bench.fit_slots, on 59 stripped scans of 26 training subjects. Measured there with each subject left out in
# turn: 41 scans right, 1 wrong, 17 not answered; on 16 scans of 8 held-out subjects, two of other sites, 13 right, 3
# not answered.
WEIGHTS = (
    (2.31, 2.42, -37.00, 13.93, 1.62, -7.65, 3.59, -17.09, -7.93, 67.11, 48.38, -23.14, -1.09, 1.21),
    (-1.50, -3.01, -14.41, 7.69, -1.71, 1.99, 1.92, -0.53, -37.38, 34.56, 30.66, -20.86, -1.52, -3.54),
    (-5.81, 26.71, 60.88, -9.96, -8.41, 3.13, -3.05, -0.73, 22.71, -65.27, -85.80, 32.79, 9.50, 2.61),
    (5.00, -26.12, -9.48, -11.66, 8.50, 2.53, -2.46, 18.36, 22.60, -36.40, 6.76, 11.21, -6.89, -0.28),
)
OFFSETS = (-9.94, -4.85, 30.38, -15.59)
# least probability that is an answer
SURE = 0.995
# contrasts that are not told apart where one is given for the other
ALIKE = frozenset({"t1", "t1ce"})


def look(volume: Volume, head: Head | None = None) -> Real | None:
    """Return 14 numbers in which contrasts differ, whatever the units; None unless the scan is skull-stripped.

    In units of the middle 70 % of the brain's intensities and less their median: six percentiles, the median at six
    depths under the surface (white matter lies deep, fluid near the surface and deepest), the spread near the surface
    and deep inside. head: that of the scan, found here where it is not given.
    """
    head = head or find_head(volume)
    if head.kind != "brain" or not head.mask.any():
        return None
    steps = [max(1, round(WORK_MM / size)) for size in volume.spacing]
    coarse = tuple(slice(None, None, step) for step in steps)
    data, mask = volume.data[coarse], head.mask[coarse]
    sides = [size * step for size, step in zip(volume.spacing, steps, strict=True)]
    depth = ndimage.distance_transform_edt(np.pad(mask, 1), sampling=sides)[1:-1, 1:-1, 1:-1][mask]
    values = data[mask].astype(np.float64)
    if depth.max() <= SHELLS_MM[-2]:
        return None
    low, middle, high = np.percentile(values, (15, 50, 85))
    unit = max(float(high - low), 1e-9)
    tails = (np.percentile(values, (1, 5, 15, 75, 95, 99)) - middle) / unit
    shells = [values[(depth > a) & (depth <= b)] for a, b in pairwise(SHELLS_MM)]
    medians = [(np.median(shell) - middle) / unit for shell in shells]
    ends = [values[depth <= SHELLS_MM[2]], values[depth > SHELLS_MM[-2]]]
    spreads = [float(np.subtract(*np.percentile(end, (90, 10)))) / unit for end in ends]
    return np.array([*tails, *medians, *spreads])


def chances(numbers: Real, weights: ArrayLike = WEIGHTS, offsets: ArrayLike = OFFSETS) -> Real:
    """Return the probability of each slot for what ``look`` gave, (4,)."""
    score = np.asarray(weights) @ numbers + np.asarray(offsets)
    odds = np.exp(score - score.max())
    return np.asarray(odds / odds.sum())


def by_look(volume: Volume, head: Head | None = None) -> str | None:
    """Return the contrast of a scan by its intensities, None where that is not sure. head: see ``look``."""
    numbers = look(volume, head)
    if numbers is None:
        return None
    probability = chances(numbers)
    best = int(probability.argmax())
    return CONTRASTS[best] if probability[best] >= SURE else None


def mistaken(contrast: str, volume: Volume, head: Head) -> tuple[Note, ...]:
    """Return a warning where a scan that is given as ``contrast`` looks like another; nothing where that is not sure,
    and of a whole head. head: that of the scan."""
    seen = by_look(volume, head)
    if seen is None or seen == contrast or {seen, contrast} <= ALIKE:
        return ()
    text = (
        f"What is given as {TITLES[contrast]} looks like {TITLES[seen]} by its intensities; the networks take it for "
        f"{TITLES[contrast]}. Check the file."
    )
    return (Note("warning", text),)
