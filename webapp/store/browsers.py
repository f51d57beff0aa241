"""Browsers that this server gave a cookie: each opens the session of one visitor until it is signed out or old."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from webapp.store.account_records import AccountRecord, BrowserRecord
from webapp.store.accounts import to_account
from webapp.store.clock import new_id, new_token, now
from webapp.store.database import READING
from webapp.store.repository import ensure_session
from webapp.store.schema import account, browser, session


class Browsers:
    """Short transactions on one database; a write has reached the disk when its method returns.

    days: how long a browser is known after its last visit.
    """

    def __init__(self, engine: Engine, days: float) -> None:
        self._engine = engine
        self._reader = engine.execution_options(**{READING: True})
        self._life = timedelta(days=days)

    def admit(self, who: AccountRecord | None = None) -> tuple[BrowserRecord, str]:
        """Return a new browser and its cookie, of which only a digest is stored; without ``who`` a new visitor's."""
        cookie, moment = new_token(), now()
        owner = new_id() if who is None else who.session
        made = BrowserRecord(digest(cookie), owner, who, moment, moment)
        with self._engine.begin() as connection:
            ensure_session(connection, owner)
            row = {"id": made.id, "session": owner, "created": moment, "last_seen": moment}
            connection.execute(insert(browser).values(**row, account=None if who is None else who.id))
        return made, cookie

    def find(self, cookie: str) -> BrowserRecord | None:
        """Return the browser of a cookie; None if this server did not give it, or it was signed out or is too old."""
        query = select(browser).where(browser.c.id == digest(cookie), browser.c.last_seen > now() - self._life)
        with self._reader.begin() as connection:
            row = connection.execute(query).one_or_none()
            known = None if row is None else _to_browser(connection, row)
        return None if known is None or (known.account and known.account.disabled) else known

    def of(self, session_id: str) -> tuple[BrowserRecord, ...]:
        """Return the browsers of a visitor, the last one seen first."""
        query = select(browser).where(browser.c.session == session_id).order_by(browser.c.last_seen.desc())
        with self._reader.begin() as connection:
            return tuple(_to_browser(connection, row) for row in connection.execute(query).all())

    def touch(self, known: BrowserRecord) -> None:
        """Note a visit."""
        moment = now()
        with self._engine.begin() as connection:
            connection.execute(update(browser).where(browser.c.id == known.id).values(last_seen=moment))
            connection.execute(update(session).where(session.c.id == known.session).values(last_seen=moment))

    def sign_out(self, browser_id: str) -> None:
        """End the visits of one browser."""
        with self._engine.begin() as connection:
            connection.execute(delete(browser).where(browser.c.id == browser_id))

    def sign_out_everywhere(self, session_id: str) -> None:
        """End the visits of every browser of a visitor."""
        with self._engine.begin() as connection:
            connection.execute(delete(browser).where(browser.c.session == session_id))

    def close(self, session_id: str, closed: bool = True) -> None:
        """Close the server to the visitor without an account who has this session, or open it again."""
        with self._engine.begin() as connection:
            moment = now() if closed else None
            connection.execute(update(session).where(session.c.id == session_id).values(ended=moment))

    def sign_out_accounts(self) -> None:
        """End the visits of every account."""
        with self._engine.begin() as connection:
            connection.execute(delete(browser).where(browser.c.account.is_not(None)))


def digest(cookie: str) -> str:
    """Return the id of the browser that has a cookie; the cookie cannot be computed from it."""
    return hashlib.sha256(cookie.encode()).hexdigest()[:32]


def _to_browser(connection: Connection, row: Row[Any]) -> BrowserRecord:
    whose = None
    if row.account is not None:
        whose = to_account(connection.execute(select(account).where(account.c.id == row.account)).one())
    ended = connection.scalar(select(session.c.ended).where(session.c.id == row.session)) is not None
    return BrowserRecord(row.id, row.session, whose, row.created, row.last_seen, ended)
