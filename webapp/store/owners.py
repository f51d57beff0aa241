"""To whom open pages and uploads belong: each to the session that named or sent it first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import Engine, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from webapp.store.clock import new_id, now
from webapp.store.database import READING
from webapp.store.repository import ensure_session
from webapp.store.schema import open_page, upload

PAGES_OF_ONE = 100
# a page that is open longer claims its name anew when it is next used
PAGE_DAYS = 7
# names whose holders are known without the database, the newest
REMEMBERED = 20_000


class Owners:
    """Short transactions on one database; a write has reached the disk when its method returns.

    of_one: how many pages of each session are remembered, the newest.
    """

    def __init__(self, engine: Engine, of_one: int = PAGES_OF_ONE) -> None:
        self._engine = engine
        self._reader = engine.execution_options(**{READING: True})
        self._of_one = of_one
        self._holders: OrderedDict[str, str] = OrderedDict()

    def claim_page(self, name: str, session_id: str) -> bool:
        """Give the page ``name`` to a session if it is nobody's, and return whether it is this session's."""
        owner = self._owner_of_page(name)
        if owner is None:
            try:
                self._add_page(name, session_id)
            except IntegrityError:
                # another request of the same moment was first
                owner = self._owner_of_page(name)
            else:
                owner = session_id
        self._holders[name] = owner or ""
        while len(self._holders) > REMEMBERED:
            self._holders.popitem(last=False)
        return owner == session_id

    def holder(self, name: str) -> str:
        """Return the session of a page that was claimed here, without the database; "" for one that was not."""
        return self._holders.get(name, "")

    def begin_upload(self, session_id: str) -> str:
        """Record that files of a session begin to arrive, and return the name of their folder."""
        upload_id = new_id()
        with self._engine.begin() as connection:
            ensure_session(connection, session_id)
            connection.execute(insert(upload).values(id=upload_id, session=session_id, bytes=0, created=now()))
        return upload_id

    def end_upload(self, upload_id: str, size: int) -> None:
        """Record that all files of an upload have arrived; size: their bytes."""
        with self._engine.begin() as connection:
            connection.execute(update(upload).where(upload.c.id == upload_id).values(bytes=size))

    def owner_of_upload(self, upload_id: str) -> str | None:
        """Return the session that sent an upload, None for one that is not known."""
        with self._reader.begin() as connection:
            return connection.scalar(select(upload.c.session).where(upload.c.id == upload_id))

    def forget_uploads(self, upload_ids: Collection[str]) -> None:
        """Remove what is known of uploads whose files are gone."""
        if upload_ids:
            with self._engine.begin() as connection:
                connection.execute(delete(upload).where(upload.c.id.in_(upload_ids)))

    def forget_pages(self) -> None:
        """Remove what is known of pages that were opened longer than PAGE_DAYS ago."""
        with self._engine.begin() as connection:
            connection.execute(delete(open_page).where(open_page.c.created < now() - timedelta(days=PAGE_DAYS)))

    def forget_all(self) -> None:
        """Remove what is known of every page and upload."""
        with self._engine.begin() as connection:
            for table in (open_page, upload):
                connection.execute(delete(table))

    def _owner_of_page(self, name: str) -> str | None:
        with self._reader.begin() as connection:
            return connection.scalar(select(open_page.c.session).where(open_page.c.name == name))

    def _add_page(self, name: str, session_id: str) -> None:
        mine = open_page.c.session == session_id
        with self._engine.begin() as connection:
            ensure_session(connection, session_id)
            connection.execute(insert(open_page).values(name=name, session=session_id, created=now()))
            if int(connection.scalar(select(func.count()).where(mine)) or 0) > self._of_one:
                oldest = select(open_page.c.name).where(mine).order_by(open_page.c.created).limit(1)
                connection.execute(delete(open_page).where(open_page.c.name == oldest.scalar_subquery()))
