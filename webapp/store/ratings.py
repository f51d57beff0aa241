"""How a rating is kept: once for each number the client gave it, never changed, later ones beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, Row, func, insert, select
from sqlalchemy.exc import IntegrityError

from core.errors import UserError
from webapp.store.clock import now
from webapp.store.schema import rating, showing

CLIENT_ID = (8, 64)


def keep(
    engine: Engine, about: Mapping[str, str], client_id: str, values: Mapping[str, Any], *, final: bool = False
) -> Row[Any]:
    """Add a rating and return its row after the commit.

    about: the columns of what is rated by whom; values: the other columns. The same ``client_id`` again gives the row
    already kept, whatever else is sent. The newest earlier rating of the same is the one it supersedes.
    final: there can be no later one. UserError bad_rating for a number that is none or that another rating has, and for
    a rating after the final one.
    """
    if not CLIENT_ID[0] <= len(client_id) <= CLIENT_ID[1]:
        raise UserError("bad_rating", "The rating came without its number.", "Reload the page and rate again.")
    try:
        return _insert(engine, about, client_id, values, final)
    except IntegrityError:
        # two requests with one client_id at once: the other has been kept
        return _insert(engine, about, client_id, values, final)


def _insert(
    engine: Engine, about: Mapping[str, str], client_id: str, values: Mapping[str, Any], final: bool
) -> Row[Any]:
    same = [rating.c[name] == value for name, value in about.items()]
    with engine.begin() as connection:
        if "showing" in about:
            # one at a time, so that a final answer is the only one
            connection.execute(select(showing.c.id).where(showing.c.id == about["showing"]).with_for_update())
        kept = connection.execute(select(rating).where(rating.c.client_id == client_id)).one_or_none()
        if kept is not None:
            if any(getattr(kept, name) != value for name, value in about.items()):
                raise UserError("bad_rating", "This rating belongs elsewhere.", "Reload the page and rate again.")
            return kept
        last = connection.scalar(select(func.max(rating.c.id)).where(*same))
        if last is not None and final:
            raise UserError(
                "bad_rating", "This item was answered already.", "Reload the page; it goes on with the next."
            )
        row = {"changes": 0, "circumstances": {}, **values, **about, "client_id": client_id}
        added = insert(rating).values(**row, supersedes=last, created=now()).returning(rating)
        return connection.execute(added).one()
