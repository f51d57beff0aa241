"""Limitations of the results of a study: sentences on what could not be computed or was left out, and why."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from core.measure.answers import MARK, PREFER, REAL, Answer, Question
from core.measure.coding import SIDES, categories, category
from core.measure.correlation import ENOUGH
from core.measure.findings import Agreement, Results
from core.measure.preference import choices, parted
from core.plurals import count


def notes(results: Results, questions: Sequence[Question], counted: Sequence[Answer]) -> tuple[str, ...]:
    """Return the limitations of ``results``; counted: the answers that they rest on."""
    if not counted:
        return ("No item has been answered yet.",)
    asked = {question.name: question for question in questions}
    return (
        *_general(results),
        *(note for found in results.agreements for note in _agreement(found, results.raters)),
        *_detection(results, counted),
        *(note for question in questions for note in _scale(question, counted)),
        *_preference(results, counted),
        *(_marks(asked[MARK], counted) if MARK in asked else ()),
        *_correlations(results, questions),
    )


def _general(results: Results) -> Iterator[str]:
    if results.raters == 1:
        yield "Only one rater has answered, so agreement between raters cannot be computed."
    if results.items == 1:
        yield "Only one item has been answered; intervals that draw items again need two."
    if results.agreements and not any(found.same.n for found in results.agreements):
        yield "No repeat has been answered, so the agreement of raters with themselves cannot be computed."
    if results.raters > 1 and (results.detections or results.pairs):
        yield (
            "Wilson intervals and binomial tests take all answers as independent. Answers of several raters to one "
            "item are not, so those of all raters together are narrower than they should be."
        )


def _agreement(found: Agreement, raters: int) -> Iterator[str]:
    if not found.raters:
        yield f"Nobody has answered “{found.title}”."
    if found.same.n and math.isnan(found.again.value):
        yield f"“{found.title}”: all repeats got one and the same answer, so kappa of repeats is not defined."
    if found.raters == 1 and raters > 1:
        yield f"“{found.title}”: only one rater has answered it."
    if found.raters < 2:
        return
    if not found.alpha.n:
        yield f"“{found.title}”: no item was answered by two raters, so there is no agreement to compute."
    elif math.isnan(found.alpha.value):
        yield f"“{found.title}”: all answers are the same, so agreement beyond chance is not defined."
    elif math.isnan(found.kappa.value):
        yield f"“{found.title}”: no two raters gave different answers to two items in common, so kappa is not defined."
    if found.level == "ordinal" and found.icc.n < found.alpha.n:
        yield f"“{found.title}”: ICC(2,1) uses only items that all raters answered: {found.icc.n} of {found.alpha.n}."
    if found.level == "nominal" and found.fleiss.n < found.alpha.n:
        yield (
            f"“{found.title}”: Fleiss' kappa uses only items with equally many answers: "
            f"{found.fleiss.n} of {found.alpha.n}."
        )


def _detection(results: Results, counted: Sequence[Answer]) -> Iterator[str]:
    two = sum(REAL in answer.values and len(answer.images) != 1 for answer in counted)
    if two:
        yield f"Real or synthetic: {count(two, 'answer')} about two images at once counted for neither."
    truths = {found.truth for found in results.fooling}
    if len(truths) == 1:
        yield f"Only {truths.pop()} images were judged real or synthetic; d' and the criterion need both kinds."


def _scale(question: Question, counted: Sequence[Answer]) -> Iterator[str]:
    if question.kind != "scale":
        return
    given = [answer for answer in counted if not math.isnan(category(question, answer))]
    two = sum(len(answer.images) != 1 for answer in given)
    # confidence belongs to the answer, not to an image
    if two and question.name != "confidence":
        yield f"“{question.title}”: {count(two, 'answer')} about two images at once counted under no method."


def _preference(results: Results, counted: Sequence[Answer]) -> Iterator[str]:
    given = choices(counted)
    same = sum(answer.values.get(PREFER) in SIDES for answer in counted) - len(given)
    if same:
        yield f"{count(same, 'preference')} not between two methods counted for none."
    if parted(given):
        yield (
            "Some methods were never compared with each other, not even through a third one; "
            "their order in the ranking means nothing."
        )
    if results.pairs and all(pair.wins in (0, pair.n) for pair in results.pairs):
        yield "In every pair one method was always preferred; how strong it is depends on the number of answers alone."


def _marks(question: Question, counted: Sequence[Answer]) -> Iterator[str]:
    unknown = sum(MARK in answer.values and answer.values[MARK] is None for answer in counted)
    if unknown:
        yield (
            f"“{question.title}”: {count(unknown, 'answer')} counted for no method, because nothing was marked "
            "or what of the image was made is not known."
        )


def _correlations(results: Results, questions: Sequence[Question]) -> Iterator[str]:
    if not results.correlations:
        if any(question.name in (REAL, PREFER) or categories(question) for question in questions):
            yield "No measures are known of the images, so ratings cannot be compared with any."
        return
    for found in results.correlations:
        if found.rho.n < ENOUGH:
            yield f"“{found.title}” against {found.measure}: {count(found.rho.n, 'item')}, too few for a correlation."
        elif math.isnan(found.rho.value):
            yield f"“{found.title}” against {found.measure}: one of the two is the same for all items."
