"""What a finished run of the failure lab found, from the store."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from core import tasks
from core.errors import UserError
from core.failure.results import Results
from core.failure.results_json import from_json
from webapp.services import Services
from webapp.store.records import JobRecord

RESULTS = "results"


def load(services: Services, job: JobRecord) -> Results:
    """Return what a finished job found; UserError not_found, bad_results."""
    found = job.artifact(RESULTS)
    if tasks.find(job.task).page.kind != "lab" or found is None:
        raise UserError("not_found", "This run has no results of the failure lab.", "Wait until it is done.")
    return _read(services.blobs.path(found.blob))


# blobs never change
@lru_cache(maxsize=8)
def _read(path: Path) -> Results:
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError("not_found", "This file is no longer on the server.", "Run the job again.") from error
