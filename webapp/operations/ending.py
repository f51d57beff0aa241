"""An administrator ends what a visitor does here, and closes the server to them."""

from __future__ import annotations

import logging

from webapp.door.identity import Identity
from webapp.services import Services
from webapp.store.overview import VisitorRecord

log = logging.getLogger(__name__)


def close_to(services: Services, identity: Identity, visitor: VisitorRecord) -> None:
    """End the visits, jobs and links of a visitor, and refuse every request from now on; what is theirs stays."""
    services.browsers.close(visitor.session)
    if visitor.name:
        services.accounts.disable(visitor.name)
    identity.forget(visitor.session)
    services.shares.end_all(visitor.session)
    for job_id in services.repo.unfinished(visitor.session):
        services.dispatcher.cancel(job_id, visitor.session)
    log.warning("the server is closed to a visitor", extra={"session": visitor.session})


def open_to(services: Services, identity: Identity, visitor: VisitorRecord) -> None:
    """Let a visitor in again."""
    services.browsers.close(visitor.session, closed=False)
    if visitor.name:
        services.accounts.disable(visitor.name, disabled=False)
    identity.forget(visitor.session)
    log.warning("the server is open to a visitor again", extra={"session": visitor.session})
