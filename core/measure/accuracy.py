"""Discrimination of synthetic from real images: accuracy, signal detection, share of each method called real.

d' and the criterion with 0.5 added to each count, so that they are finite: Hautus (1995), Behav Res Methods Instrum
Comput 27:46.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from core.measure.answers import CONFIDENCE, REAL, Answer
from core.measure.bootstrap import Bools, Bootstrap, Floats, Whole, positions
from core.measure.findings import EVERYONE, Detection, Fooling, Scope
from core.measure.intervals import NAN, binomial_p, wilson

SYNTHETIC = "synthetic"


@dataclass(frozen=True)
class Verdicts:
    """Answers to "real or synthetic?" about one image each, N rows.

    item: (N,) number of the item. synthetic: (N,) whether the image is. called: (N,) whether it was called synthetic.
    confidence: (N,) 1 to 5, nan where not asked. rater, group, method: N names.
    """

    item: Whole
    synthetic: Bools
    called: Bools
    confidence: Floats
    rater: tuple[str, ...]
    group: tuple[str, ...]
    method: tuple[str, ...]

    @property
    def right(self) -> Bools:
        """Whether each answer is right, (N,)."""
        return np.asarray(self.synthetic == self.called)

    def where(self, chosen: Bools) -> Verdicts:
        """Return the rows that ``chosen`` (N,) is true for."""
        rows = np.flatnonzero(chosen)
        names = (tuple(column[row] for row in rows) for column in (self.rater, self.group, self.method))
        return Verdicts(self.item[rows], self.synthetic[rows], self.called[rows], self.confidence[rows], *names)


def verdicts(answers: Sequence[Answer]) -> Verdicts:
    """Return the verdicts of ``answers``; those about two images are left out, as they hold for neither."""
    rows = [
        (answer, answer.values[REAL] == SYNTHETIC)
        for answer in answers
        if len(answer.images) == 1 and answer.values.get(REAL) in ("real", SYNTHETIC)
    ]
    return Verdicts(
        item=np.array([answer.item for answer, _ in rows], np.int64),
        synthetic=np.array([answer.images[0].truth == SYNTHETIC for answer, _ in rows], np.bool_),
        called=np.array([called for _, called in rows], np.bool_),
        confidence=np.array([_confidence(answer) for answer, _ in rows], np.float64),
        rater=tuple(answer.rater for answer, _ in rows),
        group=tuple(answer.group for answer, _ in rows),
        method=tuple(answer.images[0].method for answer, _ in rows),
    )


def detections(given: Verdicts, bootstrap: Bootstrap) -> tuple[Detection, ...]:
    """Return the detection of all raters, of each group where there are two or more, and of each rater."""
    if not len(given.item):
        return ()
    parts: list[tuple[str, Scope, Verdicts]] = [(EVERYONE, "all", given)]
    groups = sorted(set(given.group))
    scopes: list[tuple[Scope, list[str], tuple[str, ...]]] = [
        ("group", groups if len(groups) > 1 else [], given.group),
        ("rater", sorted(set(given.rater)), given.rater),
    ]
    for scope, names, column in scopes:
        labels = np.array(column)
        parts += [(name, scope, given.where(labels == name)) for name in names]
    return tuple(_detection(name, scope, part, bootstrap) for name, scope, part in parts)


def fooling(given: Verdicts) -> tuple[Fooling, ...]:
    """Return for each method how often its images were called real, synthetic ones first, sorted by name."""
    found: dict[tuple[bool, str], list[bool]] = {}
    for method, synthetic, called in zip(given.method, given.synthetic, given.called, strict=True):
        found.setdefault((not synthetic, method), []).append(not called)
    return tuple(
        Fooling(method, "real" if real else "synthetic", wilson(sum(called_real), len(called_real)))
        for (real, method), called_real in sorted(found.items())
    )


def signal_detection(counts: Floats) -> tuple[Floats, Floats]:
    """Return d' = z(H) - z(F) and the criterion -(z(H) + z(F)) / 2 of (R, 4) counts, each (R,).

    H, F: shares of synthetic and of real images called synthetic; nan unless there are both kinds of images.

    counts: synthetic images called synthetic, synthetic images, real images called synthetic, real images.
    """
    hits, signals, alarms, noises = counts.T
    hit, alarm = special.ndtri((hits + 0.5) / (signals + 1)), special.ndtri((alarms + 0.5) / (noises + 1))
    both = (signals > 0) & (noises > 0)
    return np.where(both, hit - alarm, NAN), np.where(both, -(hit + alarm) / 2, NAN)


def _detection(name: str, scope: Scope, given: Verdicts, bootstrap: Bootstrap) -> Detection:
    right, called, synthetic = given.right, given.called, given.synthetic
    place, items = positions(given.item)
    counts = np.column_stack(
        [
            np.bincount(place, rows, minlength=items).astype(float)
            for rows in (called & synthetic, synthetic, called & ~synthetic, ~synthetic)
        ]
    )
    asked = ~np.isnan(given.confidence)
    sure = [bootstrap.mean(given.item[asked & chosen], given.confidence[asked & chosen]) for chosen in (right, ~right)]
    return Detection(
        who=name,
        scope=scope,
        n=len(right),
        right=int(right.sum()),
        accuracy=wilson(int(right.sum()), len(right)),
        clustered=bootstrap.mean(given.item, right.astype(float)),
        p=binomial_p(int(right.sum()), len(right)),
        sensitivity=wilson(int((called & synthetic).sum()), int(synthetic.sum())),
        specificity=wilson(int((~called & ~synthetic).sum()), int((~synthetic).sum())),
        dprime=bootstrap.of_sums(lambda sums: signal_detection(sums)[0], counts),
        criterion=bootstrap.of_sums(lambda sums: signal_detection(sums)[1], counts),
        confidence_right=sure[0],
        confidence_wrong=sure[1],
    )


def _confidence(answer: Answer) -> float:
    value = answer.values.get(CONFIDENCE)
    return float(value) if isinstance(value, int) else NAN
