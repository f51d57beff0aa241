"""The parts of a running server that pages and routes share."""

from __future__ import annotations

from dataclasses import dataclass

from webapp.jobs.dispatcher import Dispatcher
from webapp.settings import Settings
from webapp.store.blobs import Blobs
from webapp.store.repository import Repo


@dataclass(frozen=True)
class Services:
    """What a page needs: settings, the database, the files and the queue."""

    settings: Settings
    repo: Repo
    blobs: Blobs
    dispatcher: Dispatcher
