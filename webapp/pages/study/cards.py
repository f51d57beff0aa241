"""Cards of the Rate tab."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from core.measure.answers import Rater
from core.plurals import count
from webapp.pages.kit import boxes
from webapp.pages.kit.templates import piece
from webapp.pages.kit.text import ago
from webapp.store.clock import now
from webapp.store.study_records import ItemRecord, RaterRecord, StudyRecord

EXPORTS = (
    ("zip", "Everything (zip)"),
    ("html", "Report"),
    ("csv", "Answers (CSV)"),
    ("json", "JSON"),
    ("dictionary", "Data dictionary"),
)


def overview(study: StudyRecord, items: Sequence[ItemRecord]) -> Markup:
    """Return title, items and state of a study, with the notes of its creation."""
    uses: list[str] = [item.use for item in items]
    pairs = sum(len(item.images) == 2 for item in items)
    state = "closed" if study.closed else "open for rating"
    counted = f"{count(len(items), 'item')}: {count(len(items) - pairs, 'single image')}, {count(pairs, 'pair')}"
    extra = [
        f"{uses.count(use)} {words}"
        for use, words in (("training", "for practice"), ("catch", "with an obvious answer"))
    ]
    parts = "; ".join([counted, *(one for one in extra if not one.startswith("0 "))])
    notes = boxes.notes(study.notes)
    return piece("study", "overview", title=study.title, parts=parts, made=ago(study.created), state=state, notes=notes)


def raters(records: Sequence[RaterRecord], progress: Sequence[Rater]) -> Markup:
    """Return the table of raters; progress: showings done and in all of each, in the same order."""
    if not records:
        return boxes.hint("Nobody is invited yet.")
    rows = [_rater(record, done) for record, done in zip(records, progress, strict=True)]
    return piece("study", "raters", rows=rows)


def link(what: str, path: str) -> Markup:
    """Return a link to copy; the page puts its own address before ``path``."""
    return piece("study", "link", what=what, path=path)


def exports(study: StudyRecord) -> Markup:
    """Return links to the exports of a study."""
    return piece("study", "exports", study=study.id, kinds=EXPORTS)


def report(study: StudyRecord, answers: int) -> Markup:
    """Return a frame with the results after so many ``answers``."""
    return piece("study", "report", study=study.id, answers=answers)


def fresh(answers: int, shown: int) -> Markup:
    """Return how many answers there are, and how many came since the results were drawn from ``shown``."""
    new = answers - shown
    return piece("study", "fresh", text=f"{count(answers, 'answer')}{f', {new} of them new' if new > 0 else ''}.")


def options(records: Iterable[RaterRecord]) -> list[tuple[str, int]]:
    """Return the raters as (title, number) choices of a list."""
    return [(f"{one.name} {one.label}".strip(), one.number) for one in records]


def _rater(record: RaterRecord, progress: Rater) -> tuple[str, ...]:
    over = record.revoked or (record.expires and record.expires < now())
    state = "ended" if over else "not opened" if record.consented is None else "in use"
    return (record.name, f"{progress.done} of {progress.total}", state, record.label or "–", progress.group or "–")
