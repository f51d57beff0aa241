"""Collection of the answers to a study from the database, as the statistics read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.measure.answers import MARK, Answer, Collected, Image, Rater
from webapp.store.studies import Studies
from webapp.store.study_records import AnswerRecord, ImageRecord, ItemRecord, RaterRecord, ShowingRecord, StudyRecord
from webapp.study import run_lengths
from webapp.study.rating import Sitting, design_of, expected

YEARS = ((2, "under 2 years"), (5, "2 to 5 years"), (10, "5 to 10 years"))
MOST_YEARS = "10 years and more"


def collect(studies: Studies, study: StudyRecord, *, labels: bool = False) -> Collected:
    """Return the newest answer to each showing, rater by rater in the order of their showings.

    labels: add the managers' own names of the raters to R01, R02 ...
    """
    images, items = studies.images(study), {item.id: item for item in studies.items(study)}
    given = studies.all_answers(study)
    raters, answers = [], []
    for record in studies.raters(study):
        name = f"{record.name} {record.label}".strip() if labels else record.name
        mine = [(shown, given[shown.id]) for shown in studies.showings(record) if shown.id in given]
        raters.append(Rater(name, group_of(record), len(mine), Sitting(studies, study, record, "").total))
        answers += [_answer(name, record, items[shown.item], shown, kept, images) for shown, kept in mine]
    return Collected(study.id, study.title, design_of(study).questions, tuple(raters), tuple(answers))


def progress(studies: Studies, study: StudyRecord) -> tuple[Rater, ...]:
    """Return the showings done and in all of each rater of a study."""
    return tuple(
        Rater(one.name, group_of(one), len(studies.answered(one)), Sitting(studies, study, one, "").total)
        for one in studies.raters(study)
    )


def group_of(rater: RaterRecord) -> str:
    """Return the group of a rater, expertise and years of experience; "" where neither is known."""
    years = "" if rater.years is None else next((words for most, words in YEARS if rater.years < most), MOST_YEARS)
    return ", ".join(part for part in (rater.expertise, years) if part)


def _answer(
    name: str,
    rater: RaterRecord,
    item: ItemRecord,
    shown: ShowingRecord,
    kept: AnswerRecord,
    images: Mapping[int, ImageRecord],
) -> Answer:
    order = [images[one] for one in item.images]
    order = order[::-1] if shown.flipped else order
    asked = {} if item.use == "item" else expected(order)
    right = {question: value for question, value in asked.items() if question in kept.answers}
    return Answer(
        rater=name,
        group=group_of(rater),
        item=item.number,
        use=item.use,
        repeat=shown.repeat,
        position=shown.position,
        images=tuple(Image(one.method, one.case, one.truth, one.measures) for one in order),
        values=_values(kept.answers, order[0]),
        expected=right,
        seconds=kept.seconds,
        changes=kept.changes,
        revisions=kept.revisions,
        slices=kept.circumstances["slices"],
        answered=kept.created.isoformat(timespec="seconds"),
    )


def _values(answers: Mapping[str, Any], image: ImageRecord) -> dict[str, str | int | float | None]:
    values = dict(answers)
    if MARK in values:
        marked = values[MARK] and values[MARK]["runs"]
        known = marked and image.region is not None
        values[MARK] = run_lengths.share_inside(marked, image.region or ()) if known else None
    return values
