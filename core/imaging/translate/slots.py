"""Which contrast a file holds: read from its name, or else judged from its intensities."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from core.anatomy.head import find_head
from core.contrasts import CONTRASTS, TITLES
from core.imaging.translate.sources import same_scan
from core.presentation import Assignment
from core.volume import Volume

Real = NDArray[np.float64]

# names of what is no picture of a contrast, or of one that has no slot
OTHER = re.compile(
    r"(?<![a-z])(mask|roi|seg|segmentation|labels?|lesions?|adc|dwi|dti|swi|pd|pdw|bold|asl|mra|tof|t2star|t2s|t2\*?gre)"
    r"(?![a-z])|t2\*"
)
FLAIR = re.compile(r"flair|dark[ _-]?fluid|t2f(?![a-z])")
T1 = re.compile(r"t1|mp2?rage|f?spgr|bravo|fl3d|(?<![a-z])tfl(?![a-z])")
AGENT = re.compile(
    r"t1[ _+-]*(ce|c|gd|gad|km|post|enh)(?![a-z])|(?<![a-z])(ce|gd|gad|km|post|postcontrast|contrast|kontrast|enhanced|"
    r"gadolinium|gadovist|dotarem|magnevist)(?![a-z])|post[ _-]?contrast|t1post|t1contrast"
)
WITHOUT = re.compile(
    r"(pre|non|no|without|ohne)[ _-]*(contrast|kontrast|gad|gd|km|ce)(?![a-z])|nativ|(?<![a-z])pre(?![a-z])"
)
T2 = re.compile(r"t2")
SUFFIX = re.compile(r"\.(nii|gz|mgz|mgh|nrrd|nhdr|mha|mhd|dcm|zip|ima)(?=\.|$)")

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


def recognise(name: str, volume: Volume | None = None) -> str | None:
    """Return the slot ("t1", "t1ce", "t2", "flair") of a file by its name, or where that leaves it open by ``volume``.

    None where neither is sure. A whole head is not judged by its intensities.
    """
    plain = SUFFIX.sub("", name.rsplit("/", 1)[-1].lower())
    if OTHER.search(plain):
        return None
    found = _by_name(plain)
    if found is None and volume is not None:
        found = _by_look(volume)
    return found


def assign(files: Sequence[tuple[str, Volume | None]]) -> Assignment:
    """Return which of several dropped ``files`` (name, scan where it was read) goes into which slot.

    Names decide first, looks fill what is left. A file that repeats another one, finds its slot taken, or is not
    recognised stays without a slot and has a sentence in ``problems``.
    """
    by_name = [recognise(name) for name, _ in files]
    order = sorted(range(len(files)), key=lambda index: by_name[index] is None)
    slots: dict[str, int] = {}
    problems: list[str] = []
    kept: list[int] = []
    for index in order:
        name, volume = files[index]
        twin = next((other for other in kept if _same(volume, files[other][1])), None)
        if twin is not None:
            problems.append(f"{files[twin][0]} and {name} are the same scan: the second is left out.")
            continue
        kept.append(index)
        slot = by_name[index] or recognise(name, volume)
        if slot is None:
            problems.append(f"The contrast of {name} is not clear: choose its slot.")
        elif slot in slots:
            problems.append(
                f"{name} looks like {TITLES[slot]}, and so does {files[slots[slot]][0]}: choose one of them."
            )
        else:
            slots[slot] = index
    return Assignment({slot: slots[slot] for slot in CONTRASTS if slot in slots}, tuple(problems))


def _same(one: Volume | None, other: Volume | None) -> bool:
    return one is not None and other is not None and same_scan(one, other)


def look(volume: Volume) -> Real | None:
    """Return 14 numbers in which contrasts differ, whatever the units; None unless the scan is skull-stripped.

    In units of the middle 70 % of the brain's intensities and less their median: six percentiles, the median at six
    depths under the surface (white matter lies deep, fluid near the surface and deepest), the spread near the surface
    and deep inside.
    """
    head = find_head(volume)
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


def _by_name(name: str) -> str | None:
    if FLAIR.search(name):
        return "flair"
    first, second = T1.search(name), T2.search(name)
    if first and second:
        return None
    if second:
        return "t2"
    agent = AGENT.search(name) and not WITHOUT.search(name)
    if first:
        return "t1ce" if agent else "t1"
    return None


def _by_look(volume: Volume) -> str | None:
    numbers = look(volume)
    if numbers is None:
        return None
    probability = chances(numbers)
    best = int(probability.argmax())
    return CONTRASTS[best] if probability[best] >= SURE else None
