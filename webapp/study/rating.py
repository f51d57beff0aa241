"""The rating of one rater: the state of the study, one showing after another, the answers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from core.errors import UserError
from core.measure.answers import MARK, PREFER, REAL, Question
from webapp.store.studies import Studies
from webapp.store.study_records import ImageRecord, ItemRecord, RaterRecord, ShowingRecord, StudyRecord
from webapp.study import run_lengths
from webapp.study.design import Design
from webapp.study.order import Slot, arranged, flipped, least_shown, slots

# showings that may be fetched before the earlier ones are answered, so that images load in time
AHEAD = 2
COMMENT_LIMIT = 2000
LONGEST_SECONDS = 86400.0
AXES = ("axial", "coronal", "sagittal")
CIRCUMSTANCE_LIMIT = 40


@dataclass(frozen=True)
class Sitting:
    """One rater of one study, for one request; showings and answers are read once, on first use."""

    studies: Studies
    study: StudyRecord
    rater: RaterRecord
    address: str

    @classmethod
    def of(cls, studies: Studies, key: str, address: str) -> Sitting:
        """Return the sitting of an invitation. address: prefix of the addresses of its images.

        UserError not_found, invitation_over.
        """
        rater, study = studies.by_key(key)
        return cls(studies, study, rater, address)

    def state(self) -> dict[str, Any]:
        """Return the state of the study as the page shows it."""
        design = self.design
        begun = self.rater.consented is not None
        return {
            "title": design.title,
            "instructions": design.instructions,
            "consent": design.agreement,
            "end": design.end,
            "changes": design.changes,
            "toggle": design.toggle,
            "started": begun,
            "expertise": [] if self.rater.expertise else list(design.expertise),
            "progress": self._progress(),
            "next": self._next() if begun else None,
        }

    def start(self, expertise: str, years: float | None) -> dict[str, Any]:
        """Record the rater's consent and return the state. UserError bad_rating."""
        if years is not None and not 0 <= years <= 80:
            raise UserError("bad_rating", "These are no years of experience.", "Give a number from 0 to 80, or none.")
        begun = self.studies.start(self.rater, expertise.strip()[:120], years)
        return Sitting(self.studies, self.study, begun, self.address).state()

    def showing(self, position: int) -> dict[str, Any]:
        """Return the showing at ``position``, from 1; UserError not_found for one that is too far ahead."""
        self._require_consent()
        if not 1 <= position <= min(len(self._done) + AHEAD, self.total):
            raise UserError("not_found", "There is no such item yet.", "Reload the page; it goes on where you were.")
        return self._described(self._at(position))

    def image(self, token: str) -> str:
        """Return the blob of an image of this rater by the end of its address; UserError not_found."""
        return self.studies.image_at(self.rater, token)

    def save(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Store an answer and return its number, the feedback of a practice item, and the next showing.

        The same ``client_id`` again changes nothing. UserError bad_rating, not_found.
        """
        self._require_consent()
        shown = self.studies.showing(self.rater, str(given.get("showing")))
        client = given.get("client_id")
        if shown is None or not isinstance(client, str):
            raise UserError("not_found", "This item was not shown to you.", "Reload the page.")
        before = self.studies.answer(shown)
        item = self._items[shown.item]
        again = before is not None and before.client_id == client
        answers = before.answers if before is not None and again else self._checked(item, given.get("answers"))
        kept = self.studies.rate(
            shown,
            client,
            answers,
            _seconds(given.get("seconds")),
            _count(given.get("changes")),
            _circumstances(given),
            final=item.use == "training" or not self.design.changes,
        )
        return {
            "saved": kept,
            "feedback": self._feedback(item, shown, answers) if item.use == "training" else None,
            "progress": self._progress(),
            "next": self._next(),
        }

    @cached_property
    def design(self) -> Design:
        """The design of the study."""
        return design_of(self.study)

    @property
    def total(self) -> int:
        """The number of showings of this rater, practice and repeats included."""
        return len(self._practice) + len(self._slots)

    @cached_property
    def _items(self) -> dict[int, ItemRecord]:
        return {item.id: item for item in self.studies.items(self.study)}

    @cached_property
    def _practice(self) -> list[ItemRecord]:
        return [item for item in self._items.values() if item.use == "training"]

    @cached_property
    def _scored(self) -> list[ItemRecord]:
        return [item for item in self._items.values() if item.use != "training"]

    @cached_property
    def _slots(self) -> list[Slot]:
        return slots(self.study.secret, self.rater.id, len(self._scored), self.design.repeats)

    @cached_property
    def _shown(self) -> list[ShowingRecord]:
        return list(self.studies.showings(self.rater))

    @cached_property
    def _done(self) -> frozenset[str]:
        return self.studies.answered(self.rater)

    @cached_property
    def _images(self) -> dict[int, ImageRecord]:
        return self.studies.images(self.study)

    def _require_consent(self) -> None:
        if self.rater.consented is None:
            raise UserError("bad_rating", "You have not agreed to take part yet.", "Reload the page and begin.")

    def _progress(self) -> dict[str, int]:
        return {"done": len(self._done), "total": self.total}

    def _next(self) -> dict[str, Any] | None:
        open_ones = (one for one in self._shown if one.id not in self._done)
        waiting = next(open_ones, None)
        if waiting is None and len(self._shown) < self.total:
            waiting = self._at(len(self._shown) + 1)
        return None if waiting is None else self._described(waiting)

    def _at(self, position: int) -> ShowingRecord:
        """Return the showing at a position; it and those before are chosen now if they were not yet."""
        while len(self._shown) < position:
            place = len(self._shown)
            item, repeat = self._chosen(place)
            turned = len(item.images) == 2 and flipped(
                self.study.secret, self.rater.id, self._pairs(item), item, repeat=repeat
            )
            self._shown.append(self.studies.show(self.rater, place + 1, item, repeat=repeat, flipped=turned))
        return self._shown[position - 1]

    def _pairs(self, item: ItemRecord) -> list[ItemRecord]:
        """Return the pairs of which half are swapped: those for practice, or all others."""
        practice = item.use == "training"
        return [one for one in self._items.values() if len(one.images) == 2 and (one.use == "training") == practice]

    def _chosen(self, place: int) -> tuple[ItemRecord, bool]:
        if place < len(self._practice):
            return self._practice[place], False
        row, before = self._slots, len(self._practice)
        slot = row[place - before]
        if slot.repeat:
            first = row.index(Slot(slot.first))
            return self._items[self._shown[before + first].item], True
        ranked = arranged(self.study.secret, self.rater.id, self._scored, self.design.order)
        if self.design.order != "least":
            return ranked[slot.first], False
        seen = {one.item for one in self._shown}
        return least_shown([one for one in ranked if one.id not in seen], self.studies.times_rated(self.study)), False

    def _described(self, shown: ShowingRecord) -> dict[str, Any]:
        item = self._items[shown.item]
        tokens = [shown.left] if shown.right is None else [shown.left, shown.right]
        before = self.studies.answer(shown) if shown.id in self._done else None
        return {
            "id": shown.id,
            "position": shown.position,
            "training": item.use == "training",
            "images": [f"{self.address}/image/{token}" for token in tokens],
            "at": self._look(item),
            "questions": [_described(question) for question in self.design.asked_of(len(item.images))],
            "answers": None if before is None else before.answers,
        }

    def _look(self, item: ItemRecord) -> list[int] | None:
        """Return the voxel where the crosshair begins: the middle of what was made in the case, in real images too."""
        if self.design.look == "middle":
            return None
        regions = {image.case: image.region for image in self._images.values() if image.region}
        # a case in which nothing was made would be recognised by its crosshair
        if any(image.case not in regions for image in self._images.values()):
            return None
        return list(run_lengths.middle(regions[self._images[item.images[0]].case], self.study.design["shape"]))

    def _checked(self, item: ItemRecord, given: object) -> dict[str, Any]:
        answers = given if isinstance(given, dict) else {}
        shape = tuple(self.study.design["shape"])
        asked = self.design.asked_of(len(item.images))
        if set(answers) - {question.name for question in asked}:
            raise UserError("bad_rating", "There is an answer to a question that was not asked.", "Reload the page.")
        checked = {question.name: _answer(question, answers.get(question.name), shape) for question in asked}
        return {name: value for name, value in checked.items() if value is not None or name == MARK}

    def _feedback(self, item: ItemRecord, shown: ShowingRecord, answers: Mapping[str, Any]) -> dict[str, Any] | None:
        images = [self._images[one] for one in item.images]
        right = expected(images[::-1] if shown.flipped else images)
        judged = next((name for name in (REAL, PREFER) if name in answers and name in right), None)
        if judged is None:
            return {"correct": None, "text": _made(images)}
        text = f"It is {right[judged]}." if judged == REAL else f"{right[judged]} is the real scan."
        return {"correct": answers[judged] == right[judged], "text": text}


def design_of(study: StudyRecord) -> Design:
    """Return the design of a study, without the shape of its images, which its creation added."""
    return Design.model_validate({key: value for key, value in study.design.items() if key != "shape"})


def expected(images: Sequence[ImageRecord]) -> dict[str, str | int]:
    """Return the right answers to an item by question; images: one or two, left first."""
    if len(images) == 1:
        return {REAL: images[0].truth}
    real = [image.truth == "real" for image in images]
    return {PREFER: "A" if real[0] else "B"} if real[0] != real[1] else {}


def _made(images: Sequence[ImageRecord]) -> str:
    return f"It is {images[0].truth}." if len(images) == 1 else "Neither of the two is more real than the other."


def _described(question: Question) -> dict[str, Any]:
    return {
        "name": question.name,
        "kind": question.kind,
        "title": question.title,
        "help": question.help,
        "options": [list(option) for option in question.options],
        "levels": question.levels,
        "low": question.low,
        "high": question.high,
        "optional": question.optional,
    }


def _answer(question: Question, given: object, shape: tuple[int, ...]) -> object:
    """Return an answer as it is stored; UserError bad_rating names the question without a valid answer."""
    if given is None or given == "":
        if question.optional:
            return None
        raise UserError("bad_rating", f"An answer is missing: {question.title}", "Answer it, then save.")
    fits = {
        "choice": lambda: given in [value for value, _ in question.options],
        "scale": lambda: type(given) is int and 1 <= given <= question.levels,
        "text": lambda: isinstance(given, str) and len(given) <= COMMENT_LIMIT,
        "mark": lambda: _marks(given, shape),
    }
    if not fits[question.kind]():
        raise UserError("bad_rating", f"This is no answer to: {question.title}", "Answer it again, then save.")
    return given


def _marks(given: object, shape: tuple[int, ...]) -> bool:
    x, y, z = shape
    return (
        isinstance(given, dict)
        and set(given) == {"shape", "runs"}
        and given["shape"] == list(shape)
        and run_lengths.valid(given["runs"], (x, y, z))
    )


def _seconds(given: object) -> float:
    number = number_of(given)
    return min(max(number, 0.0), LONGEST_SECONDS) if number is not None else 0.0


def number_of(given: object) -> float | None:
    """Return a finite number that came from outside, None for anything else."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    try:
        number = float(given)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _count(given: object) -> int:
    return min(max(given, 0), 10**6) if type(given) is int else 0


def _circumstances(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is stored beside the answer: slices seen along each axis, the time of showing, the screen."""
    slices, client, moment = given.get("slices"), given.get("client"), given.get("shown_at")
    kept: dict[str, Any] = {}
    if isinstance(slices, dict):
        kept["slices"] = {axis: _count(slices[axis]) for axis in AXES if axis in slices}
    if isinstance(client, dict):
        kept["client"] = {str(key)[:20]: one for key, one in list(client.items())[:12] if _small(one)}
    return kept | ({"shown_at": moment} if isinstance(moment, str) and _small(moment) else {})


def _small(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= CIRCUMSTANCE_LIMIT
    return isinstance(value, bool) or number_of(value) is not None
