"""The links that a visitor has made, with their ends, and a button that ends each at once."""

from __future__ import annotations

from markupsafe import Markup

from webapp.pages.kit.job_titles import headline, subject
from webapp.pages.kit.templates import EMPTY, piece
from webapp.pages.kit.text import ago
from webapp.pages.shared.shared_run import shown_until
from webapp.services import Services
from webapp.store.shares import ShareRecord


def table(services: Services, session: str) -> Markup:
    """Return the links of a session that open something, the newest first; nothing where there are none."""
    rows = [_row(services, session, one) for one in services.shares.of(session)]
    return piece("sessions", "links", links=rows) if rows else EMPTY


def _row(services: Services, session: str, share: ShareRecord) -> dict[str, str]:
    job = services.repo.job(share.job, session)
    return {
        "id": share.id,
        "subject": subject(services, session, job),
        "method": headline(job),
        "made": ago(share.created),
        "ends": f"{shown_until(share, job, services.settings.retention):%Y-%m-%d %H:%M} UTC",
    }
