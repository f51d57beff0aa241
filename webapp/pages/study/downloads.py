"""Downloads of a study for its managers: answers, data dictionary, report, archive."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from fastapi import APIRouter, Request, Response

from core.errors import UserError
from core.measure.analysis import analyse
from core.measure.answers import Collected
from core.measure.findings import Results
from webapp.door.visitor import session_of
from webapp.pages.study.results_page import page
from webapp.services import Services
from webapp.store.studies import Studies
from webapp.store.study_records import StudyRecord
from webapp.study.collection import collect
from webapp.study.export import archive, dictionary, to_csv, to_json

FRAME = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data:; frame-ancestors 'self'"
)
# end of an address -> suffix of the file, and its writer
WRITERS: dict[str, tuple[str, Callable[[Collected], str | bytes]]] = {
    "zip": ("zip", lambda found: _archive(found)),
    "csv": ("csv", to_csv),
    "json": ("json", lambda found: to_json(found, results_of(found))),
    "html": ("html", lambda found: page(found, results_of(found))),
    "dictionary": ("csv", dictionary),
}


def archive_of(studies: Studies, study: StudyRecord, *, labels: bool = False) -> bytes:
    """Return all files of a study as one zip; see ``webapp.study.export.archive``."""
    return _archive(collect(studies, study, labels=labels))


def router(services: Services) -> APIRouter:
    """Return the routes ``/study/<id>/<kind>``, downloads for every session that manages the study."""
    routes = APIRouter()
    studies = services.studies

    @routes.get("/study/{study_id}/view")
    def view(study_id: str, request: Request) -> Response:
        """The report for the page, in a sandbox whose scripts reach no network and no cookie."""
        study = studies.study(study_id, session_of(request))
        found = collect(studies, study)
        headers = {"content-security-policy": FRAME, "cache-control": "private, no-store"}
        return Response(page(found, results_of(found)), media_type="text/html; charset=utf-8", headers=headers)

    @routes.get("/study/{study_id}/{kind}")
    def export(study_id: str, kind: str, request: Request, labels: bool = False) -> Response:
        """All answers (csv, json), the data dictionary, the report (html), or all of it (zip)."""
        study = studies.study(study_id, session_of(request))
        if kind not in WRITERS:
            raise UserError("not_found", "There is no such export.", f"Choose from: {', '.join(WRITERS)}.")
        suffix, write = WRITERS[kind]
        name = f"counterscan-study-{study.id[:8]}{'-dictionary' if kind == 'dictionary' else ''}.{suffix}"
        headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "private, no-store"}
        content = write(collect(studies, study, labels=labels))
        return Response(content, media_type="application/octet-stream", headers=headers)

    return routes


def results_of(found: Collected) -> Results:
    """Return the statistics of a study; those of the same answers are computed once."""
    return _analysed(_Key(found))


def _archive(found: Collected) -> bytes:
    results = results_of(found)
    return archive(found, results, page(found, results))


class _Key:
    """Answers as a key of the cache, compared by their text: their rows hold mappings, which have no hash."""

    def __init__(self, found: Collected) -> None:
        self.found = found
        self._text = repr(found)

    def __hash__(self) -> int:
        return hash(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._text == other._text


@lru_cache(maxsize=4)
def _analysed(key: _Key) -> Results:
    return analyse(key.found)
