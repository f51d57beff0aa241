"""Which contrast a file holds: read from its name, or else judged from its intensities."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.contrasts import CONTRASTS, TITLES
from core.imaging.contrast_look import by_look
from core.imaging.translate.sources import same_scan
from core.presentation import Assignment
from core.volume import Volume

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


def recognise(name: str, volume: Volume | None = None) -> str | None:
    """Return the slot ("t1", "t1ce", "t2", "flair") of a file by its name, or where that leaves it open by ``volume``.

    None where neither is sure. A whole head is not judged by its intensities.
    """
    plain = SUFFIX.sub("", name.rsplit("/", 1)[-1].lower())
    if OTHER.search(plain):
        return None
    found = _by_name(plain)
    if found is None and volume is not None:
        found = by_look(volume)
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
