"""What the choice of a target means; importing it loads neither numpy nor torch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from core.contrasts import CANNOT_KNOW, CONTRASTS
from core.presentation import GivenScan, Offer
from core.result import Note, notes

# the contrast people want most often comes first
WANTED = ("flair", "t2", "t1", "t1ce")


def missing(given: Collection[str]) -> Offer:
    """Return the contrasts that are not among ``given``, all of them where none is missing."""
    left = tuple(name for name in CONTRASTS if name not in given) or CONTRASTS
    return Offer(left, next(name for name in WANTED if name in left))


def explain(scans: Mapping[str, GivenScan], params: Mapping[str, Any]) -> tuple[Note, ...]:
    """Return what an image of the target contrast cannot show."""
    return notes("warning", (CANNOT_KNOW[params["target"]],))
