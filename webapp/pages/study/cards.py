"""HTML cards of the Rate tab; every value from outside passes ``safe``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.measure.answers import Rater
from webapp.pages.kit.boxes import notes
from webapp.pages.kit.text import ago, safe
from webapp.store.clock import now
from webapp.store.study_records import ItemRecord, RaterRecord, StudyRecord

EXPORTS = (
    ("zip", "Everything (zip)"),
    ("html", "Report"),
    ("csv", "Answers (CSV)"),
    ("json", "JSON"),
    ("dictionary", "Data dictionary"),
)
INVITE = (
    '<div class="cs-invite cs-lab-invite"><p>Do experts see the difference?</p><p>Make a study of your finished runs, '
    "invite raters by a link, and read the results here while they come in.</p></div>"
)


def overview(study: StudyRecord, items: Sequence[ItemRecord]) -> str:
    """Return title, items and state of a study, with the notes of its creation."""
    uses: list[str] = [item.use for item in items]
    pairs = sum(len(item.images) == 2 for item in items)
    state = "closed" if study.closed else "open for rating"
    counted = f"{len(items)} items: {len(items) - pairs} single images, {pairs} pairs"
    extra = [
        f"{uses.count(use)} {words}"
        for use, words in (("training", "for practice"), ("catch", "with an obvious answer"))
    ]
    parts = "; ".join([counted, *(one for one in extra if not one.startswith("0 "))])
    return (
        f'<div class="cs-card"><p class="cs-file">{safe(study.title)}</p><p class="cs-hint">{safe(parts)}. Made '
        f"{safe(ago(study.created))}, {state}.</p>{notes(study.notes)}</div>"
    )


def raters(records: Sequence[RaterRecord], progress: Sequence[Rater]) -> str:
    """Return the table of raters; progress: showings done and in all of each, in the same order."""
    if not records:
        return '<p class="cs-hint">Nobody is invited yet.</p>'
    rows = "".join(_rater(record, done) for record, done in zip(records, progress, strict=True))
    return (
        '<div class="cs-scroll" tabindex="0" role="region" aria-label="Raters"><table class="cs-table cs-words"><thead>'
        '<tr><th scope="col">Rater</th><th scope="col">Done</th><th scope="col">Link</th><th scope="col">Your name</th>'
        f'<th scope="col">Group</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def link(what: str, path: str) -> str:
    """Return a link to copy; the page puts its own address before ``path``."""
    return (
        f'<div class="cs-card"><p class="cs-hint">{safe(what)} It is shown only now: copy it.</p>'
        f'<input class="cs-link-copy" readonly data-path="{safe(path)}" value="{safe(path)}" aria-label="Link"></div>'
    )


def exports(study: StudyRecord) -> str:
    """Return links to the exports of a study."""
    links = " ".join(
        f'<a class="cs-link" href="/study/{safe(study.id)}/{kind}" download data-export="{kind}">{safe(title)}</a>'
        for kind, title in EXPORTS
    )
    return f'<p class="cs-exports"><span class="cs-hint">Download:</span> {links}</p>'


def report(study: StudyRecord, answers: int) -> str:
    """Return a frame with the results after so many ``answers``."""
    return (
        f'<iframe class="cs-report" title="Results of the study" sandbox="allow-scripts" '
        f'src="/study/{safe(study.id)}/view?answers={answers}"></iframe>'
    )


def fresh(answers: int, shown: int) -> str:
    """Return how many answers there are, and how many came since the results were drawn from ``shown``."""
    new = answers - shown
    return f'<p class="cs-hint" role="status">{answers} answers{f", {new} of them new" if new > 0 else ""}.</p>'


def options(records: Iterable[RaterRecord]) -> list[tuple[str, int]]:
    """Return the raters as (title, number) choices of a list."""
    return [(f"{one.name} {one.label}".strip(), one.number) for one in records]


def _rater(record: RaterRecord, progress: Rater) -> str:
    over = record.revoked or (record.expires and record.expires < now())
    state = "ended" if over else "not opened" if record.consented is None else "in use"
    cells = (record.name, f"{progress.done} of {progress.total}", state, record.label or "–", progress.group or "–")
    return "<tr>" + "".join(f"<td>{safe(cell)}</td>" for cell in cells) + "</tr>"
