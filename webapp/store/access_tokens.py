"""Tokens by which programs come in as a visitor until they end: the database keeps a digest of each."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, func, insert, select, update

from core.errors import UserError
from webapp.store.account_records import AccountRecord, TokenRecord
from webapp.store.accounts import to_account
from webapp.store.clock import new_id, new_token, now
from webapp.store.database import READING
from webapp.store.repository import ensure_session, not_found
from webapp.store.schema import access_token, account, session

# tokens of one visitor that open something at the same time
MOST = 20
TITLE_LIMIT = 80
# by which a token is known wherever it was left by mistake
PREFIX = "counterscan_"
TOKEN = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}")


class AccessTokens:
    """Short transactions on one database; a write has reached the disk when its method returns."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader = engine.execution_options(**{READING: True})

    def add(self, session_id: str, who: AccountRecord | None, title: str, ends: datetime) -> tuple[TokenRecord, str]:
        """Return a new token of a visitor and its text, of which only a digest is stored; who: None without account.

        UserError bad_token_name, too_many_tokens.
        """
        plain = title.strip()
        if len(plain) > TITLE_LIMIT or not plain.isprintable():
            raise UserError("bad_token_name", f"A token's name is one line of {TITLE_LIMIT} characters.", "Shorten it.")
        text = f"{PREFIX}{new_token()}"
        made = TokenRecord(new_id(), session_id, who, plain, now(), ends, None)
        row = {"id": made.id, "session": session_id, "title": plain, "created": made.created, "ends": ends}
        with self._engine.begin() as connection:
            ensure_session(connection, session_id)
            mine = access_token.c.session == session_id, access_token.c.ends > now()
            if int(connection.scalar(select(func.count()).select_from(access_token).where(*mine)) or 0) >= MOST:
                raise UserError("too_many_tokens", f"You have {MOST} tokens.", "End some of them first.")
            key, whose = digest(text), None if who is None else who.id
            connection.execute(insert(access_token).values(**row, key=key, account=whose))
        return made, text

    def find(self, text: str) -> TokenRecord | None:
        """Return the token with this text; None for one that has ended or never was, or whose account is closed."""
        query = select(access_token).where(access_token.c.key == digest(text), access_token.c.ends > now())
        with self._reader.begin() as connection:
            row = connection.execute(query).one_or_none()
            known = None if row is None else _to_token(connection, row)
        return None if known is None or (known.account and known.account.disabled) else known

    def of(self, session_id: str) -> tuple[TokenRecord, ...]:
        """Return the tokens of a visitor that have not ended, the newest first."""
        query = select(access_token).where(access_token.c.session == session_id, access_token.c.ends > now())
        with self._reader.begin() as connection:
            rows = connection.execute(query.order_by(access_token.c.created.desc())).all()
            return tuple(_to_token(connection, row) for row in rows)

    def touch(self, token_id: str) -> None:
        """Note that a token was used."""
        moment = now()
        with self._engine.begin() as connection:
            used = update(access_token).where(access_token.c.id == token_id).values(last_seen=moment)
            owner = connection.scalar(used.returning(access_token.c.session))
            connection.execute(update(session).where(session.c.id == owner).values(last_seen=moment))

    def end(self, token_id: str, session_id: str) -> None:
        """End a token of a visitor; UserError not_found."""
        mine = access_token.c.id == token_id, access_token.c.session == session_id
        with self._engine.begin() as connection:
            if connection.execute(delete(access_token).where(*mine)).rowcount == 0:
                raise not_found()

    def end_all(self) -> None:
        """End every token of everybody."""
        with self._engine.begin() as connection:
            connection.execute(delete(access_token))

    def forget_ended(self) -> None:
        """Remove what is known of tokens whose time is over."""
        with self._engine.begin() as connection:
            connection.execute(delete(access_token).where(access_token.c.ends <= now()))


def digest(text: str) -> str:
    """Return what is kept of a token; the token cannot be computed from it."""
    return hashlib.sha256(text.encode()).hexdigest()


def _to_token(connection: Connection, row: Row[Any]) -> TokenRecord:
    whose = None
    if row.account is not None:
        whose = to_account(connection.execute(select(account).where(account.c.id == row.account)).one())
    ended = connection.scalar(select(session.c.ended).where(session.c.id == row.session)) is not None
    return TokenRecord(row.id, row.session, whose, row.title, row.created, row.ends, row.last_seen, ended)
