"""Order of the items before a rater, repeats, and sides of the images, drawn by HMAC-SHA256 of the study's secret.

Every order can be computed again from the secret and the rater's id; docs/reader-study.md has the rules.
"""

from __future__ import annotations

import hmac
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from webapp.store.study_records import ItemRecord

# fewest items between the first showing and its repeat; a third of all items in a small study
APART = 10
# fewest items of a study with repeats
FEWEST = 4


@dataclass(frozen=True)
class Slot:
    """One showing of a rater's sequence: the new item number ``first``, counted from 0, or its repeat."""

    first: int
    repeat: bool = False


def draw(secret: str, *words: object) -> int:
    """Return a number below 2^64: the first 8 bytes of HMAC-SHA256 of the words, joined by "|", big endian."""
    message = "|".join(str(word) for word in words)
    return int.from_bytes(hmac.digest(secret.encode(), message.encode(), "sha256")[:8], "big")


def arranged(secret: str, rater: str, items: Sequence[ItemRecord], order: str) -> list[ItemRecord]:
    """Return the items in a rater's order, sorted by their draw, which is the same for all raters in order "study"."""
    if order == "none":
        return list(items)
    who = "" if order == "study" else rater
    return sorted(items, key=lambda item: draw(secret, "order", who, item.number))


def slots(secret: str, rater: str, number: int, repeats: float) -> list[Slot]:
    """Return the sequence of a rater for ``number`` items, of which the share ``repeats`` is shown twice."""
    again = 0 if number < FEWEST else math.floor(repeats * number + 0.5)
    apart = max(1, min(APART, number // 3))
    early = sorted(range(number - apart), key=lambda place: draw(secret, "repeat", rater, place))[:again]
    after: dict[int, list[int]] = {}
    for place in sorted(early):
        room = number - apart - place
        after.setdefault(place + apart + draw(secret, "gap", rater, place) % room, []).append(place)
    row: list[Slot] = []
    for place in range(number):
        row.append(Slot(place))
        row += [Slot(earlier, repeat=True) for earlier in after.get(place, [])]
    return row


def least_shown(candidates: Sequence[ItemRecord], shown: Mapping[int, int]) -> ItemRecord:
    """Return the item that was shown least often to all raters; of several the first of ``candidates``."""
    return min(candidates, key=lambda item: shown.get(item.id, 0))


def flipped(secret: str, rater: str, items: Sequence[ItemRecord], item: ItemRecord, *, repeat: bool) -> bool:
    """Return whether the second image stands left: in half of the items, chosen by their draw; a repeat swaps sides."""
    ranked = sorted(items, key=lambda one: draw(secret, "side", rater, one.number))
    return (ranked.index(item) < (len(ranked) + draw(secret, "odd", rater) % 2) // 2) != repeat
