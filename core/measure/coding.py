"""Coding of answers: which of them count, and the number of the category of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from core.measure.answers import PREFER, Answer, Image, Question
from core.measure.bootstrap import Floats
from core.measure.intervals import NAN

# the values of the question which of two images is better, in the order of the screen
SIDES = ("A", "B")


def scored(answers: Iterable[Answer]) -> list[Answer]:
    """Return the answers that count: of proper items, the first showing to each rater, sorted by item and rater."""
    first: dict[tuple[int, str], Answer] = {}
    for answer in sorted(answers, key=lambda answer: (answer.item, answer.rater, answer.position)):
        if answer.use == "item" and not answer.repeat:
            first.setdefault((answer.item, answer.rater), answer)
    return list(first.values())


def repeated(answers: Iterable[Answer], first: Sequence[Answer]) -> list[tuple[Answer, Answer]]:
    """Return the first answer with each later answer of the same rater to the same item, sorted by item and rater."""
    known = {(answer.item, answer.rater): answer for answer in first}
    again = sorted(answers, key=lambda answer: (answer.item, answer.rater, answer.position))
    return [
        (known[answer.item, answer.rater], answer)
        for answer in again
        if answer.use == "item" and answer.repeat and (answer.item, answer.rater) in known
    ]


def in_order(images: Sequence[Image]) -> bool:
    """Return whether two images stand in the order of method, case and truth, which does not depend on the screen."""
    return _key(images[0]) <= _key(images[1])


def preferred(answer: Answer) -> tuple[Image, Image] | None:
    """Return the preferred image and the other one; None without a preference between two different images."""
    value = answer.values.get(PREFER)
    if len(answer.images) != 2 or value not in SIDES or _key(answer.images[0]) == _key(answer.images[1]):
        return None
    left, right = answer.images
    return (left, right) if value == SIDES[0] else (right, left)


def categories(question: Question) -> int:
    """Return how many different answers ``question`` has; 0 where answers are no categories."""
    if question.name == PREFER:
        return len(SIDES)
    return {"choice": len(question.options), "scale": question.levels}.get(question.kind, 0)


def category(question: Question, answer: Answer) -> float:
    """Return the category of an answer, from 0; nan without a valid one.

    A preference is coded by the image, not by its side of the screen, because sides differ from showing to showing.
    """
    value = answer.values.get(question.name)
    if question.name == PREFER:
        chosen = preferred(answer)
        return NAN if chosen is None else float(not in_order(chosen))
    if question.kind == "scale":
        known = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= question.levels
        return float(value) - 1 if known and value is not None else NAN
    values = [option for option, _ in question.options]
    return float(values.index(value)) if isinstance(value, str) and value in values else NAN


def table(question: Question, answers: Sequence[Answer]) -> Floats:
    """Return the categories of ``answers`` as (raters, items) with nan where a rater did not answer an item.

    Raters and items without any answer to the question are left out; both are sorted.
    """
    codes = [(answer.rater, answer.item, category(question, answer)) for answer in answers]
    given = [code for code in codes if not np.isnan(code[2])]
    rows = {rater: row for row, rater in enumerate(sorted({rater for rater, _, _ in given}))}
    columns = {item: column for column, item in enumerate(sorted({item for _, item, _ in given}))}
    values = np.full((len(rows), len(columns)), NAN)
    for rater, item, code in given:
        values[rows[rater], columns[item]] = code
    return values


def _key(image: Image) -> tuple[str, str, str]:
    return image.method, image.case, image.truth
