"""Overlap of marks on suspicious tissue with tissue that a method made."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from core.measure.answers import MARK, Answer
from core.measure.bootstrap import Bootstrap
from core.measure.findings import MarkResult
from core.measure.intervals import wilson

# a mark is a hit when this share of it lies in made tissue
HIT = 0.5


def marks(answers: Sequence[Answer], bootstrap: Bootstrap) -> tuple[MarkResult, ...]:
    """Return the overlap for each method, sorted by name; answers whose share is not known are left out."""
    found: dict[str, list[tuple[int, float]]] = {}
    for answer in answers:
        share = answer.values.get(MARK)
        if len(answer.images) == 1 and isinstance(share, (int, float)) and math.isfinite(share):
            found.setdefault(answer.images[0].method, []).append((answer.item, float(share)))
    return tuple(_method(method, rows, bootstrap) for method, rows in sorted(found.items()))


def _method(method: str, rows: Sequence[tuple[int, float]], bootstrap: Bootstrap) -> MarkResult:
    item, shares = np.array(rows).T
    hits = int((shares >= HIT).sum())
    return MarkResult(method, bootstrap.mean(item.astype(np.int64), shares), wilson(hits, len(shares)))
