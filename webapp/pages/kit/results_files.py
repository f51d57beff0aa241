"""What a finished run found, from the store."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from core import tasks
from core.errors import UserError
from webapp.services import Services
from webapp.store.records import JobRecord

RESULTS = "results"


def results_path(services: Services, job: JobRecord, kind: str, what: str) -> Path:
    """Return where the results of a finished job lie; kind: of its page; what: they are of, in words. UserError
    not_found."""
    found = job.artifact(RESULTS)
    if tasks.find(job.task).page.kind != kind or found is None:
        raise UserError("not_found", f"This run has no results of {what}.", "Wait until it is done.")
    return services.blobs.path(found.blob)


# blobs never change
@lru_cache(maxsize=16)
def results_at(path: Path, read: Callable[[str], Any]) -> Any:
    """Return what ``read`` makes of the text at ``path``. UserError not_found, and those of ``read``."""
    try:
        return read(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError("not_found", "This file is no longer on the server.", "Run the job again.") from error
