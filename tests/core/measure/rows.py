"""Short ways to write answers, and a bootstrap whose resamples can be looked at."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from core.measure.answers import Answer, Collected, Image, Question, Rater, Use
from core.measure.bootstrap import Bootstrap, Floats
from core.measure.intervals import Estimate

REAL_ASKED = Question("real", "choice", "Is it real?", options=(("real", "Real"), ("synthetic", "Synthetic")))
PREFER_ASKED = Question("prefer", "choice", "Which is better?", options=(("A", "A"), ("B", "B")))
CONFIDENCE_ASKED = Question("confidence", "scale", "How sure?")
SCALE_ASKED = Question("realism", "scale", "Realistic?")
MARK_ASKED = Question("mark", "mark", "Anything odd?")
ALL_ASKED = (REAL_ASKED, PREFER_ASKED, CONFIDENCE_ASKED, SCALE_ASKED, MARK_ASKED)


def image(
    method: str = "ours", case: str = "c1", truth: Literal["real", "synthetic"] = "synthetic", **measures: float
) -> Image:
    return Image(method, case, truth, measures)


def answer(
    rater: str,
    item: int,
    *images: Image,
    use: Use = "item",
    repeat: bool = False,
    position: int = 1,
    group: str = "",
    expected: dict[str, str | int] | None = None,
    seconds: float = 4.0,
    slices: dict[str, int] | None = None,
    **values: str | float | None,
) -> Answer:
    return Answer(
        rater, group, item, use, repeat, position, images or (image(),), values, expected or {}, seconds, 1, 2,
        slices or {}, "2026-11-20T09:00:00Z",
    )  # fmt: skip


def study(*answers: Answer, questions: tuple[Question, ...] = ALL_ASKED) -> Collected:
    """Return a study of all who gave one of ``answers``."""
    who = {given.rater: given.group for given in answers}
    raters = tuple(Rater(name, group, 1, 9) for name, group in sorted(who.items()))
    return Collected("s1", "Study", questions, raters, answers)


class Watched(Bootstrap):
    """A bootstrap that keeps all values of its last estimate in ``seen``."""

    seen: Floats

    def estimate(self, values: ArrayLike, items: int) -> Estimate:
        object.__setattr__(self, "seen", np.asarray(values, np.float64))
        return super().estimate(values, items)

    def drawn(self, row: int, items: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        """Return which items resample ``row`` holds, each as often as it was drawn."""
        return np.repeat(np.arange(items), self.weights(items)[row].astype(int))
