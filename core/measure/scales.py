"""Ratings of the images of each method on the scales of a study."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.measure.answers import Answer, Question
from core.measure.bootstrap import Bootstrap
from core.measure.coding import category
from core.measure.findings import MethodScale, ScaleResult


def scale(question: Question, answers: Sequence[Answer], bootstrap: Bootstrap) -> ScaleResult:
    """Return the answers to one scale by method, sorted by name; those about two images belong to no method."""
    found: dict[str, list[tuple[int, float]]] = {}
    for answer in answers:
        code = category(question, answer)
        if len(answer.images) == 1 and not np.isnan(code):
            found.setdefault(answer.images[0].method, []).append((answer.item, code + 1))
    return ScaleResult(
        question=question.name,
        title=question.title,
        levels=question.levels,
        low=question.low,
        high=question.high,
        methods=tuple(_method(method, rows, question.levels, bootstrap) for method, rows in sorted(found.items())),
    )


def _method(method: str, rows: Sequence[tuple[int, float]], levels: int, bootstrap: Bootstrap) -> MethodScale:
    item, values = np.array(rows).T
    counts = np.bincount(values.astype(int), minlength=levels + 1)[1:]
    return MethodScale(
        method=method,
        counts=tuple(int(count) for count in counts),
        n=len(values),
        mean=bootstrap.mean(item.astype(np.int64), values),
        median=float(np.median(values)),
    )
