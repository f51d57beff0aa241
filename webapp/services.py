"""The parts of a running server that pages and routes share."""

from __future__ import annotations

from dataclasses import dataclass

from webapp.jobs.dispatcher import Dispatcher
from webapp.settings import Settings
from webapp.store.access_tokens import AccessTokens
from webapp.store.accounts import Accounts
from webapp.store.blobs import Blobs
from webapp.store.browsers import Browsers
from webapp.store.erasure import Erasure
from webapp.store.overview import Overview
from webapp.store.owners import Owners
from webapp.store.repository import Repo
from webapp.store.shares import Shares
from webapp.store.studies import Studies
from webapp.telemetry.metrics import Metrics
from webapp.telemetry.recent_errors import RecentErrors


@dataclass(frozen=True)
class Services:
    """Settings, runs and reader studies in the database, files and the queue of one server; each is made once."""

    settings: Settings
    repo: Repo
    studies: Studies
    blobs: Blobs
    dispatcher: Dispatcher
    accounts: Accounts
    browsers: Browsers
    owners: Owners
    erasure: Erasure
    shares: Shares
    tokens: AccessTokens
    overview: Overview
    metrics: Metrics
    errors: RecentErrors
