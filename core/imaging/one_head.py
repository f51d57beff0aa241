"""Whether two scans given as one person's are of one head: the note on it, with the figure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.anatomy.head import Head, find_head
from core.anatomy.registration import Alignment, register_heads
from core.anatomy.same_head import BLOCK_MM, ONE_HEAD, TWO_HEADS, Fit, fit, judge
from core.result import Note
from core.volume import Volume

Bool = NDArray[np.bool_]

# seconds on one core of a 2.5 GHz server processor to judge a reference of 1 mm that lies right
REFERENCE_SECONDS = 1.0


def fit_note(name: str, other: str, found: Fit) -> Note:
    """Return the note on how well the scan called ``name`` fits the one called ``other``, once aligned: a warning where
    they are, or may be, of two people."""
    judgement = judge(found)
    if judgement == "unknown":
        text = f"{name} and {other} share too little for it to be judged whether they show one head."
        return Note("info", text)
    figure = (
        f"borders fit best where they lie in {found.share:.0%} of {found.blocks} blocks of {BLOCK_MM:.0f} mm "
        f"(one person: {ONE_HEAD:.0%} and more, two people: less than {TWO_HEADS:.0%})"
    )
    if judgement == "one":
        return Note("info", f"{name} and {other} show one head: {figure}.")
    if judgement == "unsure":
        return Note(
            "warning", f"{name} and {other} may be of two people, or badly aligned: {figure}. Check both files."
        )
    return Note(
        "warning",
        f"{name} and {other} seem to be of two people: {figure}. Do not use the result unless both files are surely of "
        "one person; if they are, the alignment has failed.",
    )


def reference_note(truth: Volume, scan: Volume, head: Head, masked: Bool | None = None) -> Note:
    """Return the note on whether a reference is of the head of ``scan``: as it lies, and aligned where it does not fit.

    Both are RAS+; head: that of the scan. masked: (X, Y, Z) bool of the scan, what is not compared.
    """
    truth_head = find_head(truth)
    shown = head if masked is None else replace(head, mask=head.mask & ~masked)
    found = fit(scan, shown, truth, truth_head)
    if judge(found) in ("two", "unsure"):
        moved = register_heads(scan, head, truth, truth_head)
        if moved is not None:
            again = fit(scan, shown, Volume(truth.data, moved.matrix @ truth.affine), truth_head)
            if judge(again) == "one":
                return _misplaced(moved)
            found = max(found, again, key=lambda each: each.share)
    return fit_note("The reference", "the scan", found)


def _misplaced(moved: Alignment) -> Note:
    return Note(
        "warning",
        f"The reference is of the same head, but lies {moved.distance_mm:.1f} mm and {moved.degrees:.1f} degrees off "
        "the scan: what is measured against it counts that too. Register it to the scan first.",
    )
