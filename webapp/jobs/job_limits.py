"""How many jobs may be started in a day: by a visitor, by all who come from one address, and by everybody."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy.exc import OperationalError

from core.errors import UserError
from webapp.rates import OF_ADDRESS, Allowance, Forgotten, Kept, in_words

REMEMBERED = 20_000


class Whereabouts:
    """From which address each session last sent a change; kept in memory alone, the newest."""

    def __init__(self) -> None:
        self._addresses: OrderedDict[str, str] = OrderedDict()
        self._change = threading.Lock()

    def note(self, session: str, address: str) -> None:
        """Note a change that a session sends from an address."""
        with self._change:
            self._addresses[session] = address
            self._addresses.move_to_end(session)
            while len(self._addresses) > REMEMBERED:
                self._addresses.popitem(last=False)

    def of(self, session: str) -> str:
        """Return the address of a session, "" for one that sent nothing since the start of this server."""
        return self._addresses.get(session, "")


class JobLimits:
    """The jobs of a day: ``each`` for a visitor, OF_ADDRESS times as many for an address, ``total`` for all.

    kept: where those of visitors are counted over a restart; clock: seconds since 1970.
    """

    def __init__(self, each: int, total: int, kept: Kept, whereabouts: Whereabouts, clock: Callable[[], float]) -> None:
        self._visitors = Allowance(each, total, kept, clock)
        self._addresses = Allowance(OF_ADDRESS * each, total, Forgotten(), clock)
        self._whereabouts = whereabouts

    def require_room(self, session: str) -> None:
        """Raise UserError job_limit where a session may start no other job now; nothing is counted."""
        if wait := self._visitors.wait(session):
            raise _over("These are all jobs that may be started in a day.", wait)
        address = self._whereabouts.of(session)
        if address and (wait := self._addresses.wait(address)):
            raise _over("These are all jobs that may be started in a day from your address.", wait)

    def take(self, session: str) -> None:
        """Count a job that was started; where the database is busy, it is written with the next."""
        self._visitors.take(session)
        if address := self._whereabouts.of(session):
            self._addresses.take(address)
        for allowance in (self._visitors, self._addresses):
            allowance.forget()
        with suppress(OperationalError):
            self._visitors.keep()


def _over(message: str, wait: float) -> UserError:
    return UserError("job_limit", message, f"Come back in {in_words(wait)}; what you have is kept.")
