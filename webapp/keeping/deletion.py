"""What a visitor deletes and keeps."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta

from webapp.services import Services
from webapp.store.clock import now


def delete_all_of(services: Services, session: str) -> None:
    """Delete for good all that a visitor has; jobs that wait or run are cancelled."""
    for job_id in services.repo.unfinished(session):
        services.dispatcher.cancel(job_id, session)
    services.erasure.delete_session(session)


def delete_all(services: Services) -> None:
    """Delete for good all that anybody has, and all backups of the data folder; accounts stay."""
    services.erasure.delete_all()
    services.blobs.empty_trash(float("inf"))
    shutil.rmtree(services.settings.data / "backups", ignore_errors=True)


def longest(services: Services) -> datetime:
    """Return until when a visitor may keep something from retention."""
    return now() + timedelta(days=services.settings.keep_days)
