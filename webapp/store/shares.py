"""Links that show one finished run to whoever has them, for a time: the database keeps a digest of each."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, delete, func, insert, select

from core.errors import UserError
from webapp.store.clock import new_id, new_token, now
from webapp.store.database import READING
from webapp.store.repository import not_found
from webapp.store.schema import job, share

# links of one visitor that open something at the same time
MOST = 100


@dataclass(frozen=True)
class ShareRecord:
    """One link; ``session`` is whose run it shows. The link itself is not known any more."""

    id: str
    job: str
    session: str
    created: datetime
    ends: datetime


class Shares:
    """Short transactions on one database; a write has reached the disk when its method returns."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader = engine.execution_options(**{READING: True})

    def add(self, job_id: str, session_id: str, ends: datetime) -> tuple[ShareRecord, str]:
        """Return a new link to a finished run of a session, and the key that opens it, which is not kept.

        UserError not_found, not_ready for a run that is not done, too_many_links.
        """
        made, key = ShareRecord(new_id(), job_id, session_id, now(), ends), new_token()
        with self._engine.begin() as connection:
            state = connection.scalar(select(job.c.state).where(job.c.id == job_id, job.c.session == session_id))
            if state is None:
                raise not_found()
            if state != "done":
                raise UserError("not_ready", "Only a finished run can be shared.", "Wait until it is done.")
            mine = select(func.count()).select_from(share).where(share.c.session == session_id, share.c.ends > now())
            if int(connection.scalar(mine) or 0) >= MOST:
                raise UserError("too_many_links", f"You have {MOST} links.", "End some of them on the Sessions tab.")
            connection.execute(insert(share).values(**vars(made), key=_digest(key)))
        return made, key

    def of(self, session_id: str) -> tuple[ShareRecord, ...]:
        """Return the links of a session that have not ended, the newest first."""
        query = select(share).where(share.c.session == session_id, share.c.ends > now())
        with self._reader.begin() as connection:
            rows = connection.execute(query.order_by(share.c.created.desc())).all()
        return tuple(ShareRecord(row.id, row.job, row.session, row.created, row.ends) for row in rows)

    def opened(self, key: str) -> ShareRecord:
        """Return the link that a key opens; UserError link_over for one that has ended or never was."""
        query = select(share).where(share.c.key == _digest(key), share.c.ends > now())
        with self._reader.begin() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise UserError("link_over", "This link shows nothing, or no longer.", "Ask whoever sent it for another.")
        return ShareRecord(row.id, row.job, row.session, row.created, row.ends)

    def end(self, share_id: str, session_id: str) -> None:
        """End a link of a session; UserError not_found."""
        with self._engine.begin() as connection:
            mine = share.c.id == share_id, share.c.session == session_id
            if connection.execute(delete(share).where(*mine)).rowcount == 0:
                raise not_found()

    def end_all(self, session_id: str | None = None) -> None:
        """End every link, or every link of one session."""
        with self._engine.begin() as connection:
            every = delete(share)
            connection.execute(every if session_id is None else every.where(share.c.session == session_id))

    def forget_ended(self) -> None:
        """Remove what is known of links whose time is over."""
        with self._engine.begin() as connection:
            connection.execute(delete(share).where(share.c.ends <= now()))


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
