"""What a finished run of the failure lab found, and its report for strangers, from the store."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from core import tasks
from core.failure.results import Results
from core.failure.results_json import from_json
from core.report.lab.page import nameless_report
from webapp.pages.kit.results_files import results_at, results_path
from webapp.services import Services
from webapp.store.records import JobRecord


def load(services: Services, job: JobRecord) -> Results:
    """Return what a finished job found; UserError not_found, bad_results."""
    return _read(_path(services, job))


def strangers_report(services: Services, job: JobRecord) -> bytes:
    """Return the report of a finished job for who has a link to it; UserError not_found, bad_results."""
    finished = f"{job.finished or job.created:%Y-%m-%d %H:%M} UTC"
    return _strangers_report(job.task, _path(services, job), finished)


# blobs never change, and whoever has a link may open it often
@lru_cache(maxsize=4)
def _strangers_report(task: str, path: Path, finished: str) -> bytes:
    return nameless_report(tasks.find(task), _read(path), finished).encode()


def _read(path: Path) -> Results:
    found: Results = results_at(path, from_json)
    return found


def _path(services: Services, job: JobRecord) -> Path:
    return results_path(services, job, "lab", "the failure lab")
