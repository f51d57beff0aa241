"""What each visitor, and all together, have used of a day: one small row each, so that a restart begins no new day."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Engine, delete, insert, select, update

from webapp.rates import DAY
from webapp.store.database import READING
from webapp.store.schema import day_use


class DayUse:
    """Short transactions on one database; ``what``: "bytes" or "jobs". Times are seconds since 1970."""

    def __init__(self, engine: Engine, what: str) -> None:
        self._engine = engine
        self._reader = engine.execution_options(**{READING: True})
        self._what = what

    def load(self, moment: float) -> Mapping[str, tuple[float, int]]:
        """Return key -> (when its day began, amount) of the days that are not over."""
        query = select(day_use).where(day_use.c.what == self._what, day_use.c.began > moment - DAY)
        with self._reader.begin() as connection:
            return {row.owner: (row.began, row.amount) for row in connection.execute(query)}

    def add(self, amounts: Mapping[str, tuple[float, int]]) -> None:
        """Add key -> (when its day began, amount); a row of an earlier day begins anew."""
        with self._engine.begin() as connection:
            for owner, (began, amount) in amounts.items():
                mine = day_use.c.owner == owner, day_use.c.what == self._what
                row = connection.execute(select(day_use.c.began, day_use.c.amount).where(*mine)).one_or_none()
                if row is None:
                    new = {"owner": owner, "what": self._what, "began": began, "amount": amount}
                    connection.execute(insert(day_use).values(new))
                elif row.began <= began - DAY:
                    connection.execute(update(day_use).where(*mine).values(began=began, amount=amount))
                else:
                    connection.execute(update(day_use).where(*mine).values(amount=day_use.c.amount + amount))


def forget_days(engine: Engine, moment: float) -> None:
    """Remove the rows of days that are over."""
    with engine.begin() as connection:
        connection.execute(delete(day_use).where(day_use.c.began <= moment - DAY))
