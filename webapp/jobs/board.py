"""How the jobs stand that wait or run: one look at the database serves all who follow one."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping

from webapp.store.clock import Clock
from webapp.store.queue import Queue
from webapp.store.records import Standing
from webapp.store.repository import Repo

# seconds for which a look serves; what this server itself does to the queue ends it at once
LIFE = 0.5
# seconds for which the last look serves everybody else while one caller looks anew
LENT = 1.0


class Board:
    """The jobs of all sessions that wait or run; every method is safe to call from any thread."""

    def __init__(self, queue: Queue, repo: Repo, clock: Clock) -> None:
        self._queue = queue
        self._repo = repo
        self._clock = clock
        self._reading = threading.Lock()
        self._standings: Mapping[str, Standing] = {}
        self._until = self._lent = -math.inf
        self._changes = self._seen = 0

    def change(self) -> None:
        """Look anew the next time."""
        self._changes += 1
        self._until = -math.inf

    def recall(self, job_id: str, session: str) -> Standing | None:
        """Return how a job of this session stands without the database; None where it must be looked up.

        Of many who come when a look is over one gets None, and the others the last look for as long as that takes.
        """
        if self._is_fresh() or self._is_lent():
            return _own(self._standings, job_id, session)
        self._lent = self._clock.monotonic() + LENT
        return None

    def find(self, job_id: str, session: str) -> Standing:
        """Return how a job of this session stands, be it over or not; UserError not_found."""
        found = self.alive(job_id, session)
        if found is not None:
            return found
        job = self._repo.job(job_id, session)
        return Standing(job.id, session, job.state, job.fraction, job.text, job.started, job.position)

    def alive(self, job_id: str, session: str) -> Standing | None:
        """Return how a job of this session stands that waits or runs, None for every other."""
        return _own(self._read(), job_id, session)

    def length(self) -> int:
        """Return the number of jobs of all sessions that wait or run."""
        return len(self._read())

    def _is_fresh(self) -> bool:
        return self._clock.monotonic() < self._until

    def _is_lent(self) -> bool:
        return self._seen == self._changes and self._clock.monotonic() < self._lent

    def _read(self) -> Mapping[str, Standing]:
        with self._reading:
            if not self._is_fresh():
                changes, until = self._changes, self._clock.monotonic() + LIFE
                self._standings, self._seen = {one.id: one for one in self._queue.standings()}, changes
                self._lent = -math.inf
                if changes == self._changes:
                    self._until = until
            return self._standings


def _own(standings: Mapping[str, Standing], job_id: str, session: str) -> Standing | None:
    found = standings.get(job_id)
    return found if found is not None and found.session == session else None
